#!/usr/bin/env bash
# What the shell sees of wrong command lines: a word of advice and the exit code 2; help goes to standard output.
set -u
ganexp=$1
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

expect() {  # exit code, text (empty: it may say nothing), arguments …
    local code=$1 text=$2
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>&1
    local got=$?
    if [[ $got != "$code" ]] || { [[ -n $text ]] && ! grep -qF -- "$text" "$dir/out"; } || grep -q $'\033' "$dir/out"; then
        echo "ganexp $*: exit code $got, wanted $code and '$text'"
        sed 's/^/    /' "$dir/out"
        bad=1
    fi
}

expect 0 'usage: ganexp COMMAND' --help
expect 0 'usage: ganexp ls' ls --help
expect 0 'usage: ganexp ls' help ls
expect 0 'ganexp ' --version
expect 2 'usage: ganexp COMMAND'
expect 2 "did you mean 'ganexp leaderboard'?" leaderbord
expect 2 "did you mean '--json'?" ls --jsn
expect 2 'needs an argument' ls --model
expect 2 'not a whole number' ls -n many --db "$dir/none.db"
expect 2 "does not take 'x'" ls x
expect 2 'needs more words' compare one
expect 1 'does not exist' ls --db "$dir/none.db"
printf 'name: acgan\n' >"$dir/file.db"
expect 1 'is not a database' ls --db "$dir/file.db"
GANEXP_DB=$dir/file.db expect 1 'file.db is not a database' show
[[ $(cat "$dir/file.db") == 'name: acgan' ]] || { echo "a foreign file was changed"; bad=1; }

# commands that read and change what is stored
"$ganexp" run configs/gan.yaml train.steps=1 evaluate.scores=[] -m 'of before' --db "$dir/runs.db" >/dev/null 2>&1
export GANEXP_DB=$dir/runs.db
expect 0 'of before' show
expect 0 'gan' ls
expect 0 '"step": 1' show @last --json
expect 0 'no scores' leaderboard
expect 0 'done' query 'SELECT status FROM runs'
expect 0 'loss/generator' query 'SELECT metric FROM metrics'
expect 4 "no run 'nosuch'" show nosuch
expect 4 "no run 'nosuch'" resume nosuch
expect 0 '' note @last 'dropout was off' && expect 0 'dropout was off' show @last
unset GANEXP_DB

expect 0 'repeat(x, n)' help
expect 0 'repeat(x, n)' help repeat
expect 0 'rows take turns' help samples
expect 0 'cut off at two deviations' help truncated
expect 0 'half a period of a cosine' help cosine

# every command's help, and what --help costs: the quickest of twenty
for c in $("$ganexp" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    expect 0 "usage: ganexp $c" "$c" --help
    expect 2 "unknown option '--no-such-option'" "$c" --no-such-option
done
best=1000000
TIMEFORMAT='%3U %3S'
for _ in {1..20}; do
    read user system < <({ time "$ganexp" --help >/dev/null; } 2>&1)
    took=$((10#${user/[.,]/} + 10#${system/[.,]/}))
    ((took < best)) && best=$took
done
slow=10
grep -q asan <<<"$(ldd "$ganexp")" && slow=200
((best < slow)) || { echo "--help takes $best ms of a processor"; bad=1; }
exit $bad
