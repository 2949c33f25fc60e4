#!/usr/bin/env bash
# What `meson install` puts into a folder is whole: the program runs from there, finds its configs by path, its man page renders, and
# its completion completes.
set -u
ganexp=$1
build=$(dirname "$ganexp")
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
complain() { echo "$*"; bad=1; }

command -v meson >/dev/null || { echo "skipped: no meson"; exit 77; }
DESTDIR=$dir/root meson install -C "$build" --no-rebuild >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
program=$(find "$dir/root" -path '*/bin/ganexp' -type f)
prefix=${program%/bin/ganexp}
[[ -x $program ]] || complain "no program under $dir/root"
[[ -n $(find "$dir/root" -name '*.a' -o -name '*.h') ]] && complain "libraries or headers were installed"

cd "$dir" || exit 1
installed=$prefix/share/ganexp/configs
"$program" --version | grep -q '^ganexp [0-9]' || complain "the installed program does not run"
"$program" check "$installed/cgan_conv.yaml" | grep -q 'well formed' || complain "a config is not whole where it was installed"
cmp -s "$prefix/share/doc/ganexp/LICENSE" "$OLDPWD/LICENSE" || complain "no licence was installed"

# --- the man page ----------------------------------------------------------------------------------
page=$prefix/share/man/man1/ganexp.1
head -1 "$page" | grep -q '^\.TH GANEXP 1' || complain "ganexp.1 begins with no .TH"
for c in $("$program" complete -- '' | grep -v '^-'); do
    grep -qxF ".SS ganexp $c" "$page" || complain "ganexp.1 says nothing of \`ganexp $c\`"
done
if command -v groff >/dev/null; then
    groff -man -Tutf8 -Kutf8 -ww "$page" >"$dir/page" 2>"$dir/warnings"
    [[ -s $dir/warnings ]] && { complain "groff warns of ganexp.1:"; head -5 "$dir/warnings"; }
    sed 's/.\x08//g; s/\x1b\[[0-9;]*m//g' "$dir/page" | grep -q 'resume @last train.steps=20000 --change' ||
        complain "ganexp.1 does not render an example of resume"
fi

# --- completion ------------------------------------------------------------------------------------
candidates() {  # what bash offers at the end of a line
    PATH=$(dirname "$program"):$PATH bash --norc -c '
        source "$1"
        COMP_LINE=$2 COMP_POINT=${#2} COMPREPLY=()
        compopt() { :; }
        _ganexp ganexp
        printf "%s\n" "${COMPREPLY[@]}"' _ "$prefix/share/bash-completion/completions/ganexp" "$1" 2>&1
}
offers() {  # line, all that it is completed to
    local got
    got=$(candidates "$1" | tr '\n' ' ')
    [[ $got == "$2 " ]] || complain "'$1' is completed to: $got, not: $2"
}
contains() { candidates "$1" | grep -qxF -- "$2" || complain "'$1' is not completed to '$2', but to: $(candidates "$1" | head -3 | tr '\n' ' ')"; }

offers 'ganexp ru' run
offers 'ganexp run train.st' train.steps=
offers "ganexp run $installed/gan.yaml train.st" train.steps=
offers "ganexp run $installed/gan.yaml train.optimizer.adam.beta1" train.optimizer.adam.beta1=
offers "ganexp run $installed/gan.yaml precision=b" bf16
offers 'ganexp run precision=b' bf16
offers 'ganexp run train.checkpoint.e' train.checkpoint.every=
offers 'ganexp ls --dat' --dataset
offers 'ganexp explain --at fuse_m' fuse_mean_var
contains 'ganexp run --replay @l' ''
contains 'ganexp ' study
contains "ganexp check $installed/acgan.yaml games.0." games.0.loss=
"$program" run "$installed/gan.yaml" train.steps=1 evaluate.scores=[] --no-tune --db "$dir/runs.db" >/dev/null 2>&1 || complain "no run was made"
id=$("$program" ls --db "$dir/runs.db" --json | sed -n 's/.*"run": "\([^"]*\)".*/\1/p')
[[ -n $id ]] || complain "ls lists no run"
offers "ganexp show --db $dir/runs.db ${id:0:3}" "$id"
GANEXP_DB=$dir/runs.db offers 'ganexp resume @' @last
GANEXP_DB=$dir/runs.db offers "ganexp run --replay ${id:0:3}" "$id"

zsh=$prefix/share/zsh/site-functions/_ganexp
[[ $(head -1 "$zsh") == '#compdef ganexp' ]] || complain "_ganexp is no completion of zsh's"
if command -v zsh >/dev/null; then zsh -n "$zsh" || complain "zsh cannot read _ganexp"; fi
exit $bad
