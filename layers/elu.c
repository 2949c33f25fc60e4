// y = x where x > 0, alpha·(e^x − 1) elsewhere
// Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289.
#include "nn/layer.h"

struct elu_params {
    double alpha;
};

static const struct param params[] = {{"alpha", PARAM_FLOAT, offsetof(struct elu_params, alpha),
                                       "1", 0, 100, .help = "−alpha is the limit below zero"},
                                      PARAM_END};

static struct value *elu_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct elu_params *p = own;
    (void)ctx;
    return elu(x, p->alpha);
}

const struct layer layer_elu = {
    .word = {.name = "elu",
             .group = "activation",
             .help = "x, but alpha·(e^x − 1) below zero",
             .params = params,
             .size = sizeof(struct elu_params)},
    .build = elu_build,
};
