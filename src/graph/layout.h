// How tensors lie in memory: plain, as the shape reads; channels-last, for pictures; turned, which
// is channels-last for a tensor of any shape; or as oneDNN wants its weights.
#ifndef GRAPH_LAYOUT_H
#define GRAPH_LAYOUT_H

#include "graph/shape.h"

#include <stddef.h>

struct arena;

enum layout {
    LAYOUT_PLAIN,         // row-major, as the shape reads
    LAYOUT_CHANNELS_LAST, // rank 4 only: (N, C, H, W) stored as N, H, W, C
    LAYOUT_TURNED,        // other ranks: a dimension of C·P elements stored as P·C
    LAYOUT_OPAQUE,        // convolution weights, as oneDNN chose
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

// What is to be known about a turned or an opaque layout; also the head of struct dnn_layout
// (plan/dnn.h). Equal layouts are equal pointers.
struct opaque_layout {
    const char *name;   // "turned 128x49", "ABcd16b16a": oneDNN's word
    size_t bytes;       // opaque ones only
    bool plain;         // it happens to be the plain layout
    bool dense;         // it is float32 and a permutation of the elements: `order` says which
                        // one (rank 0: not known; also of bfloat16, or with room between them)
    bool any;           // of an op's operand: any dense layout will do
    struct permutation order; // dim[0] of a turned one is 0: the tensor decides
};

// The layout in which (…, channels, pixels, inner) lies as (…, pixels, channels, inner), whatever
// the shape cuts that order into: reshape keeps it.
const struct opaque_layout *layout_turned(int64_t channels, int64_t pixels, int64_t inner);
// The order of a dense layout for a tensor of n elements.
struct permutation permutation_of(const struct opaque_layout *l, int64_t n);
// Where in memory each element is, in row-major order.
void permutation_positions(const struct permutation *o, int64_t *at);

#endif
