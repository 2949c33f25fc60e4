#!/usr/bin/env bash
# Every word and every key of the language has its help, and configs/README.md holds what `ganexp help --markdown` writes. The tables
# there are rewritten by: tests/cli/help.sh build/ganexp --write
set -u
ganexp=$1
manual=configs/README.md
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
complain() { echo "$*"; bad=1; }

"$ganexp" help --markdown >"$dir/words" || complain "help --markdown: exit code $?"
if [[ ${2:-} == --write ]]; then
    sed -i -e '/^<!-- words: begin -->$/,/^<!-- words: end -->$/{//!d}' -e "/^<!-- words: begin -->\$/r $dir/words" "$manual"
fi
sed -e '1,/^<!-- words: begin -->$/d' -e '/^<!-- words: end -->$/,$d' "$manual" >"$dir/manual"
diff "$dir/manual" "$dir/words" >"$dir/diff" || { complain "$manual differs (tests/cli/help.sh build/ganexp --write):"; head -20 "$dir/diff"; }

mapfile -t words < <(sed -nE 's/^\| `([a-z_0-9]+)[`(].*/\1/p' "$dir/words" | sort -u)
mapfile -t keys < <(grep -oE '`[a-z_0-9]+` \(' "$dir/words" | tr -d '` (' | sort -u)
((${#words[@]} > 90)) || complain "only ${#words[@]} words"
((${#keys[@]} > 80)) || complain "only ${#keys[@]} keys"
for w in "${words[@]}"; do
    "$ganexp" help "$w" 2>&1 | grep -qE "^$w \((layer|loss|penalty|augmentation|term|data set|score|section|noise|function|initialisation|optimizer|schedule|warning)" ||
        complain "help $w explains no word"
done
for k in "${keys[@]}"; do
    "$ganexp" help "$k" 2>&1 | grep -q "^$k (key)" || complain "help $k explains no key"
done

# what a key's help says: where it stands, what it takes
says() {  # word, text
    "$ganexp" help "$1" 2>&1 | grep -qF -- "$2" || complain "help $1 does not say '$2'"
}
for w in load frozen like use outputs smooth clip pool split sampling per_class lr; do
    says "$w" "$w (key)"
done
says precision 'f32 | bf16'
says kl 'log_var  expression, required'
says cycle 'back  expression, required'
says mnist 'per_class'
says lr 'of optimizer sgd'
says optimizer 'rmsprop  '
says networks 'a safetensors file'
says use 'of layers'
"$ganexp" help simultaneous | grep -q '^repeat' && complain "help simultaneous lists a key that is refused"
says frozzen 'did you mean frozen'
exit $bad
