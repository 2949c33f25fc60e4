#!/usr/bin/env bash
# What the binary is built with, as readelf sees it: position-independent, nothing writable that is executed, no table of functions that is
# written after the start, guarded stacks, checked copies, marked targets of jumps.
set -u
ganexp=$1
bad=0
command -v readelf >/dev/null || { echo "skipped: no readelf"; exit 77; }
complain() { echo "$ganexp: $*"; bad=1; }
readelf -hW "$ganexp" | grep -q 'Type: *DYN' || complain "not position-independent"
readelf -lW "$ganexp" | grep -qE 'GNU_STACK.* RW +0x' || complain "the stack may be executed"
readelf -lW "$ganexp" | grep -qE ' LOAD .* RWE ' && complain "a part may be written and executed"
readelf -lW "$ganexp" | grep -q GNU_RELRO || complain "no RELRO"
readelf -dW "$ganexp" | grep -q 'BIND_NOW' || complain "symbols are bound while it runs, so RELRO is partial"
# A build with sanitizers or without optimization has its own checks, or none.
ldd "$ganexp" | grep -qE 'lib[au]b?san' && exit $bad
symbols=$(readelf --dyn-syms -W "$ganexp")
grep -q __stack_chk_fail <<<"$symbols" || complain "stacks are not guarded"
for f in memcpy snprintf vsnprintf fprintf; do
    grep -q "__${f}_chk" <<<"$symbols" || complain "$f is not checked"
done
if [[ $(uname -m) == x86_64 ]]; then
    # The first instruction of main: endbr64.
    at=$((16#$(readelf -sW "$ganexp" | awk '$8 == "main" {print $2; exit}')))
    read -r text_at text_file < <(readelf -SW "$ganexp" | sed -nE 's/.* \.text +PROGBITS +([0-9a-f]+) ([0-9a-f]+) .*/\1 \2/p')
    first=$(dd if="$ganexp" bs=1 skip=$((at - 16#$text_at + 16#$text_file)) count=4 2>/dev/null | od -An -tx1 | tr -d ' ')
    [[ $first == f30f1efa ]] || complain "targets of jumps are not marked (main begins with $first)"
fi
exit $bad
