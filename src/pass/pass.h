// Passes: graph to graph. Each returns whether it changed anything.
#ifndef PASS_PASS_H
#define PASS_PASS_H

#include "graph/value.h"

// The last two, in this order; each runs once.
// Chooses where values lie channels-last or in oneDNN's own layouts, and appends the reorders between. Roots stay plain.
bool pass_layout(struct graph *g);
// Chooses which values share memory, and offsets in the activation slab.
bool pass_memory(struct graph *g);

// What pass_memory does, for tests and printing: the slab's size in bytes.
size_t memory_plan(struct graph *g);

#endif
