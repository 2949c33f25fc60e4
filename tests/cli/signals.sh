#!/usr/bin/env bash
# Ctrl-C and SIGTERM: the step ends, checkpoint and rows are saved, exit 130 or 143; also while the scorer is trained and while
# scores are taken. A second signal ends at once. Diverging. And the world's troubles: a database that another program holds, a full disk, a read-only folder.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'umount "$dir/disk" 2>/dev/null; rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db
export GANEXP_CACHE=${GANEXP_CACHE:-$(dirname "$ganexp")/scorers}
config=tests/configs/tiny.yaml
endless=(--threads 1 $config train.steps=100000000 train.lr_schedule=!unset)

complain() { echo "$*"; bad=1; }
value() { "$ganexp" query --json "$1" --db "${2:-$dir/r.db}" | sed -n 's/^  {.*": //p' | sed 's/}.*//; s/"//g'; }
start() {  # arguments of run; in the background, with its log and pid; returns when it trains
    rm -f "$dir/log"
    "$ganexp" run "$@" 2>"$dir/log" &
    pid=$!
    until grep -qs /runs/ "$dir/log" || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
}
until_log() {  # what the log is to say first
    until grep -qs -- "$1" "$dir/log" || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
}
until_row() {  # the step of a row that is to be in the database first
    until [[ $(value "SELECT coalesce(max(step), -1) FROM metric WHERE run_id=(SELECT max(id) FROM run)") -ge $1 ]] || ! kill -0 $pid 2>/dev/null; do sleep 0.05; done
}
ended() {  # exit code, text in the log, status in the database [, database]
    wait $pid
    local code=$? status
    status=$(value "SELECT status FROM run ORDER BY id DESC LIMIT 1" "${4:-}")
    [[ $code == "$1" ]] && grep -qF -- "$2" "$dir/log" && [[ $status == "$3" ]] && return
    complain "exit code $code, status $status; wanted $1, $3 and '$2'"
    sed 's/^/    /' "$dir/log"
}
saved() {  # what the last run says it did is in its directory
    local at
    at=$(grep -o 'at step [0-9]*' "$dir/log" | grep -o '[0-9]*')
    [[ -f $(grep -m1 /runs/ "$dir/log")/checkpoints/step-$(printf %08d "$at").safetensors ]] || complain "no checkpoint of step $at"
    [[ $(value "SELECT step FROM run ORDER BY id DESC LIMIT 1") -le $at ]] || complain "rows after step $at"
    [[ $(value "SELECT last_step FROM attempt ORDER BY id DESC LIMIT 1") ]] || complain "the attempt has no end"
}

# --- while training
hup=HUP:129
ignored=0x$(sed -n 's/^SigIgn:\t*//p' /proc/$$/status)
((ignored & 1)) && hup=  # started by nohup: then a run ignores it too
for how in INT:130 TERM:143 $hup; do
    start "${endless[@]}" evaluate.every=0
    [[ $("$ganexp" ls --json) == *'"running"'* ]] || complain "a live run is not shown as running"
    sleep 0.2
    kill -"${how%:*}" $pid
    ended "${how#*:}" 'go on with: ganexp resume' interrupted
    saved
    [[ $("$ganexp" ls --json) == *'"running"'* ]] && complain "an ended run is shown as running"
done

# --- while the scorer is trained: the run has its checkpoint; the scores are taken when it is resumed
GANEXP_CACHE=$dir/none start --threads 1 $config train.steps=60 evaluate.every=40 train.checkpoint.every=0 train.lr_schedule=!unset
until_log 'training the scorer'
kill -INT $pid
ended 130 'interrupted at step 40, saved' interrupted
saved
compgen -G "$dir/none/*" && complain "half a scorer was kept"
"$ganexp" resume @last 2>"$dir/log" || { complain "resume after the interrupted scores failed"; cat "$dir/log"; }
scores=$(value "SELECT group_concat(step) FROM (SELECT step FROM evals WHERE metric='inception_score' ORDER BY step)")
[[ $scores == 40,60 ]] || complain "scores at $scores, wanted 40,60"

# --- while scores are taken: many samples
start --threads 1 $config train.steps=60 evaluate.every=40 evaluate.samples=1M train.lr_schedule=!unset
until_row 40
kill -TERM $pid
ended 143 'interrupted at step 40, saved' interrupted
saved

# --- a second signal does not wait
start --threads 1 $config train.steps=60 evaluate.every=40 evaluate.samples=200k evaluate.batch=65536 train.lr_schedule=!unset
sleep 0.2
kill -INT $pid
kill -INT $pid
sleep 0.05
kill -INT $pid 2>/dev/null
wait $pid
code=$?
[[ $code == 130 ]] || complain "after two signals: exit code $code"

# --- diverging
start --threads 1 $config 'train.iteration=[{update: discriminator}, {update: generator}]' 'train.optimizer={sgd: {lr: 1000}}' train.log_every=1 train.lr_schedule=!unset
ended 3 'diverged at step' diverged
grep -qE '^tests/configs/tiny.yaml:[0-9]+:[0-9]+: error: diverged at step [0-9]+: .* gives NaN or Inf' "$dir/log" || complain "the divergence names no line"
grep -qE '^ +[0-9]+ \| +- (dense|leaky_relu|batch_norm|dropout|tanh|relu)|games|critic' "$dir/log" && grep -qE '^ +\| +\^' "$dir/log" || { complain "no caret under the layer"; cat "$dir/log"; }
[[ $(value "SELECT count(*) FROM metric WHERE run_id=(SELECT max(id) FROM run)") -ge 2 ]] || complain "the points before the divergence are gone"
[[ $(value "SELECT reason FROM run ORDER BY id DESC LIMIT 1") == *tiny.yaml* ]] || complain "the reason does not name the line"

