#!/usr/bin/env bash
# Every wrong config through the program: exit code 2, and on each line that says `# error: TEXT` that text, with the line drawn
# and a caret under it; no escape bytes. Every config of ours is well formed. Data that is not there says where it was looked for.
set -u
ganexp=$(realpath "$1")
bad=0 n=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export OMP_WAIT_POLICY=passive

complain() { echo "$*"; sed 's/^/    /' "$dir/out"; bad=1; }
check() {  # exit code, arguments …
    local code=$1 got
    shift
    "$ganexp" "$@" >"$dir/out" 2>&1
    got=$?
    [[ $got == "$code" ]] || complain "ganexp $*: exit code $got, wanted $code"
    ! grep -q $'\033' "$dir/out" || complain "ganexp $*: escape bytes into a pipe"
}
says() { grep -qF -- "$1" "$dir/out" || complain "not said: $1"; }
block() {  # file, line: what is reported there
    awk -v head="$1:$2:" 'index($0, head) == 1 {inside = 1; print; next} /^[^ ]/ {inside = 0} inside' "$dir/out"
}

for f in tests/bad/*.yaml; do
    n=$((n + 1))
    check 2 check "$f"
    grep -aq '# error: ' "$f" || complain "$f: no line says what is wrong"
    while IFS= read -r mark; do
        line=${mark%%:*} text=${mark#*# error: }
        got=$(block "$f" "$line")
        grep -qF -- "$text" <<<"$got" || complain "$f:$line: wanted '$text'"
        grep -qE "^ *$line \| " <<<"$got" || complain "$f:$line: the line is not drawn"
        grep -qE '^ +\| .*\^' <<<"$got" || complain "$f:$line: no caret"
    done < <(grep -an '# error: ' "$f")
done
((n >= 60)) || { : >"$dir/out"; complain "only $n wrong configs"; }
for f in configs/*.yaml tests/configs/*.yaml; do
    check 0 check "$f"
done

# --- data that is not there, or is something else
cd "$dir" || exit 1
cp "$OLDPWD"/tests/configs/tiny.yaml tiny.yaml
mnist=('data.real={dataset: mnist, batch: 16}' 'networks.discriminator.inputs.image=[1, 28, 28]')
mnist+=('networks.generator.layers=[{dense: 784}, tanh, {reshape: [1, 28, 28]}]')
unset GANEXP_DATA
XDG_DATA_HOME=$dir/share check 2 check tiny.yaml "${mnist[@]}"
says "'data/mnist'" && says "$dir/share/ganexp/mnist" && says train-images-idx3-ubyte && says data.real.dataset=digits
GANEXP_DATA=$dir/elsewhere check 2 check tiny.yaml "${mnist[@]}"
says "$dir/elsewhere/mnist"
check 2 check tiny.yaml "${mnist[@]}" data.real.path=/nowhere/at/all
says /nowhere/at/all && says '^'
mkdir -p data/mnist/train-images-idx3-ubyte
: >data/mnist/train-labels-idx1-ubyte
check 2 check tiny.yaml "${mnist[@]}"
says train-images-idx3-ubyte && says "a folder where a file is expected"
rmdir data/mnist/train-images-idx3-ubyte
head -c 1000 /dev/zero >data/mnist/train-images-idx3-ubyte
check 2 check tiny.yaml "${mnist[@]}"
says train-images-idx3-ubyte
printf '\0\0\10\3\0\0\352\140\0\0\0\34\0\0\0\34short' >data/mnist/train-images-idx3-ubyte
check 2 run tiny.yaml "${mnist[@]}" --db "$dir/r.db"
says train-images-idx3-ubyte
[[ ! -e $dir/runs ]] || complain "a run began without its data"
check 2 check nothing.yaml
says nothing.yaml
mkdir folder.yaml
check 2 check folder.yaml
says folder.yaml && says "a folder where a file is expected"
printf 'a: \0b\n' >zero.yaml
check 2 check zero.yaml
says zero.yaml
check 2 check tiny.yaml networks.discriminator.load=no/such/file.safetensors
says no/such/file.safetensors && says '^'
check 2 check tiny.yaml networks.discriminator.load=zero.yaml
says zero.yaml && says "^"
check 2 check tiny.yaml 'evaluate.scores=[inception_scor]'
says "did you mean 'inception_score'?"
check 2 check tiny.yaml train.steps=
check 2 check tiny.yaml train.stepz=5
says "did you mean"
exit $bad
