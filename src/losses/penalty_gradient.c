// The critic's slope should be 1 on lines between real data and fakes. Gulrajani et al. 2017,
// arXiv:1704.00028.
#include "losses/losses.h"

#include "base/arena.h"

struct penalty_gradient_options {
    double weight, target;
};

// λ·mean((‖∂D(x̂)/∂x̂‖ − t)²), x̂ = α·real + (1 − α)·fake, α ~ U(0, 1) a sample
static struct value *penalty_gradient_build(struct penalty_ctx *ctx, const void *params)
{
    const struct penalty_gradient_options *o = params;
    struct value **x = NEW_ARRAY(ctx->graph->arena, struct value *, ctx->n),
                 *alpha[RANK_MAX + 1] = {NULL};
    struct value *drawn = NULL;
    for (int i = 0; i < ctx->n; i++) {
        x[i] = ctx->real[i];
        if (ctx->held[i])
            continue;
        const int rank = x[i]->shape.rank;
        if (!drawn)
            drawn = penalty_alpha(x[i]);
        struct shape column = {.rank = rank, .dim = {x[i]->shape.dim[0], 1, 1, 1, 1, 1}};
        if (!alpha[rank])
            alpha[rank] = reshape(drawn, column);
        x[i] = add(mul(alpha[rank], sub(ctx->real[i], ctx->fake[i])), ctx->fake[i]);
    }
    return affine(penalty_distance(penalty_slope(ctx, x), o->target), o->weight, 0);
}

static const struct param params[] = {
    {"weight", PARAM_FLOAT, offsetof(struct penalty_gradient_options, weight), "10", 0, 1e9,
     .help = "λ"},
    {"target", PARAM_FLOAT, offsetof(struct penalty_gradient_options, target), "1", 0, 1e9,
     .help = "the slope wanted"},
    PARAM_END};

const struct penalty penalty_gradient = {
    .word = {.name = "gradient",
             .help = "WGAN-GP's two-sided gradient penalty between real data and fakes",
             .usage = "λ·mean((‖∂D(x̂)/∂x̂‖ − 1)²), x̂ = α·real + (1 − α)·fake",
             .params = params,
             .size = sizeof(struct penalty_gradient_options)},
    .build = penalty_gradient_build,
};
