#!/usr/bin/env bash
# A scorer is of a recipe and of data: one trained by other threads gives the same evaluator, numbers within its noise, and says where it
# is from. One whose file was changed is refused and trained again.
set -u
ganexp=$(realpath "$1")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive GANEXP_DB=$dir/r.db

complain() { echo "$*"; sed 's/^/    /' "$dir/out"; bad=1; }
ganexp() { "$ganexp" "$@" >"$dir/out" 2>&1 || complain "ganexp $*: exit code $?"; }
value() { "$ganexp" query --json "SELECT $1 AS v" | sed -n 's/.*"v": "\{0,1\}\([^"}]*\).*/\1/p'; }
is() {  # SQL, wanted
    local got
    got=$(value "$1")
    [[ $got == "$2" ]] || complain "$1 is '$got', wanted '$2'"
}
near() {  # a, b, share
    awk -v a="$1" -v b="$2" -v s="$3" 'BEGIN {d = a - b; if (d < 0) d = -d; exit !(d <= s * a)}'
}
field() { sed -n "s/.*\"$1\": \"\{0,1\}\([^\",}]*\).*/\1/p" "$dir/out" | head -1; }

export GANEXP_CACHE=$dir/one
ganexp run tests/configs/tiny.yaml --threads 1 train.steps=40 train.lr_schedule=!unset evaluate.samples=2000 evaluate.splits=10
is "(SELECT count(*) FROM event WHERE code='scorer' AND text LIKE 'scorer %, __.__ \% of the test split right, trained with 1 thread, %' ESCAPE '\\')" 1
is "(SELECT count(*) FROM evaluator)" 1
ganexp eval @last --threads 1 --json
first=$(field value) real=$(field real) fingerprint=$(field fingerprint) hash=$(field sha256)

# --- by two threads: other weights, the same evaluator, no other row in the leaderboard
GANEXP_CACHE=$dir/two ganexp eval @last --threads 2 --json
[[ $(field fingerprint) == "$fingerprint" ]] || complain "the evaluator depends on the threads that trained its scorer"
[[ $(field sha256) != "$hash" ]] || complain "two trainings gave the same bits: this tests nothing"
[[ $(field origin) == '2 threads' ]] || complain "the scorer does not say where it is from: $(field origin)"
near "$first" "$(field value)" 0.05 && near "$real" "$(field real)" 0.005 || complain "beyond the noise of a scorer: $first $real"
is "(SELECT count(*) FROM evaluator)" 1
ganexp leaderboard inception_score
[[ $(grep -c ' inception_score of digits' "$dir/out") == 1 ]] || complain "another row for another scorer"

# --- changed: told, set aside, trained again to the same
file=$(echo "$GANEXP_CACHE"/scorer-*.safetensors)
head -c -4000 "$file" >"$dir/changed" && head -c 4000 /dev/zero >>"$dir/changed" && cp "$dir/changed" "$file"
ganexp eval @last --threads 1 --json
grep -q 'is not the scorer that was trained: its content has changed' "$dir/out" || complain "a changed scorer is believed"
[[ -e $file.changed && -e $file ]] || complain "the changed scorer was not set aside, or not trained again"
[[ $(field value) == "$first" && $(field sha256) == "$hash" ]] || complain "trained again, it is another"
ganexp eval @last --threads 1 --json
[[ $(field sha256) == "$hash" ]] && ! grep -q training "$dir/out" || complain "it was not kept"

# --- of another name, or none: not read
mv "$file" "${file%-*}.safetensors"
ganexp eval @last --threads 1
grep -q 'scorer trained' "$dir/out" || complain "a scorer without its hash is believed"
exit $bad
