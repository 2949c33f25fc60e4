// y = max(x, 0)
// Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
#include "nn/layer.h"

static struct value *relu_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)ctx, (void)params;
    return leaky_relu(x, 0);
}

const struct layer layer_relu = {
    .word = {.name = "relu", .group = "activation", .help = "max(x, 0)"},
    .build = relu_build,
};
