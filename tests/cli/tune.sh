#!/usr/bin/env bash
# Choosing by measuring: what is measured is remembered, taken by the next run, recorded with it, and replayed from there to the bit,
# by `--replay` and by `resume`, whatever is remembered by then. `--no-tune` asks nobody.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset GANEXP_NO_TUNE
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db GANEXP_CACHE=$dir/cache
cache=$GANEXP_CACHE/choices

complain() { echo "$*"; bad=1; }
cat >"$dir/conv.yaml" <<'YAML'
name: conv
seed: 3
data:
  real: {dataset: digits, size: 16, batch: 4}
noise:
  z: {normal: 8}
networks:
  generator:
    inputs: {z: 8}
    layers:
      - dense: 512
      - reshape: [8, 8, 8]
      - upsample: 2
      - conv2d: {filters: 1, kernel: 3}
      - tanh
  discriminator:
    inputs: {image: [1, 16, 16]}
    layers:
      - conv2d: {filters: 16, kernel: 3, stride: 2}
      - leaky_relu: 0.2
      - conv2d: {filters: 16, kernel: 3}
      - leaky_relu: 0.2
      - flatten
      - dense: 1
games:
  - {critic: discriminator, real: real.image, fake: generator(z), loss: log}
train:
  steps: 6
  iteration:
    - {update: discriminator, optimizer: {adam: {lr: 2e-4}}}
    - {update: generator, optimizer: {adam: {lr: 2e-4}}}
samples: {grid: [1, 1]}
YAML

