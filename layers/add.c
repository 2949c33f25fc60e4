// y = x + a + … element by element; a dimension of 1 is repeated
#include "nn/layer.h"

static struct value *add_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)params;
    return ctx_fold(ctx, "add", x, add);
}

const struct layer layer_add = {
    .word = {.name = "add",
             .group = "join",
             .help = "the sum of the layer above and of others, element by element",
             .params = join_params,
             .size = sizeof(struct join)},
    .build = add_build,
};
