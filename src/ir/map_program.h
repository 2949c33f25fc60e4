// A map program is what several pointwise ops, and perhaps a reduction after them, compute together
// in one pass over memory. It is made by opt/fuse.c, means something by itself (ir/ops/op_fused.c
// interprets it in float64) and is run by kernels/kernel_map.c.
#ifndef IR_MAP_PROGRAM_H
#define IR_MAP_PROGRAM_H

#include "ir/value.h"

enum { MAP_INPUTS = 8, MAP_LENGTH = 16, MAP_RESULTS = 4 };

// MAP_SUM_VAR: one operand is reduced to two results, its sum and that of the squares of what it
// deviates from its mean.
enum map_reduce { MAP_STORE, MAP_SUM, MAP_MAX, MAP_SUM_VAR };

// One pointwise op. Operands count the inputs first, then the instructions before this one.
struct map_inst {
    uint8_t code; // enum pointwise
    uint8_t a, b, c;
    float f0, f1; // attr.number of the op
};

struct map_program {
    int n_in, n;
    struct map_inst inst[MAP_LENGTH];
    enum map_reduce reduce; // of the results' values
    unsigned axes;          // reduced dimensions
    // the operands that are reduced; 0: one, the last instruction or, without any, the input
    int n_result;
    uint8_t result[MAP_RESULTS];
    struct shape space; // what the instructions run over: all inputs broadcast
};

int map_results(const struct map_program *p);
int map_result(const struct map_program *p, int i); // operand

// The value a program computes from its inputs; it lies in the graph's arena like the copy of the
// program it keeps. Several results lie behind each other along dimension 0.
struct value *fused(struct graph *g, const struct map_program *program, struct value *const *in);
const struct map_program *map_program_of(const struct value *v); // NULL when v is not fused

struct value *part_of(struct value *x, int i,
                      int of); // part i of x cut `of` times along dimension 0

#endif
