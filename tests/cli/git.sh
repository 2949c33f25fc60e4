#!/usr/bin/env bash
# A folder's .git/config names programs: a run in it records commit, branch and whether files have changed, and starts none of them.
# The traps are tried on git itself first, so that each is one. The environment of a hook of git's does not lead to another folder.
set -u
ganexp=$(realpath "$1")
bad=0
command -v git >/dev/null || { echo "skipped: no git"; exit 77; }
for v in $(env | sed -n 's/^\(GIT_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
config=$PWD/tests/configs/tiny.yaml
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export HOME=$dir OMP_WAIT_POLICY=passive GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
complain() { echo "$*"; bad=1; }
sprung() { [[ -e $dir/sprung ]]; }
trap_at() { printf '#!/bin/sh\necho "$0 $*" >>%s/sprung\ntimeout 1 cat\n' "$dir" >"$1" && chmod +x "$1"; }
repository() {  # a fresh folder with a commit, and a file that only looks changed
    rm -rf "$dir/folder" "$dir/sprung"
    git init -q -b trunk "$dir/folder" && cd "$dir/folder" || exit 1
    cp "$config" tiny.yaml
    echo same >file
    git add . && git commit -q -m one && touch -d 2001-01-01 file
    trap_at .git/trap
}
stored() { "$ganexp" query --db "$dir/r.db" --json "$1" | sed -n 's/^  {.*": //p' | sed 's/}.*//; s/"//g'; }
recorded() {  # what git is to have said, branch and dirty
    "$ganexp" run --threads 1 --db "$dir/r.db" tiny.yaml train.steps=2 evaluate=!unset samples=!unset train.lr_schedule=!unset 2>"$dir/log" || { complain "$name: the run failed"; cat "$dir/log"; }
    sprung && complain "$name: ran $(cat "$dir/sprung")"
    local got
    got=$(stored "SELECT git_commit || ' ' || git_branch || ' ' || git_dirty FROM env JOIN attempt ON env.id = attempt.env_id ORDER BY attempt.id DESC LIMIT 1")
    [[ $got == "$1" ]] || complain "$name: recorded '$got', wanted '$1'"
}
springs() { timeout 5 git status </dev/null >/dev/null 2>&1; sprung || complain "$name: the trap is none"; rm -f "$dir/sprung"; }

name='a file system monitor'
repository
git config core.fsmonitor "$PWD/.git/trap"
springs
recorded "$(git rev-parse HEAD) trunk 0"

name='a hook'
repository
mkdir hooks && cp .git/trap hooks/post-index-change && git config core.hooksPath "$PWD/hooks"
springs
touch -d 2002-01-01 file
recorded "$(git rev-parse HEAD) trunk 0"

for how in clean process; do
    name="a filter that is a $how"
    repository
    echo '* filter=odd.na=me' >.git/info/attributes
    git config "filter.odd.na=me.$how" "$PWD/.git/trap"
    git config 'filter.odd.na=me.required' true
    springs
    recorded "$(git rev-parse HEAD) trunk 0"
    echo other >file
    recorded "$(git rev-parse HEAD) trunk 1"
done

name='a filter in a file that is included'
repository
echo '* filter=x' >.gitattributes
git config -f .git/more filter.x.clean "$PWD/.git/trap"
git config include.path more
springs
recorded "$(git rev-parse HEAD) trunk 0"

name='a transport for a promised object'
repository
tree=$(git rev-parse 'HEAD^{tree}')
rm -f ".git/objects/${tree:0:2}/${tree:2}"
git config core.repositoryformatversion 1
git config extensions.partialClone far
git config remote.far.promisor true
git config remote.far.url "$dir/nowhere"
git config remote.far.uploadpack "$PWD/.git/trap"
mkdir -p "$dir/nowhere"
rm .git/index  # so that the tree is wanted
springs
"$ganexp" run --threads 1 --db "$dir/r.db" tiny.yaml train.steps=2 evaluate=!unset samples=!unset train.lr_schedule=!unset 2>"$dir/log" || { complain "$name: the run failed"; cat "$dir/log"; }
sprung && complain "$name: ran $(cat "$dir/sprung")"

name='a submodule'
repository
git init -q "$dir/folder/sub" && (cd sub && git commit -q --allow-empty -m one) && git -c protocol.file.allow=always submodule -q add ./sub sub >/dev/null 2>&1
git commit -q -m two
git -C sub config core.fsmonitor "$PWD/.git/trap"
springs
recorded "$(git rev-parse HEAD) trunk 0"

name='the environment of a hook'
repository
here=$(git rev-parse HEAD)
git init -q -b other "$dir/other" && git -C "$dir/other" commit -q --allow-empty -m other
export GIT_DIR=$dir/other/.git GIT_WORK_TREE=$dir/other GIT_INDEX_FILE=$dir/other/.git/index
recorded "$here trunk 0"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

name='a program named git in the folder'
repository
cp .git/trap git
PATH=.:$PATH recorded "$(git rev-parse HEAD) trunk 0"
exit $bad
