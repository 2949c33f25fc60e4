#!/usr/bin/env bash
# Warnings on the command line: told by check and run, counted in results.db, silenced by name, errors where wanted; as JSON.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/results.db
warned=tests/bad/warnings/wasserstein_without_clip.yaml name=wasserstein_without_clip

expect() {  # exit code, a pattern of all that is said or '' for no warning, arguments …
    local code=$1 pattern=$2 got
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [[ $got == "$code" ]] || { echo "ganexp $*: exit code $got, wanted $code"; cat "$dir/err"; bad=1; }
    if [[ $pattern ]]; then
        cat "$dir/out" "$dir/err" | grep -qE -- "$pattern" || { echo "ganexp $*: wanted $pattern"; cat "$dir/err"; bad=1; }
    elif grep -q 'warning' "$dir/err"; then
        echo "ganexp $*: warns"; cat "$dir/err"; bad=1
    fi
}

expect 0 "^$warned:3:5: warning: .*\[$name\]\$" check "$warned"
expect 2 "^$warned:3:5: error: .*\[$name\]\$" check -W error "$warned"
expect 0 '' check -W "no-$name" "$warned"
expect 0 '' check --warn "no-$name,error" "$warned"
expect 0 '' check -W error -W "no-$name" "$warned"
expect 0 '' check "$warned" "silence=$name"
expect 0 '' check "$warned" games.0.clip=0.01       # as the warning says
expect 0 '' check "$warned" games.0.penalty=gradient
expect 2 "did you mean '$name'" check -W no-wasserstein_without_clipp "$warned"
expect 2 "neither 'error' nor 'no-'" check -W all "$warned"
expect 0 'a difference of means' help "$name"
expect 0 "\"name\": ?\"$name\"" check --json "$warned"
expect 2 '"level": ?"error"' check --json tests/bad/loss_unknown.yaml
expect 0 "warning: .*\[$name\]\$" run --no-tune -t 1 "$warned" train.steps=1
expect 2 "error: .*\[$name\]\$" run --no-tune -t 1 "$warned" train.steps=1 -W error
expect 0 '' run --no-tune -t 1 "$warned" train.steps=1 -W "no-$name"
expect 0 '^ *1 *$' query "SELECT count(*) FROM event WHERE level = 'warn' AND code = '$name'"
expect 0 '^ *2 *$' query "SELECT count(*) FROM run"
exit $bad
