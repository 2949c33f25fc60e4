#!/usr/bin/env bash
# What was recorded stays: a database that is deleted while a run writes it, one that is gone, a config that a power cut emptied, a disk
# with room for two checkpoints, creators with one pid. What is left over is named by `ls` and removed by `gc`, and nothing else is.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'umount "$dir/disk" 2>/dev/null; rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive NO_COLOR=1 GANEXP_DB=$dir/r.db
export GANEXP_CACHE=${GANEXP_CACHE:-$(dirname "$ganexp")/scorers}
config=(--threads 1 tests/configs/tiny.yaml train.lr_schedule=!unset evaluate=!unset samples=!unset)

complain() { echo "$*"; bad=1; }
value() { "$ganexp" query --json "$1" | sed -n 's/^  {.*": //p' | sed 's/}.*//; s/"//g'; }
expect() {  # exit code, text, arguments …
    local code=$1 text=$2 got
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>&1
    got=$?
    [[ $got == "$code" ]] && grep -qF -- "$text" "$dir/out" && return
    complain "ganexp $*: exit code $got, wanted $code and '$text'"
    sed 's/^/    /' "$dir/out"
}
run_dir() { grep -m1 -o "$dir/[^ ]*runs/[^ ]*" "$1"; }

# --- a database that goes while it is written to; its log stays behind
"$ganexp" run "${config[@]}" train.steps=100000000 train.checkpoint.every=0 2>"$dir/log" &
pid=$!
until [[ $(value "SELECT coalesce(max(step), 0) FROM metric" 2>/dev/null || echo 0) -ge 100 ]] || ! kill -0 $pid; do sleep 0.05; done
rm "$dir/r.db"
until [[ -e $dir/r.db && $(value "SELECT count(*) FROM event WHERE code='database'") == 1 ]] || ! kill -0 $pid; do sleep 0.05; done
kill -INT $pid
wait $pid
code=$?
[[ $code == 130 ]] || complain "after the database was deleted: exit code $code"
grep -q 'r.db was deleted while this run writes' "$dir/log" || { complain "the deleted database is not told of"; cat "$dir/log"; }
run=$(run_dir "$dir/log")
[[ $(value "SELECT n - last_step / 10 FROM summary WHERE metric='loss/generator'") == 1 ]] || complain "points are missing"
[[ $(value "SELECT min(step) FROM metric") == 1 ]] || complain "the first points are missing"
expect 0 "$(basename "$run" | cut -d- -f1)" ls

# --- a config that is empty, of zeros, gone: the checkpoint has it; what only reads writes nothing
cp "$run/config.yaml" "$dir/config"
for how in empty zeros gone; do
    case $how in empty) : >"$run/config.yaml" ;; zeros) head -c 100 /dev/zero >"$run/config.yaml" ;; gone) rm "$run/config.yaml" ;; esac
    expect 0 'the config is taken from' sample "$run" -n 4 -o "$dir/x.png"
    cmp -s "$run/config.yaml" "$dir/config" && complain "$how: \`sample\` wrote a config"
    step=$(($(value "SELECT step FROM run ORDER BY id LIMIT 1") + 10))
    expect 0 'the config is taken from' resume "$run" train.steps=$step --change
    grep -q "steps: $step" "$run/config.yaml" || complain "$how: config.yaml was not written again"
done

# --- all rows are gone: the directory is enough
value "SELECT group_concat(step || ':' || value) FROM metrics WHERE metric='loss/generator'" >"$dir/before"
cp "$dir/r.db" "$dir/kept"
rm -f "$dir"/r.db*
expect 1 'brings back one' ls
expect 0 'done' resume "$run"
value "SELECT group_concat(step || ':' || value) FROM metrics WHERE metric='loss/generator'" >"$dir/after"
[[ $(wc -c <"$dir/before") -gt 1000 ]] && cmp "$dir/before" "$dir/after" || complain "points differ after the directory gave them back"

