// The gradient penalty around real data only: where a critic near the data is steep, training
// collapses. Kodali et al. 2017, arXiv:1705.07215. x̂ lies between x and x + c·std(x)·u, u ~ U(0,
// 1) an element.
#include "losses/losses.h"

#include "base/arena.h"

struct penalty_dragan_options {
    double weight, spread;
};

// √(mean(x²) − mean(x)²) of the whole batch, rank 0
static struct value *deviation(struct value *x)
{
    struct value *centred = sub(x, repeat_to(mean(x), x->shape));
    return sqrt_value(affine(mean(square(centred)), 1, 1e-12));
}

// λ·mean((‖∂D(x̂)/∂x̂‖ − 1)²), x̂ = x + α·c·std(x)·u
static struct value *penalty_dragan_build(struct penalty_ctx *ctx, const void *params)
{
    const struct penalty_dragan_options *o = params;
    struct graph *g = ctx->graph;
    struct value **x = NEW_ARRAY(g->arena, struct value *, ctx->n);
    for (int i = 0; i < ctx->n; i++) {
        x[i] = ctx->real[i];
        if (ctx->held[i])
            continue;
        struct value *u = random_value(g, RANDOM_UNIFORM, 0, 1, g->next_stream++, x[i]->shape);
        struct value *reach = mul(penalty_alpha(x[i]),
                                  repeat_to(affine(deviation(x[i]), o->spread, 0), x[i]->shape));
        x[i] = add(x[i], mul(reach, u));
    }
    return affine(penalty_distance(penalty_slope(ctx, x), 1), o->weight, 0);
}

static const struct param params[] = {
    {"weight", PARAM_FLOAT, offsetof(struct penalty_dragan_options, weight), "10", 0, 1e9,
     .help = "λ"},
    {"spread", PARAM_FLOAT, offsetof(struct penalty_dragan_options, spread), "0.5", 0, 1e9,
     .help = "c: noise in deviations of the batch"},
    PARAM_END};

const struct penalty penalty_dragan = {
    .word = {.name = "dragan",
             .help = "gradient penalty around real data",
             .usage = "λ·mean((‖∂D(x̂)/∂x̂‖ − 1)²), x̂ = x + α·c·std(x)·u",
             .params = params,
             .size = sizeof(struct penalty_dragan_options)},
    .build = penalty_dragan_build,
};
