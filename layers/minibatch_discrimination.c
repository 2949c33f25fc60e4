// How near a sample is to the others of its batch, beside its features: M = x·wᵀ as (kernels, dim),
// oₖ(i) = Σⱼ exp(−Σ_d |Mᵢₖ_d − Mⱼₖ_d|), y = [x; o]. The sum has j = i in it, which adds 1.
// Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen 2016, arXiv:1606.03498.
#include "nn/layer.h"

struct minibatch_discrimination_params {
    int64_t kernels, dim;
};

static const struct param params[] = {
    {"kernels", PARAM_INT, offsetof(struct minibatch_discrimination_params, kernels), "64", 1, 4096,
     .help = "features added"},
    {"dim", PARAM_INT, offsetof(struct minibatch_discrimination_params, dim), "32", 1, 4096,
     .help = "dimensions in which each measures the distance"},
    PARAM_END};

// x (N, F)
static struct value *minibatch_discrimination_build(struct layer_ctx *ctx, const void *own,
                                                    struct value *x)
{
    const struct minibatch_discrimination_params *p = own;
    if (x->shape.rank != 2)
        return ctx_fail(ctx, "minibatch_discrimination wants (features)\nput `flatten` above it");
    const int64_t N = x->shape.dim[0], F = x->shape.dim[1], n = p->kernels * p->dim;
    ASSERT(n > 0);
    struct value *m = matmul(x, ctx_weight(ctx, "weight", SHAPE(n, F), F, n), false, true);
    struct value *apart = sub(reshape(m, SHAPE(N, 1, p->kernels, p->dim)),
                              reshape(m, SHAPE(1, N, p->kernels, p->dim)));
    struct value *distance = reduce_sum(abs_value(apart), 1 << 3); // (N, N, kernels, 1)
    struct value *near = reduce_sum(exp_value(affine(distance, -1, 0)), 1 << 1);
    return concat((struct value *[]){x, reshape(near, SHAPE(N, p->kernels))}, 2, 1);
}

const struct layer layer_minibatch_discrimination = {
    .word = {.name = "minibatch_discrimination",
             .group = "normalisation",
             .help = "adds how near each sample is to the others of its batch",
             .params = params,
             .size = sizeof(struct minibatch_discrimination_params)},
    .flags = LAYER_COUPLES,
    .build = minibatch_discrimination_build,
};
