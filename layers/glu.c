// y = a·σ(b), a and b the halves of the channels: (2C, …) to (C, …)
// Dauphin, Fan, Auli, Grangier 2017, arXiv:1612.08083.
#include "nn/layer.h"

enum { CHANNELS = 1 };

static struct value *glu_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)params;
    if (x->shape.rank < 2 || x->shape.dim[CHANNELS] % 2)
        return ctx_fail(ctx, "glu wants an even number of channels,");
    const int64_t half = x->shape.dim[CHANNELS] / 2;
    ASSERT(half > 0);
    return mul(slice(x, CHANNELS, 0, half), sigmoid(slice(x, CHANNELS, half, half)));
}

const struct layer layer_glu = {
    .word = {.name = "glu",
             .group = "activation",
             .help = "one half of the channels, gated by the sigmoid of the other"},
    .build = glu_build,
};
