#!/usr/bin/env bash
# Standard streams that fail. A command whose output cannot be written says so and exits 1, whatever it prints; a run goes on to its end
# when nobody reads what it tells, when its streams are closed, and when files may not grow.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db
export GANEXP_CACHE=${GANEXP_CACHE:-$(dirname "$ganexp")/scorers}
small=(--threads 1 tests/configs/tiny.yaml train.lr_schedule=!unset evaluate=!unset samples=!unset)
complain() { echo "$*"; bad=1; }
value() { "$ganexp" query --json "$1" | sed -n 's/^  {.*": //p' | sed 's/}.*//; s/"//g'; }

"$ganexp" run "${small[@]}" train.steps=20 2>/dev/null || complain "no run to ask about"
"$ganexp" run "${small[@]}" train.steps=20 seed=8 2>/dev/null || complain "no second run"

reading=('--help' '--version' 'help' 'help conv2d' 'help --markdown' 'ls --help' 'ls' 'ls --json' 'show' 'show @last --json' 'show @last --config'
    'compare @last @last~1' 'compare --json @last @last~1' 'query SELECT\ *\ FROM\ metrics' 'query --json SELECT\ *\ FROM\ metrics' 'leaderboard --json'
    'check tests/configs/tiny.yaml' 'explain tests/configs/tiny.yaml' 'manual' 'complete ganexp\ ')
for line in "${reading[@]}"; do
    eval "words=($line)"
    words=("${words[@]//\\/}")
    "$ganexp" "${words[@]}" >"$dir/out" 2>/dev/null
    code=$?
    # a command that prints nothing here has nothing to lose
    [[ $code == 0 && -s $dir/out ]] || { [[ $code == 0 ]] || complain "$line: exit code $code with a good output"; continue; }
    why='.*'  # which system call failed is known of a text that one of them writes
    [[ $(stat -c %s "$dir/out") -gt 4000 ]] || why=': No space left'
    "$ganexp" "${words[@]}" >/dev/full 2>"$dir/log"
    code=$?
    [[ $code == 1 ]] && grep -q "cannot write all of the output$why" "$dir/log" || complain "$line into a full disk: exit code $code, $(cat "$dir/log")"
    "$ganexp" "${words[@]}" >&- 2>"$dir/log"
    code=$?
    [[ $code == 1 ]] && grep -q 'cannot write all of the output' "$dir/log" || complain "$line without an output: exit code $code, $(cat "$dir/log")"
done
# The reader of the pipe has ended before anything is written.
{ sleep 0.3; "$ganexp" ls 2>"$dir/log"; echo $? >"$dir/code"; } | true
[[ $(cat "$dir/code") == 1 ]] && grep -q 'cannot write all of the output: Broken pipe' "$dir/log" || complain "ls into a pipe that has ended: exit code $(cat "$dir/code"), $(cat "$dir/log")"

# --- a run whose messages nobody reads
"$ganexp" run "${small[@]}" train.steps=3000 2>&1 | true
[[ ${PIPESTATUS[0]} == 0 && $(value 'SELECT status FROM run ORDER BY id DESC LIMIT 1') == done ]] || complain "a run did not outlive the reader of its messages"
# --- with none of the three streams: no file becomes one of them
"$ganexp" run "${small[@]}" train.steps=40 train.checkpoint.every=20 <&- >&- 2>&-
code=$?
saved=$(ls "$dir"/runs/*/checkpoints/step-00000040.safetensors)
[[ $code == 0 && $(value 'SELECT status FROM run ORDER BY id DESC LIMIT 1') == done ]] || complain "a run without streams: exit code $code"
"$ganexp" run "${small[@]}" train.steps=40 train.checkpoint.every=20 2>/dev/null
again=$(ls "$dir"/runs/*/checkpoints/step-00000040.safetensors | grep -vxF "$saved")
cmp "$saved" "$again" || complain "without streams a checkpoint has other bytes"
# --- where no file may grow beyond 200 kB: a failure with a line, no signal
(ulimit -f 200; "$ganexp" run --threads 1 configs/gan.yaml evaluate=!unset samples=!unset train.steps=4 train.checkpoint.every=2 2>"$dir/log")
code=$?
[[ $code == 1 ]] && grep -q 'error: ' "$dir/log" || { complain "files may not grow: exit code $code"; cat "$dir/log"; }
exit $bad
