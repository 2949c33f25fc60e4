#!/usr/bin/env bash
# Every layer, loss, penalty, term, schedule and initialisation means to PyTorch what it means here: tests/parity/words.py.
set -u
export OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1
for p in python3 /usr/bin/python3; do
    "$p" -c 'import torch, yaml' 2>/dev/null && exec "$p" "$(dirname "$0")/words.py" "$1"
done
echo "skipped: no python3 with torch and yaml (apt-get install python3-torch python3-yaml)"
exit 77
