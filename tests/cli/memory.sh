#!/usr/bin/env bash
# Little memory: a plan that does not fit is refused at the layer that takes the most, before anything is allocated or recorded; what fails
# all the same ends with a line and exit code 7, never by a signal.
set -u
ganexp=$(realpath "$1")
ldd "$ganexp" | grep -q asan && exit 0  # it reserves terabytes of addresses
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db GANEXP_NO_TUNE=1
config=tests/configs/tiny.yaml

refused() {  # kB of address space, text, arguments …
    local limit=$1 text=$2 got
    shift 2
    (ulimit -v "$limit"; exec "$ganexp" "$@") >"$dir/out" 2>&1
    got=$?
    [[ $got == 2 ]] && grep -qE -- "$text" "$dir/out" && return
    echo "ganexp $* in $limit kB: exit code $got, wanted 2 and '$text'"
    sed 's/^/    /' "$dir/out"
    bad=1
}

wide='networks.generator.layers=[{dense: 16777216}, {dense: 64}, tanh, {reshape: [1, 8, 8]}]'
large='networks.generator.layers=[{dense: 64}, {reshape: [1, 8, 8]}, {upsample: 64}, {upsample: 16}, {avg_pool: 64}, {avg_pool: 16}, tanh]'
for command in check run explain; do
    refused 4000000 'command line:1:[0-9]+: error: this needs [0-9.]+ GB of memory in all, and [0-9.]+ GB are left by `ulimit -v`' $command "$wide" $config
    refused 4000000 'the most of it, [0-9.]+ GB, is for weights here' $command "$wide" $config
    refused 4000000 'the most of it, [0-9.]+ GB, is for one tensor here' $command "$large" $config
    grep -qE '^ +\| +\^' "$dir/out" || { echo "no caret under the layer"; bad=1; }
done
for command in check run; do
    refused 4000000 'this needs [0-9.]+ GB of memory in all' $command 'samples.grid=[1024, 1024]' 'networks.generator.layers.3={dense: 1024}' \
        'networks.generator.layers.5={reshape: [1, 32, 32]}' data.real.size=32 'networks.discriminator.inputs.image=[1, 32, 32]' $config
    refused 4000000 'this needs [0-9.]+ GB of memory in all' $command evaluate.batch=65536 'networks.generator.layers.0={dense: 16384}' $config
done
refused 800000 "10000000 samples for 'inception_score' need 0.8 GB of memory, and" check $config 'evaluate={scores: [inception_score], samples: 10M}'
[[ ! -e $GANEXP_DB ]] || { echo "what was refused was recorded"; bad=1; }

"$ganexp" run $config train.steps=2 train.lr_schedule=!unset evaluate=!unset --threads 1 >"$dir/out" 2>&1 || { cat "$dir/out"; bad=1; }
(ulimit -v 120000; exec "$ganexp" ls) >"$dir/out" 2>&1 && grep -q tiny "$dir/out" || { echo "ls in 120 MB"; cat "$dir/out"; bad=1; }

ends=
for limit in $(seq 70000 15000 400000); do
    (ulimit -v "$limit"; exec "$ganexp" run $config --threads 1 train.steps=2 train.lr_schedule=!unset evaluate=!unset) >"$dir/out" 2>&1
    got=$?
    ends+=" $got"
    case $got in
    0 | 1 | 2 | 127) continue ;;  # 127: the libraries themselves could not be loaded
    7) grep -q '^ganexp: out of memory: ' "$dir/out" && continue ;;
    esac
    echo "run in $limit kB: exit code $got"
    sed 's/^/    /' "$dir/out"
    bad=1
done
[[ $ends == *' 7 '* && $ends == *' 2 '* && $ends == *' 0' ]] || { echo "not every end was seen:$ends"; bad=1; }
# --- what a run takes is found without writing out its repetitions: all of them took 40 s of a core, so 10 are not to be reached
(ulimit -t 10; "$ganexp" check tests/configs/tiny.yaml train.iteration.0.repeat=1000 >/dev/null) || { echo "check of 1000 repetitions takes too long"; bad=1; }

exit $bad
