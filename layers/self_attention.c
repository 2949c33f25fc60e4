// y = x + γ·Σⱼ aᵢⱼ·v(xⱼ) at each pixel i, aᵢⱼ = softmaxⱼ(q(xᵢ)·k(xⱼ)), γ a learned number that
// starts at 0: the layer begins as what is below it. q, k (C / reduction channels) and v (C) are
// 1 × 1 convolutions. The paper's v is of rank C / 8, the product of two such convolutions; one of
// full rank is what its readers write, and no larger where it counts: pixels² are, in memory and
// time. Zhang, Goodfellow, Metaxas, Odena 2018, arXiv:1805.08318.
#include "nn/layer.h"

struct self_attention_params {
    int64_t reduction;
    bool spectral_norm;
};

static const struct param params[] = {
    {"reduction", PARAM_INT, offsetof(struct self_attention_params, reduction), "8", 1, 1 << 16,
     .help = "queries and keys have this part of the channels, 1 at least"},
    {"spectral_norm", PARAM_BOOL, offsetof(struct self_attention_params, spectral_norm), "false",
     .help = "divides the weights by their largest singular value"},
    PARAM_END};

// A 1 × 1 convolution, a column for each pixel: (N, C, H, W) to (N, filters, H·W)
static struct value *project(struct layer_ctx *ctx, const struct self_attention_params *p,
                             struct value *x, int64_t filters, const char *weight, const char *bias)
{
    const int64_t *X = x->shape.dim;
    const struct shape s = SHAPE(filters, X[1], 1, 1);
    struct value *w = p->spectral_norm ? ctx_spectral(ctx, weight, s, X[1], filters, 0)
                                       : ctx_weight(ctx, weight, s, X[1], filters);
    struct value *b = ctx_bias(ctx, bias, SHAPE(filters), X[1]);
    struct value *y = add(conv(x, w, (struct window){.stride = {1, 1}}), along_channels(b, 4));
    return reshape(y, SHAPE(X[0], filters, X[2] * X[3]));
}

// x (N, C, H, W)
static struct value *self_attention_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct self_attention_params *p = own;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "self_attention wants (C, H, W)");
    const int64_t C = x->shape.dim[1], few = C > p->reduction ? C / p->reduction : 1;
    ASSERT(few >= 1 && few <= C);
    struct value *q = project(ctx, p, x, few, "query.weight", "query.bias");
    struct value *k = project(ctx, p, x, few, "key.weight", "key.bias");
    struct value *v = project(ctx, p, x, C, "value.weight", "value.bias");
    struct value *near = matmul(q, k, true, false); // (N, pixel i, pixel j)
    struct value *e = exp_value(sub(near, reduce_max(near, 1 << 2)));
    struct value *a = divide(e, reduce_sum(e, 1 << 2));
    struct value *seen = reshape(matmul(v, a, false, true), x->shape);
    struct value *gamma = ctx_param(ctx, "gamma", SHAPE(1), (struct init){INIT_CONSTANT, 0, 0});
    return add(x, mul(seen, along_channels(gamma, 4)));
}

const struct layer layer_self_attention = {
    .word = {.name = "self_attention",
             .group = "linear",
             .help = "adds to each pixel what it finds at pixels like what it looks for",
             .params = params,
             .size = sizeof(struct self_attention_params)},
    .build = self_attention_build,
};
