// Maxima of size × size blocks that do not overlap: (C, H, W) to (C, ⌊H / size⌋, ⌊W / size⌋); rows
// and columns left over are dropped. Made of maxima of slices, since reduce_max stops gradients.
#include "model/layer.h"

struct params {
    int64_t size;
};

static const struct param params[] = {
    {"size", PARAM_INT, offsetof(struct params, size), "2", 1, 64,
     .help = "height and width of a block"},
    PARAM_END};

static struct value *largest(struct value *x, int axis)
{
    struct value *y = slice(x, axis, 0, 1);
    for (int64_t i = 1; i < x->shape.dim[axis]; i++)
        y = maximum(y, slice(x, axis, i, 1));
    return y;
}

static struct value *build(struct site *site, const void *own, struct value *x)
{
    const struct params *p = own;
    const int64_t *X = x->shape.dim, k = p->size;
    if (x->shape.rank != 4)
        return site_fail(site, "max_pool wants (C, H, W)");
    if (X[2] < k || X[3] < k)
        return site_fail(site, "max_pool wants an image of its size (%d) at least", (int)k);
    const int64_t H = X[2] / k, W = X[3] / k;
    if (H * k < X[2])
        x = slice(x, 2, 0, H * k);
    if (W * k < X[3])
        x = slice(x, 3, 0, W * k);
    struct value *blocks = reshape(x, SHAPE(X[0], X[1], H, k, W, k));
    return reshape(largest(largest(blocks, 3), 5), SHAPE(X[0], X[1], H, W));
}

const struct layer layer_max_pool = {
    .name = "max_pool", .group = "shape", .help = "maxima of square blocks",
    .params = params, .size = sizeof(struct params), .build = build};
