// y = x · a · … element by element; a dimension of 1 is repeated
#include "nn/layer.h"

static struct value *multiply_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)params;
    return ctx_fold(ctx, "multiply", x, mul);
}

const struct layer layer_multiply = {
    .word = {.name = "multiply",
             .group = "join",
             .help = "the product of the layer above and of others, element by element",
             .params = join_params,
             .size = sizeof(struct join)},
    .build = multiply_build,
};
