// How tensors lie in memory: plain, as the shape reads; channels-last, for pictures; transposed, which
// is channels-last for a tensor of any shape; or as oneDNN wants its weights.
#ifndef IR_LAYOUT_H
#define IR_LAYOUT_H

#include "ir/shape.h"

#include <stddef.h>

struct arena;

enum layout {
    LAYOUT_PLAIN,         // row-major, as the shape reads
    LAYOUT_CHANNELS_LAST, // rank 4 only: (N, C, H, W) stored as N, H, W, C
    LAYOUT_TRANSPOSED,    // other ranks: a dimension of C·P elements stored as P·C
    LAYOUT_BLOCKED,       // convolution weights, as oneDNN chose
};

// A tensor's elements in row-major order, as nested loops: dimensions, perhaps cut in pieces,
// outermost first, and how far apart in memory their steps are.
enum { ORDER_RANK = 10 };
struct permutation {
    int rank;
    int64_t dim[ORDER_RANK], stride[ORDER_RANK];
    // Where blocks reach beyond the tensor: at the outermost piece of each dimension that
    // dimension's size, else 0. What lies beyond is no element.
    int64_t whole[ORDER_RANK];
};

// What is to be known about a transposed or a blocked layout; also the head of struct dnn_layout
// (codegen/onednn/dnn.h). Equal layouts are equal pointers.
struct blocked_layout {
    const char *name; // "transposed 128x49", "ABcd16b16a": oneDNN's word
    size_t bytes;     // blocked ones only
    bool plain;       // it happens to be the plain layout
    bool dense;       // it is float32 and a permutation of the elements: `order` says which
                      // one (rank 0: not known; also of bfloat16, or with room between them)
    bool any;         // of an op's operand: any dense layout will do
    struct permutation order; // dim[0] of a transposed one is 0: the tensor decides
};

// The layout in which (…, channels, pixels, inner) lies as (…, pixels, channels, inner), whatever
// the shape cuts that order into: reshape keeps it.
const struct blocked_layout *layout_transposed(int64_t channels, int64_t pixels, int64_t inner);
// The order of a dense layout for a tensor of n elements.
struct permutation permutation_of(const struct blocked_layout *l, int64_t n);
// Where in memory each element is, in row-major order.
void permutation_positions(const struct permutation *o, int64_t *at);

#endif