train() {  # where the log goes, arguments …
    local log=$dir/$1
    shift
    "$ganexp" "$@" --threads 1 >"$log" 2>&1 || { complain "ganexp $*"; cat "$log"; }
}
weights() { ls "$(grep -m1 -o "$dir/runs/[^ ]*" "$dir/$1")"/checkpoints/*.safetensors | tail -1; }
same() { cmp -s "$(weights "$1")" "$(weights "$2")" || complain "$1 and $2 differ"; }
differ() { cmp -s "$(weights "$1")" "$(weights "$2")" && complain "$1 and $2 are the same"; }
plan() {  # of the newest run
    "$ganexp" query --json "SELECT key, text$1 FROM param WHERE key LIKE 'plan.%' AND run_id=(SELECT max(id) FROM run) ORDER BY key"
}
says() { grep -q -- "$2" "$dir/$1" || { complain "$1 does not say '$2'"; cat "$dir/$1"; }; }
silent() { grep -q -- "$2" "$dir/$1" && complain "$1 says '$2'"; }

# --- measured once
train rules run "$dir/conv.yaml" --no-tune
silent rules measuring
plan ', origin' | grep -q '"rule"' || complain "the rules' answers are not recorded"
[[ -e $cache ]] && complain "--no-tune left something in the cache"
train measured run "$dir/conv.yaml"
says measured 'measuring what is fastest'
plan ', origin' | grep -q '"measured"' || complain "what was measured is not recorded"
[[ $(head -1 "$cache") == "ganexp choices 1" ]] || complain "the cache has no title"
train again run "$dir/conv.yaml"
silent again measuring
plan ', origin' | grep -q '"remembered"' || complain "what was remembered is not recorded"
same measured again

# --- winners as we want them: recorded and replayed, when the cache says otherwise by then
awk -F '\t' -v OFS='\t' 'NR > 1 && $2 ~ /^conv/ {d = ($2 ~ / x[0-9]+[pw]/) + ($2 ~ / y[0-9]+[pw]/) + ($2 ~ / x[0-9]+y/); $3 = d == 3 ? "2 3 4" : d == 2 ? "2 3" : "2"} 1' \
    "$cache" >"$dir/forced" && mv "$dir/forced" "$cache"
train forced run "$dir/conv.yaml"
silent forced damaged
plan '' >"$dir/forced.plan"
grep -q '"2 3 4"' "$dir/forced.plan" || complain "the winners were not taken"
differ forced rules
train short run "$dir/conv.yaml" train.steps=3
short=$("$ganexp" query --json "SELECT short FROM runs ORDER BY id DESC LIMIT 1" | grep -o '"short": "[^"]*' | cut -d'"' -f4)
forced=$(basename "$(dirname "$(dirname "$(weights forced)")")")
places='s/ *#.*//; s/[a-z]*\.yaml:[0-9]*//'
"$ganexp" explain "$dir/conv.yaml" --threads 1 | sed "$places" >"$dir/forced.txt"
rm -r "$GANEXP_CACHE"
train replayed run --replay "${forced%%-*}"
same forced replayed
plan '' | cmp -s - "$dir/forced.plan" || complain "the replayed run is not recorded with its plan"
train short resume "$short" train.steps=6 --change
same forced short
plan '' | cmp -s - "$dir/forced.plan" || complain "the resumed run lost its plan"
[[ -e $cache ]] && complain "a replay left something in the cache"
GANEXP_NO_TUNE=1 "$ganexp" explain "$dir/conv.yaml" >"$dir/rules.txt"
"$ganexp" explain "$dir/conv.yaml" --no-tune | cmp -s - "$dir/rules.txt" || complain "GANEXP_NO_TUNE is not --no-tune"
train rules_again run "$dir/conv.yaml" --no-tune
same rules rules_again

# --- what else can be done with a recorded plan: read it, time it, trace it
"$ganexp" explain --replay "${forced%%-*}" | sed "$places" >"$dir/explained.txt"
cmp -s "$dir/forced.txt" "$dir/explained.txt" || complain "explain --replay is another plan: $(diff "$dir/forced.txt" "$dir/explained.txt" | head)"
sed "$places" "$dir/rules.txt" | cmp -s - "$dir/forced.txt" && complain "the forced plan is the rules'"
"$ganexp" bench --replay "${forced%%-*}" --steps 1 --by step >"$dir/bench.txt" 2>&1 || complain "bench --replay: $(cat "$dir/bench.txt")"
[[ $(grep -c winograd_transform "$dir/bench.txt") == $(grep -c winograd_transform "$dir/forced.txt") ]] || complain "bench --replay times another plan"
for how in "$dir/conv.yaml" "--replay ${forced%%-*}"; do
    # shellcheck disable=SC2086
    "$ganexp" trace $how --threads 1 --steps 1 --output "$dir/trace${how%%[ /]*}" >"$dir/out" 2>&1 || complain "trace $how: $(cat "$dir/out")"
done
cmp -s "$dir/trace" "$dir/trace--replay" && complain "trace --replay is the rules'"
[[ -e $cache ]] && complain "looking at a recorded plan left something in the cache"

# --- a cache that is damaged is written anew; one that cannot be written leaves it to the rules
mkdir -p "$GANEXP_CACHE"
head -c 300 /dev/urandom >"$cache"
train damaged run "$dir/conv.yaml"
says damaged 'is damaged and will be written anew'
[[ $(head -1 "$cache") == "ganexp choices 1" ]] || complain "the damaged cache was not replaced"
GANEXP_CACHE=/dev/null train nowhere run "$dir/conv.yaml"
says nowhere 'nothing is measured, since /dev/null/choices cannot be written'
same nowhere rules

# --- usage
"$ganexp" run >"$dir/out" 2>&1
[[ $? == 2 ]] && grep -q 'needs a config' "$dir/out" || complain "run without a word is not refused"
"$ganexp" run --replay @last "$dir/conv.yaml" >"$dir/out" 2>&1
[[ $? == 2 ]] && grep -q -- '--replay takes config and plan' "$dir/out" || complain "--replay with a config is not refused"
"$ganexp" run --replay nobody >"$dir/out" 2>&1
[[ $? == 4 ]] || complain "--replay of no run is not refused"
for command in explain bench trace; do
    "$ganexp" $command >"$dir/out" 2>&1
    [[ $? == 2 ]] && grep -q 'or --replay RUN' "$dir/out" || complain "$command without a word is not refused"
done
exit $bad
