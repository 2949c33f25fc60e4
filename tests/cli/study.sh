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

ask() { "$ganexp" query --db "$db" --json "$1" | sed -n 's/.*"x": *\([0-9]*\).*/\1/p'; }
done_now() { ask "SELECT count(*) AS x FROM runs WHERE status = 'done' AND step = $1"; }
begin() {
    touch "$dir/mark"
    "$ganexp" study "$dir/which" --db "$db" -j 2 -t 1 > "$dir/table" 2> "$dir/told" &
    study=$!
}
complain() { echo "$1"; cat "$dir/table" "$dir/told"; exit 1; }
alive() {  # any of these processes; one that has ended and waits for its parent has ended
    local p
    for p; do grep -qs '^State:.[^ZX]' "/proc/$p/status" && return; done
    return 1
}
until_checkpoint() {  # of so many runs
    for ((i = 0; i < 3000; i++)); do
        [ "$(find "$dir/results/runs" -name 'step-*.safetensors' -newer "$dir/mark" -printf '%h\n' | sort -u | wc -l)" -ge "$1" ] && return
        sleep 0.01
    done
}

# The study killed: its workers save and end, and the same command goes on.
sed -i 's/seeds: .*/seeds: [0, 1, 2]/; s/base.yaml/base.yaml\nset: train.steps=12000/' "$dir/which/study.yaml"
begin
until_checkpoint 1
workers=$(ask "SELECT pid AS x FROM attempt a JOIN run r ON r.id = a.run_id WHERE status = 'running'")
kill -KILL $study
wait $study 2> /dev/null || true
for ((i = 0; i < 3000; i++)); do
    alive $workers || break
    sleep 0.01
done
alive $workers && complain "workers outlive their study"

# A worker killed: the others go on, and only it is left.
begin
until_checkpoint 1
kill -KILL "$(ask "SELECT max(pid) AS x FROM attempt a JOIN run r ON r.id = a.run_id WHERE status = 'running'")"
wait $study && complain "a killed worker, and all is well"
grep -q 'goes on' "$dir/told" || complain "what was interrupted was begun anew"
grep -q 'ended by a signal' "$dir/told" || complain "nobody said that a worker was killed"
grep -q '1 of 6 trials is not done' "$dir/told" || complain "the others did not go on"
[ "$(done_now 12000)" = 5 ] || complain "not five are done"
begin
wait $study || complain "it does not go on"
[ "$(grep -c 'goes on' "$dir/told")" = 1 ] && [ "$(grep -c 'is done' "$dir/told")" = 1 ] || complain "not just one went on"
[ "$(done_now 12000)" = 6 ] || complain "not six are done"

# Interrupted: workers are told, and save.
sed -i 's/12000/13000/' "$dir/which/study.yaml"
begin
until_checkpoint 2
kill -INT $study
code=0
wait $study || code=$?
[ $code = 130 ] || complain "interrupted, it says $code"
[ "$(grep -c 'was interrupted, and saved' "$dir/told")" = 2 ] || complain "workers did not save"
[ "$(ask "SELECT count(*) AS x FROM runs WHERE status = 'interrupted'")" = 2 ] || complain "two runs were to be interrupted"
echo "study: ok"
