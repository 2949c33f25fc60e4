#!/usr/bin/env bash
# A run that is killed twenty times and resumed each time ends with the checkpoint, the metrics, the scores and the pictures of
# one that was left alone, to the bit. Also: what the config now says is held against the checkpoint; damaged
# checkpoints are left for the one before them.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db
export GANEXP_CACHE=${GANEXP_CACHE:-$(dirname "$ganexp")/scorers}
config=tests/configs/tiny.yaml
RANDOM=1

complain() { echo "$*"; bad=1; }
query() { "$ganexp" query --json "$1" | grep -v '"title"'; }
run_dir() { grep -m1 -o "$dir/runs/[^ ]*" "$1" 2>/dev/null; }
last_checkpoint() { ls "$1"/checkpoints/step-*.safetensors | tail -1; }
expect() {  # exit code, text, arguments …
    local code=$1 text=$2 got
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>&1
    got=$?
    [[ $got == "$code" ]] && grep -qF -- "$text" "$dir/out" && return
    complain "ganexp $*: exit code $got, wanted $code and '$text'"
    sed 's/^/    /' "$dir/out"
}
same() {  # two run directories: everything that must not depend on what happened on the way
    local a=$1 b=$2 what id_a id_b
    cmp "$(last_checkpoint "$a")" "$(last_checkpoint "$b")" || complain "the last checkpoints differ"
    id_a=$(basename "$a") id_b=$(basename "$b")
    for what in \
        "SELECT k.name, m.step, printf('%!.20g', m.value) FROM metric m JOIN metric_key k ON k.id=m.key_id WHERE run_id=RUN" \
        "SELECT step, evaluator_id, key_id, weights, seed, printf('%!.20g %!.20g', value, std) FROM eval WHERE run_id=RUN ORDER BY 1, 2, 3" \
        "SELECT step, printf('%!.20g', epoch), images FROM tick WHERE run_id=RUN ORDER BY step" \
        "SELECT key_id, n, n_nan, first, last, last_step, min, min_step, max, max_step FROM metric_summary WHERE run_id=RUN ORDER BY 1" \
        "SELECT path, step, sha256, role FROM artifact WHERE run_id=RUN AND removed_ms IS NULL ORDER BY path" \
        "SELECT status, step, images, total_steps, exit_code, reason FROM run WHERE id=RUN"; do
        query "${what//RUN/(SELECT id FROM run WHERE uid LIKE \'%${id_a%%-*}\')}" >"$dir/a"
        query "${what//RUN/(SELECT id FROM run WHERE uid LIKE \'%${id_b%%-*}\')}" >"$dir/b"
        [[ -s $dir/a ]] && cmp -s "$dir/a" "$dir/b" || { complain "differ: $what"; diff "$dir/a" "$dir/b" | head -4; }
    done
}

# --- the same twice
steps=8000 far=12000
ldd "$ganexp" | grep -q asan && steps=2000 far=3000  # it is that much slower
common=(--threads 1 train.steps=$steps train.checkpoint.every=60)
"$ganexp" run "${common[@]}" $config 2>"$dir/whole.log" || { complain "the run failed"; cat "$dir/whole.log"; exit 1; }
whole=$(run_dir "$dir/whole.log")
"$ganexp" run "${common[@]}" $config 2>"$dir/again.log" || complain "the run failed the second time"
same "$whole" "$(run_dir "$dir/again.log")"
rows=$(query "SELECT count(*) AS n FROM eval WHERE run_id=1" | grep -o '[0-9]*' | tail -1)

# --- killed at twenty moments, some while a checkpoint is half written
"$ganexp" run "${common[@]}" $config 2>"$dir/killed.log" &
pid=$!
killed='' kills=0 halves=0
while ((kills < 20)); do
    for ((i = 0; i < 1000; i++)); do
        killed=$(run_dir "$dir/killed.log") && break
        sleep 0.005
    done
    sleep "0.$(printf %03d $((RANDOM % 200)))"
    if ((kills % 2 == 0)); then
        for ((i = 0; i < 2000; i++)); do
            compgen -G "$killed/checkpoints/*.tmp" >/dev/null && break
        done
    fi
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    code=$?
    ((code == 0)) && break
    kills=$((kills + 1))
    compgen -G "$killed/checkpoints/*.tmp" >/dev/null && halves=$((halves + 1))
    status=$("$ganexp" query --json "SELECT status FROM run" | grep -c running)
    [[ $status == 1 ]] || complain "after a kill the database holds $status runs that say they run"
    "$ganexp" ls --json | grep -q '"lost"' || complain "a killed run is not shown as lost"
    "$ganexp" resume @last 2>"$dir/killed.log" &
    pid=$!
