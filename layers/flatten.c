// (C, H, W) to (C·H·W)
#include "nn/layer.h"

static struct value *flatten_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)params;
    if (x->shape.rank < 2)
        return ctx_fail(ctx, "flatten wants more than a label");
    const int64_t batch = x->shape.dim[0];
    return reshape(x, SHAPE(batch, shape_size(x->shape) / batch));
}

const struct layer layer_flatten = {
    .word = {.name = "flatten", .group = "shape", .help = "(C, H, W) to (C·H·W)"},
    .build = flatten_build,
};
