// y = e^x / Σ e^x over the channels. Not before a loss: cross_entropy takes logits, and a softmax
// of a softmax learns slowly.
#include "nn/layer.h"

enum { CHANNELS = 1 << 1 };

// m = max x, which changes nothing but the range of e^x: its gradient is stopped and need not flow
static struct value *softmax_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)ctx, (void)params;
    struct value *e = exp_value(sub(x, reduce_max(x, CHANNELS))); // (N, C, …)
    return divide(e, reduce_sum(e, CHANNELS));
}

const struct layer layer_softmax = {
    .word = {.name = "softmax",
             .group = "activation",
             .help = "e^x / Σ e^x over the channels; not before a loss, which takes logits"},
    .build = softmax_build,
};