done
wait $pid || { complain "the last resume failed"; cat "$dir/killed.log"; }
echo "$kills kills, $halves in the middle of a checkpoint, $rows scores"
((kills >= 3)) || complain "the run was over after $kills kills"
same "$whole" "$killed"
compgen -G "$killed/checkpoints/*.tmp" && complain "half a checkpoint was left behind"

# --- killed long after a checkpoint, when points are in the database that the resumed run makes again
"$ganexp" run "${common[@]}" $config train.steps=$far train.checkpoint.every=$((far - 100)) evaluate.every=0 2>"$dir/far.log" &
pid=$!
until run_dir "$dir/far.log" >/dev/null; do sleep 0.01; done
for kills in 1 2; do
    for ((i = 0; i < 300; i++)); do
        query "SELECT count(*) AS n FROM metric WHERE run_id=(SELECT max(id) FROM run)" | grep -q '"n": [1-9]' && break
        sleep 0.05
    done
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    "$ganexp" resume @last 2>"$dir/far.log" &
    pid=$!
    until run_dir "$dir/far.log" >/dev/null; do sleep 0.01; done
done
wait $pid || { complain "the last resume failed"; cat "$dir/far.log"; }
killed=$(run_dir "$dir/far.log")
"$ganexp" run "${common[@]}" $config train.steps=$far train.checkpoint.every=$((far - 100)) evaluate.every=0 2>"$dir/again.log" || complain "the run failed"
same "$(run_dir "$dir/again.log")" "$killed"
n=$("$ganexp" query --json "SELECT text FROM event WHERE code='rewind' AND text NOT LIKE '0 points%'" | grep -c points)
((n > 0)) || complain "no resume took anything back"

# --- killed before the first checkpoint: begins again, in its own directory
"$ganexp" run "${common[@]}" $config train.steps=2400 train.checkpoint.every=2400 2>"$dir/early.log" &
pid=$!
for ((i = 0; i < 1000; i++)); do
    early=$(run_dir "$dir/early.log") && break
    sleep 0.005
done
expect 5 'is alive in another process' resume @last
"$ganexp" ls --json | grep -q '"running"' || complain "a live run is not shown as running"
kill -KILL $pid
wait $pid 2>/dev/null
compgen -G "$early/checkpoints/*.safetensors" && complain "not early enough"
"$ganexp" resume @last 2>"$dir/early.log" || { complain "resume without a checkpoint failed"; cat "$dir/early.log"; }
"$ganexp" run "${common[@]}" $config train.steps=2400 train.checkpoint.every=2400 2>"$dir/again.log" || complain "the run failed"
same "$(run_dir "$dir/again.log")" "$early"

# --- another config
id=$(basename "$early")
id=${id%%-*}
expect 2 'train.steps: 2400 → 2500' resume "$id" train.steps=2500
expect 2 'networks.generator.layers.1.batch_norm.momentum: 0.8 → 0.9' resume "$id" 'networks.generator.layers=[{dense: 32}, {batch_norm: {momentum: 0.9}}, relu, {dense: 64}, tanh, {reshape: [1, 8, 8]}]'
sed -i 's/^seed: 7/seed: 8/' "$early/config.yaml"
expect 2 'seed: 7 → 8' resume "$id"
sed -i 's/^seed: 8/seed: 7/' "$early/config.yaml"
expect 0 'done: 2460 steps' resume "$id" train.steps=2460 --change
expect 0 'done: 2460 steps' resume "$id"
grep -q 'steps: 2460' "$early/config.yaml" || complain "--change did not reach the run's config"
expect 0 'train.steps: 2400 → 2460' query "SELECT text FROM event WHERE code='change'" --json
expect 2 'the checkpoint is of another experiment' resume "$id" 'networks.generator.layers=[{dense: 64}, tanh, {reshape: [1, 8, 8]}]' --change
expect 4 "no run 'nobody'" resume nobody

