#!/usr/bin/env bash
# `ganexp bench`: its figures add up, whatever they are, and a row of them goes to the database. The operations are counted by hand:
# millions of products a sample of generator and discriminator, forward, in weights, in inputs.
set -u
export OMP_WAIT_POLICY=passive
ganexp=$1
bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export GANEXP_CACHE=$dir/cache

"$ganexp" bench configs/gan.yaml -n 2 --threads 1 --no-tune --db "$dir/results.db" --json >"$dir/out" 2>"$dir/log" ||
    { echo "bench fails:"; cat "$dir/log"; bad=1; }
for word in '"what": "iteration"' '"of floor"' '"peak_gflops"' '"rss_bytes"'; do
    grep -q "$word" "$dir/out" || { echo "no $word in the JSON"; bad=1; }
done

# generator: 100·256 + 256·512 + 512·1024 + 1024·784, of which 100·256 need no gradient of their input; discriminator:
# 784·512 + 512·256 + 256·1. Fakes are drawn afresh for the generator, so that it is computed twice.
products=$(awk 'BEGIN {
    G = 100 * 256 + 256 * 512 + 512 * 1024 + 1024 * 784; D = 784 * 512 + 512 * 256 + 256
    critic = G + 2 * (2 * D + D - 784 * 512)
    generator = G + 2 * D + G + G - 100 * 256
    printf "%.6f", 2e-9 * 32 * (critic + generator) }')
right=$("$ganexp" query "SELECT count(*) AS n FROM bench WHERE name = 'gan' AND abs(gflop - $products) < 1e-6 AND precision = 'f32'
    AND threads = 1 AND iteration_ms > 0 AND abs(steps_per_second * iteration_ms - 1000) < 1e-6 AND floor_ms >= 1000 * gflop / peak_gflops * 0.999999
    AND bandwidth_gb > 0 AND activation_bytes > 0 AND rss_bytes > activation_bytes AND onednn LIKE 'oneDNN %'" \
    --json --db "$dir/results.db" | sed -n 's/.*"n": \([0-9]*\).*/\1/p')
[[ $right == 1 ]] || { echo "the row is not what it should be (GFLOP $products):"; "$ganexp" query "SELECT * FROM bench" --db "$dir/results.db"; bad=1; }

# A database that cannot be written is said, and the figures are there all the same.
echo no database >"$dir/other.db"
"$ganexp" bench configs/gan.yaml -n 1 --threads 1 --no-tune --db "$dir/other.db" >"$dir/out" 2>"$dir/log"
[[ $? == 1 ]] && grep -q 'not a database' "$dir/log" && grep -q '^iteration' "$dir/out" || { echo "other.db:"; cat "$dir/log"; bad=1; }
exit $bad
