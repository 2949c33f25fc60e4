// A vector becomes an image of itself: (F) to (F, H, W)
#include "nn/layer.h"

struct tile_params {
    struct ints size;
};

static const struct param params[] = {{"size", PARAM_INTS, offsetof(struct tile_params, size), NULL,
                                       1, 1 << 14, .help = "height and width, or [height, width]"},
                                      PARAM_END};

static struct value *tile_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct tile_params *p = own;
    if (x->shape.rank != 2)
        return ctx_fail(ctx, "tile wants (features)");
    if (p->size.n < 1 || p->size.n > 2)
        return ctx_fail(ctx, "tile wants a size or [height, width],");
    const int64_t N = x->shape.dim[0], F = x->shape.dim[1];
    const int64_t H = p->size.v[0], W = p->size.v[p->size.n - 1];
    return broadcast(reshape(x, SHAPE(N, F, 1, 1)), SHAPE(N, F, H, W));
}

const struct layer layer_tile = {
    .word = {.name = "tile",
             .group = "shape",
             .help = "repeats a vector over the pixels of an image",
             .params = params,
             .size = sizeof(struct tile_params)},
    .build = tile_build,
};
