#!/usr/bin/env bash
# Training steps and samples of every config, found again by PyTorch (tests/parity), and of those in tests/configs with the words that no
# config has. Batches are small and wide layers narrow where there are convolutions; dense networks keep their batch, since in a batch of
# 8 every unit that is on for all samples has a gradient of rounding only; so has acgan_minibatch's table of distances with a seed of 0.
set -u
ganexp=$1
here=$(dirname "$0")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_CACHE=$dir/cache PYTHONDONTWRITEBYTECODE=1

python=
for p in python3 /usr/bin/python3; do
    [[ -z $python ]] && "$p" -c 'import torch, yaml' 2>/dev/null && python=$p
done
if [[ -z $python ]]; then
    echo "skipped: no python3 with torch and yaml (apt-get install python3-torch python3-yaml)"
    exit 77
fi

parity() { "$python" "$here/parity.py" "$@" "$ganexp"; }

# A gradient that is wrong by a hundredth is found, in the right place.
parity --break >"$dir/broken" <<<"gan configs/gan.yaml"
[[ $? == 1 ]] && grep -q 'FAIL gan: .*gradients 1.0e-02 > 1e-03 (grad/0/discriminator.1.weight@0.0)' "$dir/broken" ||
    { echo "a broken gradient passes:"; cat "$dir/broken"; bad=1; }

lines=$(while read line; do eval "echo $line"; done <<'END'
layers              tests/configs/layers.yaml
losses              tests/configs/losses.yaml
training            tests/configs/training.yaml
simultaneous        tests/configs/simultaneous.yaml
fields              tests/configs/fields.yaml
gan                 configs/gan.yaml
lsgan               configs/lsgan.yaml
fgan                configs/fgan.yaml
bgan                configs/bgan.yaml
bgan_discrete       configs/bgan_discrete.yaml  data.real.batch=8
cgan_concatenate    configs/cgan.yaml
cgan_multiply       configs/cgan.yaml           templates.fuse=multiply
bigan               configs/bigan.yaml          networks.discriminator.layers.2.repeat.layers.0.dense=256
aae                 configs/aae.yaml
cogan               configs/cogan.yaml
ring                configs/ring.yaml
dcgan               configs/dcgan.yaml          data.real.batch=8
dcgan_transposed    configs/dcgan_transposed.yaml data.real.batch=8 networks.generator.layers.{3,6}.conv2d_transpose.filters=32
dcgan64             configs/dcgan64.yaml        data.real.batch=4 networks.{generator.layers.{4,5,6},discriminator.layers.{2,3,4}}.filters=32 \
                    networks.generator.layers.1.conv2d_transpose.filters=64
acgan               configs/acgan.yaml          data.real.batch=8 networks.generator.layers.{7,11}.conv2d.filters=32
acgan_minibatch     configs/acgan_minibatch.yaml seed=2 data.real.batch=8 networks.generator.layers.{7,11}.conv2d.filters=32
wgan                configs/wgan.yaml           data.real.batch=8 networks.generator.layers.{4,8}.conv2d.filters=32
wgan_gp             configs/wgan_gp.yaml        data.real.batch=8 networks.generator.layers.{4,8}.conv2d.filters=32
cgan_conv           configs/cgan_conv.yaml      data.real.batch=8 networks.{generator.layers.{6,10},discriminator.layers.{9,13}}.conv2d.filters=32
cgan_conv_multiply  configs/cgan_conv.yaml      data.real.batch=8 networks.{generator.layers.{6,10},discriminator.layers.{9,13}}.conv2d.filters=32 \
                    templates.fuse=multiply
sgan                configs/sgan.yaml           data.{real,few}.batch=8 networks.generator.layers.{5,9}.conv2d.filters=32
infogan             configs/infogan.yaml        data.real.batch=8 networks.{generator.layers.{6,10},discriminator.layers.{7,11}}.conv2d.filters=32
patchgan            configs/patchgan.yaml       data.real.batch=8 networks.{generator.layers.{4,8},discriminator.layers.{0,2,5}}.conv2d.filters=32
scorer              configs/scorer.yaml         data.real.batch=8 train.lr_schedule.linear.{from=0,to=4}
sngan               configs/sngan.yaml          data.real.batch=4 templates.{up,first,down,flat}.with.filters=16 \
                    networks.generator.layers.0.dense=256 networks.generator.layers.1.reshape=[16,4,4]
wgan_gp_conditional configs/wgan_gp_conditional.yaml data.real.batch=4 networks.generator.layers.{3,6,9}.conv2d_transpose.filters=32 \
                    networks.critic.layers.{5,8,11}.conv2d.filters=32
END
)
half() { awk "NR % 2 == $1" <<<"$lines" | parity; }
half 0 &
half 1 || bad=1
wait $! || bad=1

# Checkpoints of a trained generator, in PyTorch.
checkpoint() {  # config, overrides …
    local name; name=$(basename "$1" .yaml)
    "$ganexp" run "$1" "${@:2}" train.steps=3 evaluate.scores=[] --threads 1 --db "$dir/$name.db" 2>"$dir/log" >/dev/null &&
        "$ganexp" sample "$name" --db "$dir/$name.db" --threads 1 -o "$dir/$name.png" --save "$dir/$name.samples" >/dev/null &&
        "$python" "$here/checkpoint.py" "$dir"/runs/*-"$name"/checkpoints/*.safetensors "$dir/$name.samples" ||
        { cat "$dir/log"; bad=1; }
}
checkpoint configs/dcgan.yaml data.real.batch=8
checkpoint configs/acgan.yaml data.real.batch=8
checkpoint tests/configs/layers.yaml
exit $bad
