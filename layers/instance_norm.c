// y = (x − μ) / √(σ² + ε), a channel of a sample at a time, over its pixels; with `affine`, γ·y +
// β by channel
// An image of one pixel would become 0 whatever it shows, so that is an error.
// Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022.
#include "nn/layer.h"

enum { PIXELS = 1 << 2 | 1 << 3 };

struct instance_norm_params {
    bool affine;
    double epsilon;
    const struct node *by;
};

static const struct param params[] = {
    {"affine", PARAM_BOOL, offsetof(struct instance_norm_params, affine), "false",
     .help = "a learned scale and shift for each channel"},
    {"epsilon", PARAM_FLOAT, offsetof(struct instance_norm_params, epsilon), "1e-5", 1e-12, 1,
     .help = "added to the variance"},
    NORM_BY(offsetof(struct instance_norm_params, by)),
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
    struct value *c = sub(x, mean_axes(x, PIXELS));
    struct value *unit = mul(c, rsqrt_value(affine(mean_axes(square(c), PIXELS), 1, p->epsilon)));
    struct channel_affine end;
    return ctx_affine(ctx, x->shape, p->affine, &end) ? channel_affine(end, unit) : NULL;
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
    .flags = LAYER_BY_LABEL,
    .build = instance_norm_build,
};
