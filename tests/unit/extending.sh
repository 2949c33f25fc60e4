#!/bin/sh
# Whoever copies src/EXTENDING.md and layers/README.md gets what they say.
exec python3 tests/unit/extending.py "$1"
