#!/usr/bin/env bash
# Every config trains: five steps on small batches, losses that are numbers, a picture at the end.
set -u
export OMP_WAIT_POLICY=passive
ganexp=$1
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

small() {  # overrides that make a config's batches small
    case $1 in
        cogan) echo data.a.batch=4 data.b.batch=4 ;;
        sgan) echo data.real.batch=4 data.few.batch=4 ;;
        *) echo data.real.batch=4 ;;
    esac
}

for config in configs/*.yaml; do
    name=$(basename "$config" .yaml)
    [[ $name == scorer ]] && continue
    db=$dir/$name/results.db
    mkdir "$dir/$name"
    # shellcheck disable=SC2046
    if ! "$ganexp" run "$config" $(small "$name") train.steps=5 evaluate.scores=[] --threads 1 --db "$db" >"$dir/out" 2>&1; then
        echo "$config:"
        sed 's/^/    /' "$dir/out"
        bad=1
        continue
    fi
    losses=$("$ganexp" query "SELECT count(*) AS n FROM metrics WHERE metric LIKE 'loss/%' AND abs(value) < 1e30" --json --db "$db" | sed -n 's/.*"n": \([0-9]*\).*/\1/p')
    (( ${losses:-0} >= 4 )) || { echo "$config: $losses losses"; bad=1; }
    pictures=$(find "$dir/$name" -name '*.png' -size +100c | wc -l)
    (( pictures >= 1 )) || { echo "$config: no picture"; bad=1; }
done
exit $bad
