// y = x + std·n, n ~ N(0, 1), drawn for each element; y = x outside training
#include "nn/layer.h"

struct gaussian_noise_params {
    double std;
};

static const struct param params[] = {{"std", PARAM_FLOAT,
                                       offsetof(struct gaussian_noise_params, std), "0.1", 0, 1e6,
                                       .help = "standard deviation"},
                                      PARAM_END};

static struct value *gaussian_noise_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct gaussian_noise_params *p = own;
    if (!ctx->training)
        return x;
    return add(x, random_value(ctx->graph, RANDOM_NORMAL, 0, p->std, ctx_stream(ctx), x->shape));
}

const struct layer layer_gaussian_noise = {
    .word = {.name = "gaussian_noise",
             .group = "noise",
             .help = "adds noise in training",
             .params = params,
             .size = sizeof(struct gaussian_noise_params)},
    .flags = LAYER_DRAWS,
    .build = gaussian_noise_build,
};
