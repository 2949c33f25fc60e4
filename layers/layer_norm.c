// y = γ·(x − μ) / √(σ² + ε) + β, a sample at a time, over all its channels and pixels
// What a critic with a gradient penalty takes instead of batch_norm: samples stay independent.
// Ba, Kiros, Hinton 2016, arXiv:1607.06450.
#include "nn/layer.h"

enum affine { AFFINE_ELEMENT, AFFINE_CHANNEL, AFFINE_SCALAR, AFFINE_NONE };

struct layer_norm_params {
    double epsilon;
    int affine;
};

static const char *const affine_words[] = {"element", "channel", "scalar", "none", NULL};
static const struct param params[] = {
    {"epsilon", PARAM_FLOAT, offsetof(struct layer_norm_params, epsilon), "1e-5", 1e-12, 1,
     .help = "added to the variance"},
    {"affine", PARAM_WORD, offsetof(struct layer_norm_params, affine), "element",
     .words = affine_words,
     .help = "a learned scale and shift for each element (nn.LayerNorm), for each channel "
             "(nn.GroupNorm(1)), one for all (keras-contrib's InstanceNormalization), or none"},
    PARAM_END};

// (1, C, H, W), (1, C, 1, 1) or (1, 1, 1, 1), to be repeated over the batch
static struct value *layer_norm_repeated(struct value *v, struct value *x, enum affine affine)
{
    if (affine != AFFINE_ELEMENT)
        return along_channels(v, x->shape.rank);
    struct shape s = x->shape;
    s.dim[0] = 1;
    return reshape(v, s);
}

static struct value *layer_norm_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct layer_norm_params *p = own;
    if (x->shape.rank < 2)
        return ctx_fail(ctx, "layer_norm wants (features) or (C, H, W)");
    const unsigned axes = AXES_ALL & ((1u << x->shape.rank) - 1) & ~1u;
    struct value *c = sub(x, mean_axes(x, axes));
    struct value *unit = mul(c, rsqrt_value(affine(mean_axes(square(c), axes), 1, p->epsilon)));
    if (p->affine == AFFINE_NONE)
        return unit;
    struct shape s = SHAPE(p->affine == AFFINE_SCALAR ? 1 : x->shape.dim[1]);
    if (p->affine == AFFINE_ELEMENT) {
        s.rank = x->shape.rank - 1;
        for (int i = 0; i < s.rank; i++)
            s.dim[i] = x->shape.dim[i + 1];
    }
    struct value *gamma = ctx_param(ctx, "weight", s, (struct init){INIT_CONSTANT, 1, 0});
    struct value *beta = ctx_param(ctx, "bias", s, (struct init){INIT_CONSTANT, 0, 0});
    return add(mul(unit, layer_norm_repeated(gamma, x, p->affine)),
               layer_norm_repeated(beta, x, p->affine));
}

const struct layer layer_layer_norm = {
    .word = {.name = "layer_norm",
             .group = "normalisation",
             .help = "each sample to mean 0 and deviation 1, then scaled and shifted",
             .params = params,
             .size = sizeof(struct layer_norm_params)},
    .build = layer_norm_build,
};
