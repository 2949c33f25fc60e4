// y = μ + e^(v/2)·n, n ~ N(0, 1): a draw from the distribution whose mean is the layer above and
// whose log-variance is the value named. Drawn when sampling and evaluating too: without the
// draw it would be another distribution.
// Kingma, Welling 2014, arXiv:1312.6114.
#include "nn/layer.h"

struct gaussian_params {
    struct node *with;
};

static const struct param params[] = {
    {"log_var", PARAM_NAMES, offsetof(struct gaussian_params, with), NULL, .takes = "name",
     .help = "the name of a layer of the same shape"},
    PARAM_END};

static struct value *gaussian_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    (void)own;
    if (ctx->n_other != 1)
        return ctx_fail(ctx, "gaussian wants one name, that of the log-variance,");
    if (!shape_equal(x->shape, ctx->other[0]->shape))
        return ctx_fail(ctx, "gaussian wants equal shapes: %s,", ctx_other(ctx, 0));
    struct value *n = random_value(ctx->graph, RANDOM_NORMAL, 0, 1, ctx_stream(ctx), x->shape);
    return add(x, mul(exp_value(affine(ctx->other[0], 0.5, 0)), n));
}

const struct layer layer_gaussian = {
    .word = {.name = "gaussian",
             .group = "noise",
             .help = "draws from N(layer above, e^log_var), differentiably",
             .params = params,
             .size = sizeof(struct gaussian_params)},
    .build = gaussian_build,
};
