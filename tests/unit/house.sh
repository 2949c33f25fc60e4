#!/usr/bin/env bash
# The rules of the house that a machine can check: a room includes and calls only what stands before it in meson.build's list, each
# foreign header has one home, a name has one meaning, files stay short, the top level is the user's. Both checks of the order are
# tried on a planted mistake first.
set -u
build=$(dirname "$1")
bad=0
complain() { echo "$*"; bad=1; }

# --- the order of rooms, from its one place --------------------------------------------------------
order=($(awk '/^room_order = / {on = 1} on {last = /\]/; gsub(/room_order|[^a-z ]/, " "); print; if (last) exit}' meson.build))
[ ${#order[@]} -gt 10 ] || complain "meson.build has no list of rooms"
declare -A at
for i in "${!order[@]}"; do at[${order[i]}]=$i; done
room_of() {  # path of a source
    case $1 in layers/*) echo layers ;; *) local r=${1#src/}; echo "${r%%/*}" ;; esac
}

includes_rise() {  # room, file: an include of a later room
    local mine=${at[$1]} x
    for x in $(sed -nE 's,^#include "([a-z]+)/.*,\1,p' "$2" | sort -u); do
        [ -n "${at[$x]:-}" ] && [ "${at[$x]}" -gt "$mine" ] && echo "$2 includes $x/…, which stands after $1"
    done
}

# Symbols of all rooms, a line each: room, U or D, name. What a registry lists is found by its table and not called.
listed=$(sed -nE 's/^extern const struct [a-z_]+ ([a-z0-9_]+);/\1/p' "$build"/registry_*.h | sort -u)
symbols() {  # room, objects
    local room=$1
    shift
    nm -P "$@" 2>/dev/null | awk -v room="$room" '$2 == "U" {print room, "U", $1} $2 ~ /^[TDBRVW]$/ {print room, "D", $1}'
}
calls_rise() {  # reads symbols: a call of a later room
    awk -v order="${order[*]}" -v listed="$listed" '
        BEGIN {n = split(order, o, " "); for (i = 1; i <= n; i++) at[o[i]] = i; m = split(listed, l, "\n"); for (i = 1; i <= m; i++) skip[l[i]]}
        $2 == "D" {if (!($3 in home) || at[home[$3]] > at[$1]) home[$3] = $1}
        $2 == "U" {used[$1 " " $3]}
        END {for (u in used) {split(u, p, " "); if (p[2] in home && !(p[2] in skip) && at[home[p[2]]] > at[p[1]]) print p[1] " calls " p[2] ", which stands after it in " home[p[2]]}}' | sort
}
objects() {  # of a library; its folder may still hold those of sources that are gone
    for a in "$@"; do [ ! -e "$a" ] || ar t "$a"; done
}
all_symbols() {
    local r
    for r in "${order[@]}"; do symbols "$r" $(objects "$build/lib$r.a"); done
    symbols kernels $(objects "$build"/libkernel_*.a)
}

[ -e "$build/libcodegen.a" ] || { echo "$build/libcodegen.a is not there: ninja -C $build builds all that is looked at"; exit 1; }
# Planted: an include that rises, a call that rises.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '#include "codegen/plan.h"\n' >"$dir/planted.c"
[ "$(includes_rise ir "$dir/planted.c" | wc -l)" = 1 ] || complain "a planted include of a later room was not found"
printf 'void plan_run(void *, long);\nvoid planted(void) { plan_run(0, 0); }\n' | ${CC:-cc} -c -x c - -o "$dir/planted.o" || complain "no compiler"
all_symbols >"$dir/symbols"
[ "$(cat "$dir/symbols" <(symbols ir "$dir/planted.o") | calls_rise | grep -c 'ir calls plan_run')" = 1 ] ||
    complain "a planted call of a later room was not found"

for f in src/*/*.[ch] src/*/*/*.[ch] layers/*.[ch]; do includes_rise "$(room_of "$f")" "$f"; done | grep . && bad=1
calls_rise <"$dir/symbols" | grep . && bad=1

for f in layers/*.c; do
    grep -E '^#include "' "$f" | grep -vE '"(nn/layer|ir/build|config/param)\.h"' |
        sed "s,^,$f: a layer is made of constructors only: ,"
done | grep . && bad=1

# --- homes of foreign headers ----------------------------------------------------------------------
home() {  # header, folders allowed
    grep -rlE "^#include <$1" src layers --include='*.[ch]' | grep -vE "^src/($2)/" | sed "s,\$,: <$1> has its home in $2,"
}
{ home yaml.h config; home sqlite3.h store; home 'stb' base; home dnnl codegen/onednn; } | grep . && bad=1

# --- one name, one meaning -------------------------------------------------------------------------
# A kernel is built once for each instruction set, a seam once for each major of oneDNN, and a program of its own has one main.
# Names that begin with _sub_ are a sanitizer's. A build without inlining, such as CI's with ASan, has all static functions.
grep -rhoE '^(struct|enum|union) [a-z_0-9]+ \{' src layers --include='*.[ch]' | sort | uniq -d | sed 's/ {$/ is defined twice/' | grep . && bad=1
ls src/*/*.c src/*/*/*.c layers/*.c | sed 's,.*/,,' | sort | uniq -d | grep -vxf <(ls layers) | sed 's/$/ names two files/' | grep . && bad=1
nm -P $(objects "$build"/lib*.a | sort -u | grep -vE 'kernel_.*_avx|/libganexp|/libstb') | awk '$2 ~ /^[Tt]$/ && $1 !~ /\.|^_sub_/ {print $1}' | grep -vE '_(portable|avx2|avx512|avx512_bf16)$' | sort | uniq -d | sed 's/$/ names two functions/' | grep . && bad=1

# A pid is the same in two containers: it is recorded, and asked whether a parent lives, and stands in no name.
grep -rn 'getpid' src layers --include='*.c' | grep -vE '^src/(store/describe|study/workers)\.c:' | sed 's/$/: see base\/file.h for names/' | grep . && bad=1

# --- sizes, and words of unfinished work -----------------------------------------------------------
wc -l src/*/*.[ch] src/*/*/*.[ch] layers/*.c tests/*/*.[ch] | awk '$2 != "total" && $1 > 600 {print $2 ": " $1 " lines, 600 are enough"; n++} END {exit n > 0}' || bad=1
git ls-files 2>/dev/null | cut -d/ -f1 | sort -u | grep -vxE '\..*|configs|experiments|layers|results|src|tests|meson.build|meson_options.txt|README.md|LICENSE' |
    sed 's/$/: not among the names of the top level/' | grep . && bad=1
grep -rnwE 'TODO|FIXME|HACK' src layers configs tests --include='*.[ch]' --include='*.yaml' && bad=1
exit $bad
