// What minimal_filter.c and filter_family.c share. For pass/ alone.
#ifndef PASS_FILTER_H
#define PASS_FILTER_H

#include "graph/value.h"

// fine (N, C, H, W), w (K, C, k, k), coarse (N, K, h, w)
struct filter {
    struct shape fine, weight, coarse;
    int64_t kernel, stride;
};
struct filter filter_of(const struct value *v);
// A convolution, in any direction, that minimal filtering can compute.
bool filter_fits(const struct value *v);
// The size n of its tiles for each value by id; 0: it stays as it is. Where it is computed in blocks
// instead of by planes, FILTER_BLOCKED·down + across, which may differ.
enum { FILTER_BLOCKED = 10 };
int *filter_tiles(struct graph *g, struct arena *a);

#endif
