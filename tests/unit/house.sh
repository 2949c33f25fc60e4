#!/usr/bin/env bash
# The rules of the house that a machine can check: includes never go down the alphabet, each foreign header has one home,
# files stay short, the top level is the user's.
set -u
bad=0
complain() { echo "$*"; bad=1; }

for f in src/*/*.[ch]; do
    y=$(basename "$(dirname "$f")")
    for x in $(sed -nE 's,^#include "([a-z]+)/.*,\1,p' "$f" | sort -u); do
        [[ "$x" > "$y" ]] && complain "$f includes $x/…, which comes after $y"
    done
done
for f in layers/*.c; do
    grep -E '^#include "' "$f" | grep -vE '"(model/layer|model/layers|graph/build|config/param)\.h"' |
        sed "s,^,$f: a layer is made of constructors only: ,"
done | grep . && bad=1

home() {  # header, folders allowed
    grep -lE "^#include <$1" -r src layers --include='*.[ch]' | grep -vE "^src/($2)/" | sed "s,\$,: <$1> has its home in $2,"
}
{ home yaml.h config; home sqlite3.h store; home 'stb' base; home dnnl plan; } | grep . && bad=1

wc -l src/*.[ch] src/*/*.[ch] layers/*.c tests/*.c | awk '$2 != "total" && $1 > 600 {print $2 ": " $1 " lines, 600 are enough"; n++} END {exit n > 0}' || bad=1
ls -d -- */ *.* | sed 's,/$,,' | grep -vE '^(build.*|configs|data|experiments|layers|results|src|tests|meson.build|meson_options.txt|README.md|samples.png)$' |
    sed 's/$/: not among the names of the top level/' | grep . && bad=1
grep -rnwE 'TODO|FIXME|HACK' src layers configs tests --include='*.[ch]' --include='*.yaml' && bad=1
exit $bad
