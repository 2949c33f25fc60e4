// y = x where x > 0, slope·x elsewhere
// Maas, Hannun, Ng 2013, "Rectifier nonlinearities improve neural network acoustic models".
#include "nn/layer.h"

struct leaky_relu_params {
    double slope;
};

static const struct param params[] = {{"slope", PARAM_FLOAT,
                                       offsetof(struct leaky_relu_params, slope), "0.2", 0, 1,
                                       .help = "slope below zero"},
                                      PARAM_END};

static struct value *leaky_relu_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct leaky_relu_params *p = own;
    (void)ctx;
    return leaky_relu(x, p->slope);
}

const struct layer layer_leaky_relu = {
    .word = {.name = "leaky_relu",
             .group = "activation",
             .help = "x, but slope·x below zero",
             .params = params,
             .size = sizeof(struct leaky_relu_params)},
    .build = leaky_relu_build,
};