# --- later: from a slab of the past, most of the way without a look
start --threads 1 $config games.0.loss=wasserstein 'train.iteration=[{update: discriminator}, {update: generator}]' 'train.optimizer={sgd: {lr: 0.04}}' train.lr_schedule=!unset
ended 3 'diverged at step' diverged
grep -qE 'from step [0-9]+ on they are made again' "$dir/log" || complain "the steps since the slab was kept are not told"
at=$(sed -nE 's/^step ([0-9]+) gives NaN or Inf.*/\1/p' "$dir/log")
found=$(sed -nE 's/^tests.configs.tiny.yaml:[0-9]+:[0-9]+: error: diverged at step ([0-9]+): .* gives NaN or Inf.*/\1/p' "$dir/log")
((found > 64)) || complain "diverged at step $found, which is too early to test anything"
# a variance that overflows is none in what is divided by its root, so it may be found before it was seen
((found <= at)) || { complain "not found again"; cat "$dir/log"; }

# --- weights that are NaN after a last step whose losses were not: nothing is saved, nothing scored
start --threads 1 $config train.steps=1 games.0.loss=wasserstein train.lr_schedule=!unset \
    'train.iteration=[{update: discriminator, optimizer: {sgd: {lr: 1, momentum: 0.99}}}, {update: generator, optimizer: {adam: {lr: 1e-3, epsilon: 0}}}]'
ended 3 'diverged at step 1: ' diverged
compgen -G "$(grep -m1 -o "$dir/runs/[^ ]*" "$dir/log")/checkpoints/*" && complain "weights that are NaN were saved"
[[ $(value "SELECT count(*) FROM eval WHERE run_id=(SELECT max(id) FROM run)") == 0 ]] || complain "weights that are NaN were scored"

# --- a database that another program holds for a while: told once, and all is in it at the end
start --threads 1 $config train.steps=40000 train.log_every=100 train.checkpoint.every=5000 evaluate.every=0 train.lr_schedule=!unset
sleep 0.2
python3 - "$dir/r.db" "$dir/log" <<'P'
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
c.execute("BEGIN EXCLUSIVE")
end = time.time() + 60
while time.time() < end and "cannot be written" not in open(sys.argv[2]).read():
    time.sleep(0.1)
time.sleep(3)
c.execute("COMMIT")
P
ended 0 'done: 40000 steps' done
[[ $(grep -c 'cannot be written' "$dir/log") == 1 ]] || { complain "told of the held database $(grep -c 'cannot be written' "$dir/log") times"; cat "$dir/log"; }
[[ $(value "SELECT n FROM summary WHERE run_id=(SELECT max(id) FROM run) AND metric='loss/generator'") == 401 ]] || complain "points are missing after the database was held"
[[ $(stat -c %s "$(grep -m1 /runs/ "$dir/log")/journal.jsonl") == $(value "SELECT bytes FROM artifact WHERE kind='journal' AND run_id=(SELECT max(id) FROM run)") ]] || complain "the database lacks some of the journal"

# --- a full disk, a read-only one
mkdir "$dir/disk"
if mount -t tmpfs -o size=12m none "$dir/disk" 2>/dev/null; then
    start --threads 1 $config --db "$dir/disk/r.db" train.steps=6000000 train.checkpoint.every=200 evaluate.every=0 samples.every=20000 train.lr_schedule=!unset
    sleep 0.3
    head -c 20M /dev/zero >"$dir/disk/filler" 2>/dev/null
    sleep 2.5
    kill -0 $pid 2>/dev/null || { complain "a full disk ended the run"; cat "$dir/log"; }
    rm "$dir/disk/filler"
    sleep 1.5
    kill -INT $pid
    ended 130 'go on with' interrupted "$dir/disk/r.db"
    [[ $(grep -c 'records' "$dir/log") -le 2 && $(grep -c 'goes on without it' "$dir/log") -le 2 ]] || { complain "told of the full disk too often"; cat "$dir/log"; }
    "$ganexp" query --db "$dir/disk/r.db" "PRAGMA integrity_check" | grep -q ok || complain "the database of the full disk is damaged"
    last=$(value "SELECT last_step FROM summary LIMIT 1" "$dir/disk/r.db")
    n=$(value "SELECT n FROM summary LIMIT 1" "$dir/disk/r.db")
    [[ $n == $((last / 10 + 1)) ]] || complain "$n points up to step $last"
    mount -o remount,ro "$dir/disk"
    "$ganexp" run --threads 1 $config --db "$dir/disk/r.db" 2>"$dir/log"
    code=$?
    [[ $code == 1 ]] && grep -q 'cannot make the run directory' "$dir/log" || { complain "read-only: exit code $code"; cat "$dir/log"; }
    "$ganexp" ls --db "$dir/disk/r.db" >/dev/null 2>&1 || complain "a database on a read-only disk cannot be listed"
else
    echo "full and read-only disks: skipped, no right to mount a tmpfs"
fi
exit $bad
