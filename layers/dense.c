// y = x·wᵀ + b, w (units, features) as nn.Linear has it
#include "nn/layer.h"

struct dense_params {
    int64_t units;
    bool bias, spectral_norm;
};

static const struct param params[] = {
    {"units", PARAM_INT, offsetof(struct dense_params, units), NULL, 1, 1 << 24,
     .help = "output features"},
    {"bias", PARAM_BOOL, offsetof(struct dense_params, bias), "true",
     .help = "adds a learned vector"},
    {"spectral_norm", PARAM_BOOL, offsetof(struct dense_params, spectral_norm), "false",
     .help = "divides the weights by their largest singular value"},
    PARAM_END};

// x (N, F)
static struct value *dense_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct dense_params *p = own;
    if (x->shape.rank != 2)
        return ctx_fail(
            ctx, "dense wants (features)\nput `flatten` above it, or `embedding` for a label");
    const int64_t features = x->shape.dim[1];
    const struct shape s = SHAPE(p->units, features);
    struct value *w = p->spectral_norm ? ctx_spectral(ctx, "weight", s, features, p->units, 0)
                                       : ctx_weight(ctx, "weight", s, features, p->units);
    struct value *y = matmul(x, w, false, true); // (N, units)
    if (!p->bias)
        return y;
    return add(y, along_channels(ctx_bias(ctx, "bias", SHAPE(p->units), features), 2));
}

const struct layer layer_dense = {
    .word = {.name = "dense",
             .group = "linear",
             .help = "fully connected: every output from every input",
             .params = params,
             .size = sizeof(struct dense_params)},
    .build = dense_build,
};
