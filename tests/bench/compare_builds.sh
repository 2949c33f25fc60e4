#!/usr/bin/env bash
# Do two builds train the same bits and make the same plans?
#
#   tests/bench/compare_builds.sh hash PROGRAM [CONFIG…]      a table: config, hash of the checkpoint, hash of the printed plan
#   tests/bench/compare_builds.sh BEFORE AFTER [CONFIG…]      both tables, and the lines that differ; exit 1 when a checkpoint does
#
# The checkpoint is that of 20 steps (of all steps, where the config has phases) with --no-tune -t 2, the plan what `explain --at plan` prints. CONFIG: all of configs/,
# tests/configs/ and experiments/ unless said. A plan may differ by a name alone: then the stage that renames says so.
set -euo pipefail
cd "$(dirname "$0")/../.."
export GANEXP_NO_TUNE=1

configs() {
    [ $# -gt 0 ] && { printf '%s\n' "$@"; return; }
    ls configs/*.yaml tests/configs/*.yaml experiments/*/base.yaml | grep -v configs/scorer.yaml
}

table() {  # program, configs
    local program=$1 room c dir steps
    shift
    room=$(mktemp -d)
    trap 'rm -rf "$room"' RETURN
    for c in $(configs "$@"); do
        rm -rf "$room/runs" "$room/results.db"
        steps=train.steps=20
        grep -q '^  phases:' "$c" && steps=
        "$program" run "$c" --no-tune -t 2 --db "$room/results.db" $steps 'evaluate.scores=[]' >"$room/log" 2>&1 ||
            { printf '%s FAILED FAILED\n' "$c"; tail -3 "$room/log" >&2; continue; }
        dir=$(ls -d "$room"/runs/*/checkpoints)
        # the tensors only: the header holds what names the program and the moment
        printf '%s %s %s\n' "$c" "$(tests/bench/tensors_hash.py "$(ls "$dir"/*.safetensors | tail -1)")" \
            "$("$program" explain "$c" --no-tune -t 2 --at plan 2>&1 | sha256sum | cut -c1-16)"
    done
}

if [ "${1:-}" = hash ]; then
    shift
    table "$@"
    exit
fi
[ $# -ge 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
before=$1 after=$2
shift 2
one=$(mktemp) two=$(mktemp)
trap 'rm -f "$one" "$two"' EXIT
if [ -f "$before" ] && ! [ -x "$before" ]; then cp "$before" "$one"; else table "$before" "$@" >"$one"; fi
table "$after" "$@" >"$two"
diff "$one" "$two" && echo "all $(wc -l <"$two") equal"
# a checkpoint that differs is an error, a plan alone is not
diff <(cut -d' ' -f1,2 "$one") <(cut -d' ' -f1,2 "$two") >/dev/null
