#!/usr/bin/env bash
# Every C file is as clang-format writes it, by the .clang-format of the repository. Versions differ in what they write; Debian 12's is 14.
set -u
command -v clang-format >/dev/null || { echo "skipped: no clang-format (apt-get install clang-format)"; exit 77; }
clang-format --version | grep -q 'version 14\.' || { echo "skipped: this is $(clang-format --version), not 14"; exit 77; }
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

differs() {  # files: those that clang-format would change
    clang-format --dry-run -Werror "$@" 2>&1 | sed -nE 's/^([^:]+):.*-Wclang-format-violations.*/\1: run clang-format -i on it/p' | sort -u
}

cp .clang-format "$dir"
printf 'int  planted ( void ) { return 0;}\n' >"$dir/planted.c"
[ "$(differs "$dir/planted.c" | wc -l)" = 1 ] || { echo "a planted difference was not found"; bad=1; }

differs src/*/*.[ch] src/*/*/*.[ch] layers/*.c tests/*/*.[ch] | grep . && bad=1
exit $bad
