#!/usr/bin/env bash
# A trained run is not tied to where its data lay: it is sampled without them, and goes on and is scored with the same pictures at another
# place. Other pictures are not taken for the same.
set -u
ganexp=$1
dir=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$dir"' EXIT
bad=0
export GANEXP_DB=$dir/results.db GANEXP_CACHE=$dir/cache
complain() { echo "$*"; sed 's/^/    /' "$dir/out"; bad=1; }

expect() {  # exit code, text, arguments …
    local code=$1 text=$2
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>&1
    local got=$?
    [[ $got == "$code" ]] && grep -qF -- "$text" "$dir/out" || complain "ganexp $*: exit code $got, wanted $code and '$text'"
}

pictures() {  # folder, shade: 12 grey pictures of 8 × 8 in two classes
    python3 - "$1" "$2" <<'PYTHON'
import os, struct, sys, zlib
def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
for i in range(12):
    path = f'{sys.argv[1]}/{"ab"[i % 2]}'
    os.makedirs(path, exist_ok=True)
    rows = b''.join(b'\0' + bytes([int(sys.argv[2]) + 4 * i] * 8) for _ in range(8))
    with open(f'{path}/{i}.png', 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 8, 8, 8, 0, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
PYTHON
}

cat >"$dir/own.yaml" <<'YAML'
name: own
data: {real: {dataset: folder, path: here, image: [1, 8, 8], batch: 4, test: 25%}}
noise: {z: {normal: 4}}
networks:
  generator: {inputs: {z: 4}, layers: [{dense: 64}, tanh, {reshape: [1, 8, 8]}]}
  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, {dense: 8}, relu, {dense: 1}]}
values: {fake: generator(z)}
games: [{critic: critic, real: real.image, fake: fake, loss: hinge}]
train:
  steps: 6
  checkpoint: {every: 3}
  iteration:
    - {update: critic, optimizer: {adam: {lr: 1e-3}}}
    - {update: generator, optimizer: {adam: {lr: 1e-3}}}
samples: {grid: [2, 2]}
evaluate: {scores: [{accuracy: {of: "concat(critic(real.image), critic(real.image))"}}], every: 1000, samples: 20}
YAML
pictures "$dir/here" 20
pictures "$dir/others" 90
ganexp=$(realpath "$ganexp")
cd "$dir" || exit 1

expect 0 'done: 6 steps' run -t 1 own.yaml
"$ganexp" sample @last -o before.png >/dev/null 2>&1
mv here there

# sampling opens nothing; what it draws is the same
expect 0 'after.png' sample @last -o after.png
cmp -s before.png after.png || complain "sampled without its data, the run drew something else"
expect 1 "the data of run" sample @last -o x.png samples.of=real.image
expect 0 'x.png' sample @last -o x.png samples.of=real.image data.real.path=there
expect 2 'only samples.… can be said anew' sample @last -o x.png data.real.image=[1,4,4]
(cd / && "$ganexp" sample @last -o "$dir/x.png" >"$dir/out" 2>&1) || complain "sampling from another folder"

# from another folder, the message says where they were
mv there here
(cd / && "$ganexp" eval @last >"$dir/out" 2>&1)
grep -qF "data.real.path=$dir/here" "$dir/out" || complain "eval from another folder"
mv here there

# scores and more steps want the data, wherever they are
expect 2 'data.real.path=PATH' eval @last
expect 0 'accuracy' eval @last data.real.path=there
expect 2 'data.real.path=PATH' resume @last
rm runs/*/checkpoints/*6.safetensors
expect 2 'are not those this run was trained on' resume @last data.real.path=others
cp -r others here
expect 2 'are not those this run was trained on' resume @last
rm -r here
expect 0 'done: 6 steps' resume @last data.real.path=there
"$ganexp" sample @last -o again.png >"$dir/out" 2>&1
cmp -s before.png again.png || complain "a run that was resumed with its data at another place drew something else"
expect 0 'there' show @last --config
exit $bad
