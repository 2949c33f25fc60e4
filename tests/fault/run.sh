#!/usr/bin/env bash
# tests/fault/run.sh [--full] [--only TEXT] [build/ganexp [build/tests/fault.so]]: the program on a system that fails (faults.py says what must hold).
# By itself a sample of all faults, in under two minutes on two cores; --full: the n-th call of every kind, for n = 1 … all;
# --only: those whose name has a text.
set -eu
options=()
while :; do
    case ${1:-} in
    --full) options+=("$1"); shift ;;
    --only) options+=("$1" "$2"); shift 2 ;;
    *) break ;;
    esac
done
ganexp=$(realpath "${1:-build/ganexp}")
shim=$(realpath "${2:-$(dirname "$ganexp")/tests/fault.so}")
# A sanitizer's allocator is none that another library stands before.
! ldd "$ganexp" | grep -qE 'lib[atu]?(asan|tsan|ubsan)' || { echo "skipped: the program is built with sanitizers"; exit 77; }
exec python3 "$(dirname "$0")/faults.py" "${options[@]}" "$ganexp" "$shim"
