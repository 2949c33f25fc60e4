// y = (x − μ) / √(σ² + ε), a channel of a sample at a time, over its pixels; with `affine`, γ·y +
// β by channel
// An image of one pixel would become 0 whatever it shows, so that is an error.
// Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022.
#include "nn/layer.h"

enum { PIXELS = 1 << 2 | 1 << 3 };

struct instance_norm_params {
    bool affine;
    double epsilon;
};

static const struct param params[] = {
    {"affine", PARAM_BOOL, offsetof(struct instance_norm_params, affine), "false",
     .help = "a learned scale and shift for each channel"},
    {"epsilon", PARAM_FLOAT, offsetof(struct instance_norm_params, epsilon), "1e-5", 1e-12, 1,
     .help = "added to the variance"},
    PARAM_END};

// x (N, C, H, W)
static struct value *instance_norm_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct instance_norm_params *p = own;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "instance_norm wants (C, H, W)");
    if (x->shape.dim[2] * x->shape.dim[3] == 1)
        return ctx_fail(ctx,
                        "instance_norm makes every image of one pixel 0: it wants more than one,");
    const struct shape channels = SHAPE(x->shape.dim[1]);
    struct value *c = sub(x, mean_axes(x, PIXELS));
    struct value *unit = mul(c, rsqrt_value(affine(mean_axes(square(c), PIXELS), 1, p->epsilon)));
    if (!p->affine)
        return unit;
    struct value *gamma = ctx_param(ctx, "weight", channels, (struct init){INIT_CONSTANT, 1, 0});
    struct value *beta = ctx_param(ctx, "bias", channels, (struct init){INIT_CONSTANT, 0, 0});
    return add(mul(unit, along_channels(gamma, 4)), along_channels(beta, 4));
}

const struct layer layer_instance_norm = {
    .word =
        {.name = "instance_norm",
         .group = "normalisation",
         .help =
             "each channel of each sample to mean 0 and deviation 1 over its pixels; over all of a "
             "sample: layer_norm",
         .params = params,
         .size = sizeof(struct instance_norm_params)},
    .build = instance_norm_build,
};
