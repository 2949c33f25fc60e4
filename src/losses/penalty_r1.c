// The critic should be flat where the data are. Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406.
#include "losses/losses.h"

struct penalty_r1_options {
    double weight;
};

// γ/2·mean(‖∂D(x)/∂x‖²) at real data
static struct value *penalty_r1_build(struct penalty_ctx *ctx, const void *params)
{
    return affine(mean(penalty_slope(ctx, ctx->real)),
                  0.5 * ((const struct penalty_r1_options *)params)->weight, 0);
}

static const struct param params[] = {{"weight", PARAM_FLOAT,
                                       offsetof(struct penalty_r1_options, weight), "10", 0, 1e9,
                                       .help = "γ; the paper's 1/2 is beside it"},
                                      PARAM_END};

const struct penalty penalty_r1 = {
    .word = {.name = "r1",
             .help = "squared slope of the critic at real data",
             .usage = "γ/2·mean(‖∂D(x)/∂x‖²)",
             .params = params,
             .size = sizeof(struct penalty_r1_options)},
    .build = penalty_r1_build,
};
