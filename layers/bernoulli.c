// y = 1 with probability 1 / (1 + e^−x), else `low`: a draw for each logit. Drawn when sampling and
// evaluating too. No gradient passes a draw; the term `policy_gradient` goes round it.
#include "nn/layer.h"

struct bernoulli_params {
    double low;
};

static const struct param params[] = {{"low", PARAM_FLOAT, offsetof(struct bernoulli_params, low),
                                       "0", -1, 0.999,
                                       .help = "what is drawn where not 1; -1 for pixels"},
                                      PARAM_END};

static struct value *bernoulli_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct bernoulli_params *p = own;
    struct value *u = random_value(ctx->graph, RANDOM_UNIFORM, 0, 1, ctx_stream(ctx), x->shape);
    return affine(greater(sigmoid(x), u), 1 - p->low, p->low);
}

const struct layer layer_bernoulli = {
    .word = {.name = "bernoulli",
             .group = "noise",
             .help = "draws 1 or `low`, by logits",
             .params = params,
             .size = sizeof(struct bernoulli_params)},
    .build = bernoulli_build,
};
