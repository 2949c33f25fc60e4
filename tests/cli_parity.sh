#!/usr/bin/env bash
# Training steps and samples of every config, found again by PyTorch (tests/parity). Batches are small where a generator is
# convolutional; dense networks keep theirs, since in a batch of 8 every unit that is on for all samples has a gradient of rounding only.
set -u
ganexp=$1
here=$(dirname "$0")/parity
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_CACHE=$dir/cache

python=
for p in python3 /usr/bin/python3; do
    [[ -z $python ]] && "$p" -c 'import torch, yaml' 2>/dev/null && python=$p
done
if [[ -z $python ]]; then
    echo "skipped: no python3 with torch and yaml (apt-get install python3-torch python3-yaml)"
    exit 77
fi
export PYTHONDONTWRITEBYTECODE=1

trace() {  # name of the trace, config, overrides …
    local to=$dir/$1.safetensors config=configs/$2.yaml
    shift 2
    "$ganexp" trace "$config" "$@" --threads 1 --steps 3 -o "$to" >/dev/null || bad=1
    traces+=("$to")
}

traces=()
small=data.real.batch=8
trace gan gan
trace lsgan lsgan
trace bgan bgan
trace cgan_concatenate cgan
trace cgan_multiply cgan templates.fuse=multiply
trace dcgan dcgan $small
trace acgan acgan $small
trace wgan wgan $small
trace wgan_gp wgan_gp $small
"$python" "$here/parity.py" "${traces[@]}" || bad=1

# A gradient that is wrong by a hundredth is found, in the right place.
"$python" "$here/parity.py" --break "$dir/gan.safetensors" >"$dir/broken"
[[ $? == 1 ]] && grep -q 'FAIL gan: .*gradients 1.0e-02 > 1e-03 (grad/0/discriminator.1.weight@0.0)' "$dir/broken" ||
    { echo "a broken gradient passes:"; cat "$dir/broken"; bad=1; }

# Checkpoints: convolutions and running statistics; labels.
checkpoint() {  # config
    "$ganexp" run "configs/$1.yaml" train.steps=3 evaluate.scores=[] $small --threads 1 --db "$dir/$1.db" 2>"$dir/log" >/dev/null &&
        "$ganexp" sample "$1" --db "$dir/$1.db" --threads 1 -o "$dir/$1.png" --save "$dir/$1.samples" >/dev/null &&
        "$python" "$here/checkpoint.py" "$dir"/runs/*-"$1"/checkpoints/*.safetensors "$dir/$1.samples" ||
        { cat "$dir/log"; bad=1; }
}
checkpoint dcgan
checkpoint acgan
exit $bad