# --- checkpoints that are damaged, cut or foreign
checkpoint=$(last_checkpoint "$early")
cp "$checkpoint" "$dir/good"
older=$(dirname "$checkpoint")/step-00002400.safetensors
cp "$older" "$dir/older"
avoided() {  # why, the message: the one before is taken, and the run ends as it had
    cp "$checkpoint" "$dir/before"
    expect 0 "$2" resume "$id" --change  # since the one before is of 2400 steps in all
    grep -F "error: " "$dir/out" | grep -qF "$checkpoint" || complain "$1: the file is not named"
    grep -qx 'going on from the checkpoint of step 2400: 60 steps are made again' "$dir/out" || complain "$1: not said what is lost"
    cmp -s "$checkpoint" "$dir/good" || complain "$1: the run ends otherwise"
    cmp -s "$checkpoint.damaged" "$dir/before" || complain "$1: the file was not kept"
    rm -f "$checkpoint.damaged"
}
refused() {  # why, the message: no other is there
    cp "$checkpoint" "$dir/before"
    rm -f "$older"
    expect 2 "$2" resume "$id"
    grep -q "no checkpoint of run $id can be used" "$dir/out" || complain "$1: not said that there is no other"
    cmp -s "$checkpoint" "$dir/before" || complain "$1: the file was changed"
    cp "$dir/good" "$checkpoint"
    cp "$dir/older" "$older"
}
damaged() {
    cp "$checkpoint" "$dir/damaged"
    avoided "$@"
    cp "$dir/damaged" "$checkpoint"
    refused "$@"
}
head -c 5000 "$dir/good" >"$checkpoint"; damaged cut "$(basename "$checkpoint")"
: >"$checkpoint"; damaged empty "$(basename "$checkpoint")"
printf 'PK\3\4 a pickle' >"$checkpoint"; damaged foreign "$(basename "$checkpoint")"
{ head -c 3 "$dir/good"; printf '\377\377\377\377\377'; tail -c +9 "$dir/good"; } >"$checkpoint"; damaged 'header length' "$(basename "$checkpoint")"
sed 's/"step"/"stop"/' "$dir/good" >"$checkpoint"; damaged 'no step' 'does not say which step'
sed 's/"config_hash"/"config_hush"/' "$dir/good" >"$checkpoint"; damaged 'no hash' 'does not say which config'
{ head -c -100 "$dir/good"; head -c 100 /dev/urandom; } >"$checkpoint"
for taken in sample eval; do  # they take the one before too, and change nothing
    set -- "$taken" "$id"
    [ $taken = eval ] || set -- "$@" -o "$dir/samples.png"
    expect 0 'taking the checkpoint of step 2400' "$@"
    grep -qF 'its SHA-256 has changed' "$dir/out" || complain "$taken: not said what is wrong with the newest"
    mv "$older" "$dir/away"
    expect 1 "no checkpoint of run $id can be used" "$@"
    mv "$dir/away" "$older"
done
damaged 'other weights' 'its SHA-256 has changed'
expect 0 'done: 2460 steps' resume "$id"

# --- simultaneous updates, in phases
"$ganexp" run --threads 1 tests/configs/simultaneous.yaml train.phases.2.steps=18 train.checkpoint.every=10 2>"$dir/at_once.log" ||
    { complain "simultaneous updates failed"; cat "$dir/at_once.log"; }
checkpoint=$(last_checkpoint "$(run_dir "$dir/at_once.log")")
cp "$checkpoint" "$dir/good"
: >"$checkpoint"
expect 0 'going on from the checkpoint of step 10: 10 steps are made again' resume simultaneous
cmp "$checkpoint" "$dir/good" || complain "simultaneous updates end otherwise after a resume"
expect 0 '' sample simultaneous --threads 1 -o "$dir/at_once.png"
[[ -s $dir/at_once.png ]] || complain "nothing sampled of simultaneous updates"

# --- databases that are damaged, cut or foreign
cp "$dir/r.db" "$dir/good.db"
for how in cut foreign empty; do
    case $how in
    cut) head -c 20000 "$dir/good.db" >"$dir/bad.db" ;;
    foreign) cp tests/configs/tiny.yaml "$dir/bad.db" ;;
    empty) : >"$dir/bad.db" ;;
    esac
    cp "$dir/bad.db" "$dir/before"
    expect 1 'bad.db' run --db "$dir/bad.db" $config --threads 1
    expect 1 'bad.db' resume --db "$dir/bad.db" "$id"
    expect 1 'bad.db' ls --db "$dir/bad.db"
    cmp -s "$dir/bad.db" "$dir/before" || complain "$how: the database was changed"
done

# --- elsewhere: other threads or instructions are other bits, and it says so; here it says nothing
"$ganexp" run --threads 1 --no-tune $config train.steps=20 train.lr_schedule=!unset evaluate=!unset samples=!unset 2>"$dir/log" || complain "the run failed"
expect 0 'going on elsewhere (2 threads, was 1 thread): not the bits of an unbroken run' \
    resume @last train.steps=40 --change --threads 2
[[ $(query "SELECT text FROM event WHERE code='elsewhere' AND level='warn'") == *'2 threads, was 1 thread: from here on'* ]] || complain "no event says so"
ONEDNN_MAX_CPU_ISA=SSE41 expect 0 '; sse41, was ' resume @last train.steps=60 --change --threads 1
ONEDNN_MAX_CPU_ISA=SSE41 expect 0 done resume @last train.steps=80 --change --threads 1
grep -q elsewhere "$dir/out" && complain "it went on where it stood, and says otherwise"
exit $bad
