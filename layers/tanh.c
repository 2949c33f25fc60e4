// y = tanh x: what a generator of images in [−1, 1] ends in
#include "nn/layer.h"

static struct value *tanh_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)ctx, (void)params;
    return tanh_value(x);
}

const struct layer layer_tanh = {
    .word = {.name = "tanh", .group = "activation", .help = "hyperbolic tangent"},
    .build = tanh_build,
};
