#!/usr/bin/env bash
# `run --profile` prints the config back, line by line, with milliseconds where a line computes something, forward and backward; what
# no line has stands below; it all adds up, and the run is the run it would have been.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db GANEXP_CACHE=$dir
complain() { echo "$*"; bad=1; }
config=tests/configs/tiny.yaml
short=(train.steps=4 'evaluate.scores=[]' --threads 1)

"$ganexp" run $config "${short[@]}" --profile >"$dir/out" 2>"$dir/log" || complain "the run failed"
"$ganexp" run $config "${short[@]}" 2>"$dir/log" >"$dir/nothing" || complain "the run failed without --profile"
[[ -s $dir/nothing ]] && complain "without --profile something was printed"
cmp -s "$dir"/runs/*/checkpoints/step-00000004.safetensors || complain "--profile changes the run"

# columns 1-9 forward, 11-19 backward, from 22 on the text
head -1 "$dir/out" | grep -qE "^  forward  backward  $config, ms an iteration$" || complain "no heading"
lines=$(wc -l <$config)
sed -n "2,$((lines + 1))p" "$dir/out" | cut -c22- | diff - $config >"$dir/diff" || { complain "not the config's text:"; cat "$dir/diff"; }
line() { grep -F -- "$1" "$dir/out" | head -1; }
for both in '- dense: 32' '- batch_norm' '- dense: 64' 'loss: log'; do
    line "$both" | grep -qE '^ +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3} ' || complain "no two times beside '$both'"
done
line '- tanh' | grep -qE '^ {9} +[0-9]+\.[0-9]{3} ' || complain "tanh is not done by the dense layer before it"
line '- dropout' | grep -qE '^ +[0-9]+\.[0-9]{3} ' || complain "no time beside dropout"
for none in 'seed: 7' 'optimizer: {adam' 'samples: {every'; do
    line "$none" | grep -qE '^ {21}' || complain "a time beside '$none'"
done
awk '
    /^ *[0-9.]* *[0-9.]*  lines$/ && !done {f = substr($0, 1, 9); b = substr($0, 11, 9); done = 1
        if (f - forward > 0.05 || forward - f > 0.05 || b - backward > 0.05 || backward - b > 0.05) print "lines do not add up: " $0
        rest = f + b; next}
    /in all$/ {if (substr($0, 1, 9) - rest > 0.05 || rest - substr($0, 1, 9) > 0.05) print "the whole is not its parts: " $0; next}
    NR > 1 {forward += substr($0, 1, 9); backward += substr($0, 11, 9); rest += done ? substr($0, 1, 9) : 0}
' "$dir/out" | grep . && { bad=1; cat "$dir/out"; }
for row in 'updates of parameters and averages' 'batches' 'in all'; do
    line "$row" | grep -qE '^ +[0-9]+\.[0-9]{3} ' || complain "no time of '$row'"
done

# the last line is in results.db too; its shares are those of the rows, as far as these are rounded
share='[0-9]+\.[0-9]{2} %'
says="^3 iterations of [0-9.]+ ms \(median [0-9.]+\): batches $share, results.db $share; beside them $share of a core wrote results.db$"
last=$(tail -1 "$dir/out")
[[ $last =~ $says ]] || complain "not three iterations and what they took: $last"
"$ganexp" query "SELECT text FROM event WHERE code = 'time' AND run_id = 1" | grep -qxF -- "$last" || complain "results.db has not: $last"
"$ganexp" query "SELECT text FROM event WHERE code = 'time' AND run_id = 2" | grep -qE -- "$says" || complain "without --profile nothing is recorded"
lent=$("$ganexp" query "SELECT text FROM event WHERE code = 'memory' AND run_id = 1")
[[ $lent =~ ^text\ *$'\n'?([0-9.]+)\ MB\ lent\ to\ all\ plans\ in\ turn,\ slots\ [0-9.]+\ MB\;\ resident\ at\ most\ [0-9.]+\ MB$ ]] || complain "no memory: $lent"
awk '
    function shared(ms, share, what) {if (ms / iteration * 100 - share > slack || share - ms / iteration * 100 > slack) print what " " ms " ms, but " share " %"}
    /  batches$/ {batches = $1; next}
    /  results.db$/ {recording = $1; next}
    /progress, pictures, checkpoints, scores$/ {between = $1; next}
    /  in all$/ {iteration = $1 - between; slack = 0.3 / iteration; next}
    /^3 iterations of/ {
        shared($4, 100, "iterations"); shared(batches, $9, "batches"); shared(recording, $12, "recording")}
' "$dir/out" | grep . && { bad=1; cat "$dir/out"; }
exit $bad
