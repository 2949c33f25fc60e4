#!/usr/bin/env bash
# Names of other people's reach a terminal without what it would obey: a path, a run's name, a note, a file of samples.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)/$'\e[7m\u009b2J'
mkdir "$dir"
trap 'rm -rf "$(dirname "$dir")"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db
obeyed=$'[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]'
shows() {  # exit code, text, arguments …
    local code=$1 text=$2 got
    shift 2
    "$ganexp" "$@" >"$dir/out" 2>&1
    got=$?
    [[ $got == "$code" ]] && grep -qaF -- "$text" "$dir/out" && ! LC_ALL=C grep -qaP "$obeyed" "$dir/out" && return
    echo "ganexp ${*@Q}: exit code $got, wanted $code and '$text', and nothing that a terminal obeys"
    cat -v "$dir/out"
    bad=1
}
sed 's/^name: tiny/name: "ti\\e[31mny"/' tests/configs/tiny.yaml >"$dir/tiny.yaml"
small=(--threads 1 "$dir/tiny.yaml" train.lr_schedule=!unset evaluate=!unset samples=!unset train.steps=4)
shows 0 '\x1b[7m\xc2\x9b2J/tiny.yaml: well formed' check "${small[@]:2}"
shows 0 '\x1b[7m\xc2\x9b2J' run "${small[@]}" -m $'note \e[2K'
shows 0 'ti\x1b[31mny' ls
shows 0 'note \x1b[2K' show
shows 0 'ti\x1b[31mny' query 'SELECT name FROM run'
shows 0 '\x1b[7m' sample @last -n 4 -o "$dir/x.png"
shows 0 '' explain "${small[@]:2}"
shows 2 'train.steps=\x1b[0m' check "${small[@]:2}" train.steps=$'\e[0m'
shows 2 '\x1b' check "${small[@]:2}" networks.discriminator.load=$'\e[1m'
shows 2 '\x1b[5m' $'l\e[5ms'
shows 4 '\x1b' show $'\e[1m'
shows 1 '\x1b' ls --db $'\e[1m'
sed -i 's/dense: 1$/dens: 1/' "$dir/tiny.yaml"
shows 2 '\x1b[7m\xc2\x9b2J/tiny.yaml:' check "$dir/tiny.yaml"
exit $bad
