#!/usr/bin/env bash
# `precision: bf16`: refused at its line where the machine lacks it; elsewhere dcgan's losses are float32's within what rounding
# explains, the same bits every time, and checkpoints are float32's in form.
set -u
ganexp=$1
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_NO_TUNE=1 GANEXP_DB=$dir/r.db

complain() { echo "$*"; bad=1; }
last_checkpoint() { ls "$dir"/runs/"$1"*/checkpoints/step-*.safetensors | tail -1; }

printf 'extends: %s\nprecision: bf16\n' "$PWD/configs/dcgan.yaml" >"$dir/half.yaml"
ONEDNN_MAX_CPU_ISA=AVX2 "$ganexp" check "$dir/half.yaml" >"$dir/out" 2>&1
code=$?
[[ $code == 2 ]] && grep -q 'half.yaml:2:12: error: bf16 wants the instructions avx512_core_bf16' "$dir/out" || {
    complain "wanted a refusal, got exit code $code"
    cat "$dir/out"
}
if ! "$ganexp" check "$dir/half.yaml" >"$dir/out" 2>&1; then
    grep 'error: bf16 wants' "$dir/out" || { cat "$dir/out"; exit 1; }
    echo "skipped: no products of bf16 on this machine"
    exit $bad
fi

steps=30 n=0
for precision in f32 bf16 bf16; do
    "$ganexp" run --threads 1 "$dir/half.yaml" precision=$precision train.steps=$steps train.log_every=1 \
        'evaluate.scores=[]' evaluate.every=$steps samples.every=$steps 2>"$dir/log" || { cat "$dir/log"; exit 1; }
    mv "$(grep -m1 -o "$dir/runs/[^ ]*" "$dir/log")" "$dir/runs/$((++n))"
done
cmp "$(last_checkpoint 2)" "$(last_checkpoint 3)" || complain "the same run gave other bits"
[[ $(head -c 4096 "$(last_checkpoint 2)" | tr ',' '\n' | grep -c '"dtype":"F32"') -gt 3 ]] || complain "a checkpoint is not float32"

# of the first five iterations each loss; of all the mean
off() {  # iterations, expression over f32 a and bf16 b
    "$ganexp" query --json "SELECT max(off) AS off FROM (SELECT $2 AS off FROM metrics a JOIN metrics b
        ON a.metric=b.metric AND a.step=b.step WHERE a.run_id=1 AND b.run_id=2 AND a.metric LIKE 'loss/%' AND a.step<=$1
        GROUP BY a.metric)" | grep -o '[0-9.][0-9.e-]*' | tail -1
}
each=$(off 5 'max(abs(b.value/a.value-1))') mean=$(off $steps 'abs(avg(b.value)/avg(a.value)-1)')
echo "losses are off by $each at most in five iterations, their means over $steps by $mean"
awk -v e="$each" -v m="$mean" 'BEGIN { exit !(e > 0 && e < 0.05 && m < 0.03) }' || complain "bf16 trains otherwise than float32"
exit $bad
