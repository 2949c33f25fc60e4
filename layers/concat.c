// The channels of several values, one after the other: (C₁, H, W), (C₂, H, W) to (C₁ + C₂, H, W)
#include "nn/layer.h"

enum { CHANNELS = 1, JOIN_MAX = 64 };

static bool concat_fits(struct shape a, struct shape b)
{
    if (a.rank != b.rank || a.rank < 2)
        return false;
    b.dim[CHANNELS] = a.dim[CHANNELS];
    return shape_equal(a, b);
}

static struct value *concat_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    struct value *all[JOIN_MAX + 1] = {x};
    ASSERT(ctx->n_other > 0);
    (void)own;
    if (ctx->n_other > JOIN_MAX)
        return ctx_fail(ctx, "concat wants at most %d names,", JOIN_MAX);
    for (int i = 0; i < ctx->n_other; i++) {
        all[i + 1] = ctx->other[i];
        if (!concat_fits(x->shape, ctx->other[i]->shape))
            return ctx_fail(ctx, "concat wants shapes that differ in channels only: %s,",
                            ctx_other(ctx, i));
    }
    return concat(all, ctx->n_other + 1, CHANNELS);
}

const struct layer layer_concat = {
    .word = {.name = "concat",
             .group = "join",
             .help = "the channels of the layer above and of others, one after the other",
             .params = join_params,
             .size = sizeof(struct join)},
    .build = concat_build,
};
