// What winograd.c and winograd_family.c share. For opt/ alone.
#ifndef OPT_WINOGRAD_H
#define OPT_WINOGRAD_H

#include "ir/value.h"

// fine (N, C, H, W), w (K, C, k, k), coarse (N, K, h, w)
struct winograd {
    struct shape fine, weight, coarse;
    int64_t kernel, stride;
};
struct winograd winograd_of(const struct value *v);
// A convolution, in any direction, that Winograd's algorithm can compute.
bool winograd_fits(const struct value *v);
// The size n of its tiles for each value by id; 0: it stays as it is. Where it is computed in blocks
// instead of by planes, WINOGRAD_BLOCKED·down + across, which may differ.
enum { WINOGRAD_BLOCKED = 10 };
int *winograd_tiles(struct graph *g, struct arena *a);

#endif
