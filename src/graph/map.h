// A map program is what several pointwise ops, and perhaps a reduction after them, compute together
// in one pass over memory. It is made by pass/fuse.c, means something by itself (prim/op_fused.c
// interprets it in float64) and is run by prim/kernel_map.c.
#ifndef GRAPH_MAP_H
#define GRAPH_MAP_H

#include "graph/value.h"

enum { MAP_INPUTS = 8, MAP_LENGTH = 16 };

enum map_reduce { MAP_STORE, MAP_SUM, MAP_MAX };

// One pointwise op. Operands count the inputs first, then the instructions before this one.
struct map_inst {
    uint8_t code;                   // enum pointwise
    uint8_t a, b, c;
    float f0, f1;                   // attr.f of the op
};

struct map_program {
    int n_in, n;
    struct map_inst inst[MAP_LENGTH];
    enum map_reduce reduce;     // of the last instruction's (without any: of the input's) values
    unsigned axes;                  // reduced dimensions
    struct shape space;             // what the instructions run over: all inputs broadcast
};

// The value a program computes from its inputs; it lies in the graph's arena like the copy of the
// program it keeps.
struct value *fused(struct graph *g, const struct map_program *program, struct value *const *in);
const struct map_program *map_program_of(const struct value *v);  // NULL when v is not fused

#endif
