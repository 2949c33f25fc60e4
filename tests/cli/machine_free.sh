#!/usr/bin/env bash
# Two ways to the losses of an iteration agree to 1e-4: compiled for this machine, and interpreted in float64 by the rooms that know no
# machine (tests/unit/test_machine_free.c), from the same draws and weights.
set -u
ganexp=$1
free=$(dirname "$ganexp")/tests/test_machine_free
[[ -x $free ]] || { echo "skipped: no test_machine_free (apt-get install libcmocka-dev)"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

mapfile -t overrides < <("$free" --overrides)
"$ganexp" trace configs/wgan_gp.yaml "${overrides[@]}" -n 1 -o "$dir/trace.safetensors" >/dev/null || exit 1
if ldd "$free" | grep -q dnnl; then
    echo "test_machine_free is linked with oneDNN"
    exit 1
fi
"$free" "$dir/trace.safetensors" || exit 1

# another config is another run: the comparison notices
"$ganexp" trace configs/wgan_gp.yaml "${overrides[@]}" games.0.penalty.gradient=9 -n 1 -o "$dir/other.safetensors" >/dev/null || exit 1
if "$free" "$dir/other.safetensors" >/dev/null 2>&1; then
    echo "losses of another config were taken for the same"
    exit 1
fi
exit 0
