// Means of size × size blocks that do not overlap: (C, H, W) to (C, ⌊H / size⌋, ⌊W / size⌋); rows
// and columns left over are dropped
#include "model/layer.h"

struct params {
    int64_t size;
};

static const struct param params[] = {
    {"size", PARAM_INT, offsetof(struct params, size), "2", 1, 1 << 10,
     .help = "height and width of a block"},
    PARAM_END};

// x without what does not fill a block along one axis
static struct value *whole_blocks(struct value *x, int axis, int64_t size)
{
    const int64_t n = x->shape.dim[axis];
    return n % size ? slice(x, axis, 0, n - n % size) : x;
}

static struct value *build(struct site *site, const void *own, struct value *x)
{
    const struct params *p = own;
    if (x->shape.rank != 4)
        return site_fail(site, "avg_pool wants (C, H, W)");
    if (x->shape.dim[2] < p->size || x->shape.dim[3] < p->size)
        return site_fail(site, "avg_pool wants an image of its size (%d) at least", (int)p->size);
    x = whole_blocks(whole_blocks(x, 2, p->size), 3, p->size);
    return affine(pool_sum(x, p->size), 1.0 / (double)(p->size * p->size), 0);
}

const struct layer layer_avg_pool = {
    .name = "avg_pool", .group = "shape", .help = "means of square blocks",
    .params = params, .size = sizeof(struct params), .build = build};
