// The inner product with another value of the same shape, a number a sample: (…), (…) to (1)
// With an embedding of the label it is a projection discriminator's second half:
// Miyato, Koyama 2018, arXiv:1802.05637.
#include "nn/layer.h"

static struct value *dot_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    (void)own;
    if (ctx->n_other != 1)
        return ctx_fail(ctx, "dot wants one name,");
    if (x->shape.rank < 2 || !shape_equal(x->shape, ctx->other[0]->shape))
        return ctx_fail(ctx, "dot wants equal shapes: %s,", ctx_other(ctx, 0));
    const struct shape rows = SHAPE(x->shape.dim[0], shape_size(x->shape) / x->shape.dim[0]);
    return reduce_sum(mul(reshape(x, rows), reshape(ctx->other[0], rows)), 1u << 1);
}

const struct layer layer_dot = {
    .word = {.name = "dot",
             .group = "join",
             .help = "the inner product of the layer above and another: one number",
             .params = join_params,
             .size = sizeof(struct join)},
    .build = dot_build,
};
