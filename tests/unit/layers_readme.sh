#!/bin/sh
# layers/README.md shows layers/leaky_relu.c as it is.
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' layers/README.md | diff - layers/leaky_relu.c
