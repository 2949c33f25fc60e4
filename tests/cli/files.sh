#!/usr/bin/env bash
# Names that lead to no plain file: a pipe or a device where something is read is refused at once, with the name of the place; a device
# where something is written is written into and stays one. A config may come through a descriptor. (What is refused would otherwise
# be waited for or read for ever: `timeout` ends that with 124.)
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db
tiny=tests/configs/tiny.yaml
small=(--threads 1 $tiny train.lr_schedule=!unset evaluate=!unset samples=!unset train.steps=20 train.checkpoint.every=10)
refused() {  # exit code, text, arguments …
    local code=$1 text=$2 got
    shift 2
    timeout 20 "$ganexp" "$@" >"$dir/out" 2>&1
    got=$?
    [[ $got == "$code" ]] && grep -qF -- "$text" "$dir/out" && return
    echo "ganexp $*: exit code $got, wanted $code and '$text'"
    sed 's/^/    /' "$dir/out"
    bad=1
}
mkfifo "$dir/pipe"

# --- what a config names: drawn at the place
for x in "$dir/pipe" /dev/zero /dev/urandom; do
    is='a device'
    [[ $x != */pipe ]] || is='a pipe'
    refused 2 "$is where a file is expected" check "$x"
    refused 2 "$is where a file is expected" check $tiny networks.discriminator.load="$x"
    grep -q '\^' "$dir/out" || { echo "$x: no caret under load:"; bad=1; }
    printf 'extends: %s\n' "$x" >"$dir/config.yaml"
    refused 2 "$is where a file is expected" check "$dir/config.yaml"
    ln -sf "$x" "$dir/question.sql"
    refused 2 "$is where a file is expected" query "$dir/question.sql"
    refused 1 "is not a file" ls --db "$x"
done
refused 2 'a folder where a file is expected' check $tiny networks.discriminator.load="$dir"
mkdir "$dir/pictures" "$dir/arrays" "$dir/mnist"
mkfifo "$dir/pictures/a.png" "$dir/arrays/images.npy" "$dir/mnist/train-images-idx3-ubyte" "$dir/mnist/train-labels-idx1-ubyte"
refused 2 'a.png' check $tiny "data.real={dataset: folder, path: $dir/pictures, image: [1, 8, 8], test: 0, batch: 16}"
grep -q 'a pipe where a file is expected' "$dir/out" || { cat "$dir/out"; bad=1; }
refused 2 'a pipe where a file is expected' check $tiny "data.real={dataset: arrays, images: $dir/arrays/images.npy, batch: 16}"
refused 2 'a pipe where a file is expected' check $tiny "data.real={dataset: mnist, path: $dir/mnist, batch: 16}"

# --- a config through a descriptor
refused 0 'well formed' check /dev/stdin <$tiny
refused 0 'well formed' check <(cat $tiny)
cat $tiny | refused 0 'well formed' check /dev/stdin

# --- the choices that were measured: a pipe in their place holds nothing up
mkdir "$dir/cache"
mkfifo "$dir/cache/choices"
GANEXP_NO_TUNE='' GANEXP_CACHE=$dir/cache refused 0 'done: 20 steps' run "${small[@]}"
grep -q 'not remembered: .*choices: No such device' "$dir/out" || { echo "not told of the pipe in place of the choices"; sed 's/^/    /' "$dir/out"; bad=1; }

# --- checkpoints and the run's config
last=$(ls -d "$dir"/runs/*)
for step in 10 20; do rm "$last"/checkpoints/step-000000$step.safetensors && mkfifo "$last"/checkpoints/step-000000$step.safetensors; done
refused 1 'step-00000020' sample @last -o "$dir/x.png"

# --- what is written
refused 0 'done' run "${small[@]}"
refused 1 'No such device' sample @last -n 4 -o "$dir/pipe"
[[ -p $dir/pipe ]] || { echo "a pipe was replaced"; bad=1; }
refused 1 'cannot write /dev/full: No space left' sample @last -n 4 -o /dev/full
refused 1 'cannot write /dev/full: No space left' trace "${small[@]}" --output /dev/full
refused 0 /dev/null sample @last -n 4 -o /dev/null
for x in /dev/full /dev/null; do [[ -c $x ]] || { echo "$x was replaced"; bad=1; }; done
timeout 20 "$ganexp" sample @last -n 4 -o "$dir/pipe" >/dev/null 2>"$dir/out" &
head -c 8 "$dir/pipe" >/dev/null &
wait
refused 1 "cannot write $dir: Is a directory" sample @last -n 4 -o "$dir"
printf old >"$dir/real.png"
ln -s real.png "$dir/link.png"
refused 0 link.png sample @last -n 4 -o "$dir/link.png"
[[ -L $dir/link.png && $(head -c 4 "$dir/real.png") == *PNG ]] || { echo "a link was replaced"; bad=1; }
[[ -z $(find "$dir" -name '*.tmp') ]] || { echo "left behind: $(find "$dir" -name '*.tmp')"; bad=1; }
exit $bad
