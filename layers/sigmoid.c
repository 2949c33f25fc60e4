// y = 1 / (1 + e^−x). Not before a loss: losses take logits, which are exact where a sigmoid is 0
// or 1 in float32.
#include "nn/layer.h"

static struct value *sigmoid_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)ctx, (void)params;
    return sigmoid(x);
}

const struct layer layer_sigmoid = {
    .word = {.name = "sigmoid",
             .group = "activation",
             .help = "1 / (1 + e^−x); not before a loss, which takes logits"},
    .build = sigmoid_build,
};
