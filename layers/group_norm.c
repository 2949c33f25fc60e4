// y = γ·(x − μ) / √(σ² + ε) + β, a group of channels of a sample at a time, over its pixels; γ and β by channel
// As nn.GroupNorm has it. One group: layer_norm with affine: channel.
// Wu, He 2018, arXiv:1803.08494.
#include "nn/layer.h"

struct group_norm_params {
    int64_t groups;
    double epsilon;
    bool affine;
    const struct node *by;
};

static const struct param params[] = {
    {"groups", PARAM_INT, offsetof(struct group_norm_params, groups), NULL, 1, 1 << 16,
     .help = "how many groups; the channels are a whole multiple"},
    {"epsilon", PARAM_FLOAT, offsetof(struct group_norm_params, epsilon), "1e-5", 1e-12, 1,
     .help = "added to the variance"},
    {"affine", PARAM_BOOL, offsetof(struct group_norm_params, affine), "true",
     .help = "a learned scale and shift for each channel"},
    NORM_BY(offsetof(struct group_norm_params, by)),
    PARAM_END};

// x (N, C) or (N, C, H, W)
static struct value *group_norm_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct group_norm_params *p = own;
    const int rank = x->shape.rank;
    if (rank != 2 && rank != 4)
        return ctx_fail(ctx, "group_norm wants (features) or (C, H, W)");
    const int64_t channels = x->shape.dim[1], size = shape_size(x->shape) / x->shape.dim[0];
    if (channels % p->groups)
        return ctx_fail(ctx, "group_norm wants channels that %d groups share,", (int)p->groups);
    if (size == p->groups)
        return ctx_fail(ctx,
                        "group_norm makes every group of one number 0: it wants more than one,");
    ASSERT(size % p->groups == 0 && size / p->groups > 1);
    struct value *grouped = reshape(x, SHAPE(x->shape.dim[0], p->groups, size / p->groups));
    struct value *c = sub(grouped, mean_axes(grouped, 1u << 2));
    struct value *unit = mul(c, rsqrt_value(affine(mean_axes(square(c), 1u << 2), 1, p->epsilon)));
    unit = reshape(unit, x->shape);
    struct channel_affine end;
    return ctx_affine(ctx, x->shape, p->affine, &end) ? channel_affine(end, unit) : NULL;
}

const struct layer layer_group_norm = {
    .word = {.name = "group_norm",
             .group = "normalisation",
             .help = "groups of channels of each sample to mean 0 and deviation 1, then scaled and "
                     "shifted",
             .params = params,
             .size = sizeof(struct group_norm_params)},
    .flags = LAYER_BY_LABEL,
    .build = group_norm_build,
};