# --- gc: what is left over, and nothing else
"$ganexp" run "${config[@]}" train.steps=20 2>"$dir/log"
lost=$(run_dir "$dir/log")
cp "$dir/kept" "$dir/r.db" # it knows nothing of the last run
rm -f "$dir"/r.db-*
rm -f "$dir/log" # what is waited for below is of this run
"$ganexp" run "${config[@]}" train.steps=100000000 2>"$dir/log" &
pid=$!
until grep -qs /runs/ "$dir/log" || ! kill -0 $pid; do sleep 0.01; done
kill -9 $pid
wait $pid 2>/dev/null
killed=$(run_dir "$dir/log")
touch "$killed/past"
expect 0 'left over in all' ls
mkdir "$dir/runs/0a1b2c3d-tiny" "$dir/runs/mine"
touch "$run/checkpoints/step-00000007.safetensors.0123456789abcdef0123456789abcdef.tmp" "$dir/r.db.4711.tmp" "$run/notes.tmp" "$dir/r.db.bak.tmp"
expect 0 "$lost is a run without a row" ls
rm -f "$dir/log" # what is waited for below is of this run
"$ganexp" run "${config[@]}" train.steps=100000000 2>"$dir/log" &
pid=$!
until grep -qs /runs/ "$dir/log" || ! kill -0 $pid; do sleep 0.01; done
expect 0 "$lost" gc
for x in "$run/checkpoints/step-00000007" "$dir/runs/0a1b2c3d-tiny" "$dir/r.db.4711.tmp" 'nothing was removed'; do
    grep -qF -- "$x" "$dir/out" || { complain "gc does not name $x"; cat "$dir/out"; }
done
[[ -d $lost ]] || complain "gc removed something without --yes"
expect 0 "removed $lost" gc --yes
kill -INT $pid
wait $pid
for x in "$lost" "$dir/runs/0a1b2c3d-tiny" "$dir/r.db.4711.tmp" "$killed/past"; do [[ -e $x ]] && complain "gc left $x"; done
for x in "$run/config.yaml" "$run/notes.tmp" "$killed/journal.jsonl" "$dir/r.db.bak.tmp" "$dir/runs/mine" "$(run_dir "$dir/log")/journal.jsonl"; do [[ -e $x ]] || complain "gc removed $x"; done
expect 0 'nothing is left over' gc

# --- where the database is gone, its runs are no left-overs: one that never had a database beside them
mkdir "$dir/gone"
"$ganexp" run --db "$dir/gone/r.db" "${config[@]}" train.steps=20 2>"$dir/log"
kept=$(run_dir "$dir/log")
"$ganexp" run --db "$dir/gone/r.db" "${config[@]}" train.steps=20 2>"$dir/log"
sed -i 's/"stored":[0-9]*/"stored":0/' "$(run_dir "$dir/log")/journal.jsonl"
rm "$dir/gone/r.db"*
expect 0 "$kept is a run without a row" ls --db "$dir/gone/r.db"
expect 5 'nothing was removed' gc --yes --db "$dir/gone/r.db"
[[ -d $kept ]] || complain "gc removed a run whose database is gone"

# --- room for two checkpoints, and none for the weights of before
mkdir "$dir/disk"
if mount -t tmpfs -o size=50m none "$dir/disk" 2>/dev/null; then
    GANEXP_NO_TUNE=1 expect 0 'those are given up' run --db "$dir/disk/r.db" --threads 1 configs/gan.yaml train.steps=6 'train.checkpoint={every: 2, keep: 1}' evaluate=!unset samples=!unset train.log_every=1
    grep -q 'cannot be written' "$dir/out" && complain "a checkpoint was not written"
    [[ -e $(run_dir "$dir/out")/checkpoints/step-00000006.safetensors ]] || complain "the last checkpoint is missing"
else
    echo "a small disk: skipped, no right to mount a tmpfs"
fi

# --- containers: all have one pid
if unshare -pf --mount-proc true 2>/dev/null; then
    pids=()
    for i in 1 2 3 4 5 6; do
        unshare -pf --mount-proc "$ganexp" run --db "$dir/one/r.db" seed=$i "${config[@]}" train.steps=20 2>"$dir/log$i" &
        pids+=($!)
    done
    for p in "${pids[@]}"; do wait "$p" || complain "a run of one pid failed"; done
    [[ $("$ganexp" query --json --db "$dir/one/r.db" "SELECT count(*) AS n FROM runs WHERE status='done'") == *'"n": 6'* ]] || complain "runs of one pid are missing"
    ls "$dir"/one/*.tmp 2>/dev/null && complain "temporaries are left"
else
    echo "one pid for all: skipped, no right to unshare"
fi
exit $bad
