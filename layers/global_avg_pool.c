// The mean of each channel: (C, H, W) to (C)
// Lin, Chen, Yan 2014, arXiv:1312.4400.
#include "nn/layer.h"

static struct value *global_avg_pool_build(struct layer_ctx *ctx, const void *params,
                                           struct value *x)
{
    (void)params;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "global_avg_pool wants (C, H, W)");
    return reshape(mean_axes(x, 1 << 2 | 1 << 3), SHAPE(x->shape.dim[0], x->shape.dim[1]));
}

const struct layer layer_global_avg_pool = {
    .word = {.name = "global_avg_pool", .group = "shape", .help = "the mean of each channel"},
    .build = global_avg_pool_build,
};
