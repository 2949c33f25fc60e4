// The shape of a tensor: up to six dimensions, outermost first. A scalar has rank 0 and one
// element. In graphs the batch is dimension 0; images are (N, C, H, W).
#ifndef IR_SHAPE_H
#define IR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

struct text;

enum { RANK_MAX = 6 };
// A tensor of more elements is refused (graph_fits): sums and products of a few such sizes, in
// bytes, do not overflow.
#define ELEMENTS_MAX (INT64_C(1) << 40)

struct shape {
    int rank;
    int64_t dim[RANK_MAX];
};

#define SHAPE(...) \
    ((struct shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define SCALAR ((struct shape){0})

// The number of elements; SIZE_TOO_LARGE (base/size.h) where 64 bits do not hold it.
int64_t shape_size(struct shape s);
bool shape_equal(struct shape a, struct shape b);
void shape_text(struct shape s, struct text *out); // "(32, 1, 28, 28)"
// Element strides of the plain (row-major) layout.
void shape_strides(struct shape s, int64_t stride[RANK_MAX]);
// numpy's rule at equal rank: equal dimensions, or 1 on one side. False when they do not fit.
bool shape_broadcast(struct shape a, struct shape b, struct shape *out);

#endif
