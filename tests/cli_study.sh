#!/usr/bin/env bash
# A study runs what is missing, survives being killed, and shows mean and deviation over seeds.
set -eu
ganexp=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export GANEXP_CACHE=$dir/cache OMP_WAIT_POLICY=passive
cat > "$dir/base.yaml" <<'Y'
name: tiny
data: {real: {dataset: digits, size: 8, batch: 16}}
noise: {z: {normal: 4}}
networks:
  generator: {inputs: {z: 4}, layers: [dense: 64, tanh, reshape: [1, 8, 8]]}
  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 16, leaky_relu, dense: 1]}
games: [{critic: critic, real: real.image, fake: generator(z), loss: log}]
train: {steps: 40, optimizer: adam, iteration: [update: critic, update: generator], checkpoint: {every: 200}}
evaluate: {scores: []}
Y
mkdir "$dir/which"
cat > "$dir/which/study.yaml" <<'Y'
question: Does it run?
base: ../base.yaml
seeds: [0, 1]
vary:
  log:
  hinge: games.0.loss=hinge
Y
db=$dir/results/results.db
mkdir "$dir/results"
"$ganexp" study "$dir/which" --db "$db" -j 2 -t 1 > "$dir/table" 2> "$dir/told"
[ "$(grep -c 'is done' "$dir/told")" = 4 ] || { cat "$dir/told" "$dir"/results/which.study/*; exit 1; }
"$ganexp" study "$dir/which" --db "$db" 2>&1 >/dev/null | grep . && { echo "ran again what was done"; exit 1; }

# A trial killed in the middle, and the study with it, is gone on with.
sed -i 's/seeds: .*/seeds: [0, 1, 2]/; s/base.yaml/base.yaml\nset: train.steps=12000/' "$dir/which/study.yaml"
touch "$dir/mark"
setsid "$ganexp" study "$dir/which" --db "$db" -j 2 -t 1 > /dev/null 2>&1 &
study=$!  # and the number of its process group
for ((i = 0; i < 2000; i++)); do
    find "$dir/results/runs" -name 'step-*.safetensors' -newer "$dir/mark" | grep -q . && break
    sleep 0.01
done
kill -KILL -- -$study
wait $study 2> /dev/null || true
"$ganexp" study "$dir/which" --db "$db" -j 2 -t 1 > "$dir/table" 2>&1
grep -q 'goes on' "$dir/table" || { cat "$dir/table"; exit 1; }
done=$("$ganexp" query --db "$db" --json "SELECT count(*) AS n FROM runs WHERE status = 'done' AND step = 12000")
case $done in *'"n": 6'*) ;; *) echo "$done"; cat "$dir/table"; exit 1 ;; esac
echo "study: ok"
