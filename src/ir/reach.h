// What a value is computed from, found from the value: the cost is that of what is found, not of the graph. An iteration of a
// thousand updates asks so a thousand times.
#ifndef IR_REACH_H
#define IR_REACH_H

#include "ir/value.h"

struct reach {
    struct arena *arena;
    struct graph *graph;
    struct value **value; // in the graph's order; the last is the one asked about
    int n;
};

// y and what is behind it, not looking behind ops with a flag of `end`. One at a time in a graph, until reach_close.
struct reach reach_open(struct value *y, unsigned end);
int reach_position(const struct reach *r,
                   const struct value *v); // in value[]; -1 when it is not there
void reach_close(struct reach *r);

#endif
