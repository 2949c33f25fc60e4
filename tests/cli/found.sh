#!/usr/bin/env bash
# What was found of the data is said in a line by check and run and kept in results.db; so is which class has which number. What reading
# did to the pictures is said: transparency, 16 bits that hold fewer.
set -u
ganexp=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
export GANEXP_DB=$dir/results.db

cd "$dir" || exit 1
python3 - <<'PYTHON'
import os, struct, zlib
def chunk(name, data):
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
def png(path, bits, kind, pixel, side=4):  # kind as in PNG: 0 grey, 6 colour and opacity
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rows = b''.join(b'\0' + pixel * side for _ in range(side))
    with open(path, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', side, side, bits, kind, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
for i in range(1, 13):
    png(f'sorted/train/{i}/x.png', 8, 6, bytes([200, 0, 200, 0 if i < 4 else 255]))
png('sorted/val/2/x.png', 8, 6, bytes([200, 0, 200, 255]))
open('sorted/notes.txt', 'w').close()
for i in range(3):
    png(f'scans/{i}.png', 16, 0, b'\x0f\xf0')
PYTHON
cat >own.yaml <<'YAML'
name: own
data: {real: {dataset: folder, path: sorted, image: [1, 4, 4], batch: 2}}
noise: {z: {normal: 4}}
networks:
  generator: {inputs: {z: 4}, layers: [{dense: 16}, {reshape: [1, 4, 4]}]}
  critic: {inputs: {image: [1, 4, 4]}, layers: [flatten, {dense: 1}]}
values: {fake: generator(z)}
games: [{critic: critic, real: real.image, fake: fake, loss: hinge}]
train: {steps: 1, optimizer: {adam: {lr: 1e-3}}, iteration: [{update: critic}, {update: generator}]}
samples: {grid: [1, 2]}
YAML

expect() {  # text, command …
    local text=$1
    shift
    "$@" >out 2>&1
    grep -qF -- "$text" out || { echo "$*: wanted '$text'"; sed 's/^/    /' out; bad=1; }
}
found='real: 13 pictures in 12 classes (train 12, val 1), 1 × 4 × 4; 3 transparent, laid on background [255, 255, 255]; 1 other file not read (.txt 1)'
classes="1 '2', 2 '3', 3 '4', 4 '5', 5 '6', 6 '7', 7 '8', 8 '9', 9 '10', 10 '11', 11 '12'"
expect "$found" "$ganexp" check own.yaml
expect "real: classes 0 '1', $classes" "$ganexp" check own.yaml
expect "$found" "$ganexp" run own.yaml
expect "$found" "$ganexp" query "SELECT text FROM event WHERE code = 'data'" --json
expect "real: 0 '1', $classes" "$ganexp" query "SELECT text FROM event WHERE code = 'classes'" --json
expect "0 '1', $classes" "$ganexp" show @last --json
expect 'laid on background [0, 0, 9]' "$ganexp" check own.yaml data.real.background=[0,0,9]
expect '`background:` is no colour' "$ganexp" check own.yaml data.real.background=[1,2]

expect '3 pictures of 16 bits, and no number in them is above 4080' "$ganexp" check own.yaml data.real.path=scans data.real.test=0
expect '`range: [0, 4095]` says so' "$ganexp" check own.yaml data.real.path=scans data.real.test=0
for range in '[0, 4095]' '[0, 65535]'; do
    "$ganexp" check own.yaml data.real.path=scans data.real.test=0 "data.real.range=$range" >out 2>&1 && ! grep -q '16 bits' out ||
        { echo "range $range does not end the warning"; cat out; bad=1; }
done
expect '`range:` is not two numbers' "$ganexp" check own.yaml data.real.range=4095
expect '`range:` is empty' "$ganexp" check own.yaml data.real.range=[1,1]
expect 'real: 60000 pictures in 10 classes (train), 1 × 28 × 28' "$ganexp" check own.yaml data.real='{dataset: digits}' 'networks.critic.inputs.image=[1,28,28]' 'networks.generator.layers.0.dense=784' 'networks.generator.layers.1.reshape=[1,28,28]'
exit $bad
