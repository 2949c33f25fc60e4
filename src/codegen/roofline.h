// What the machine can do at best, and what a value would take of it: the roofline of Williams,
// Waterman and Patterson 2009.
#ifndef CODEGEN_ROOFLINE_H
#define CODEGEN_ROOFLINE_H

#include "ir/value.h"

struct roofline {
    double flops, bytes; // a second: a large product of matrices; a copy, read and written
};
// Takes about half a second.
struct roofline roofline_measure(void);

struct work {
    double flops, bytes;
};
// Of convolutions and products of matrices, the direct algorithm's operations; of any op, its
// inputs and its output once. Nothing for what moves nothing.
struct work work_of(const struct value *v);
struct work work_of_graph(const struct graph *g);
// Seconds, were the machine busy with the dearer of the two all the time.
double work_floor(struct work w, const struct roofline *r);

#endif
