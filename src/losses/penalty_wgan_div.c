// A power of the slope at real data and at fakes, without points in between. Wu et al. 2018,
// arXiv:1712.01026.
#include "losses/losses.h"

struct penalty_wgan_div_options {
    double weight, power;
};

// s^(p/2) = e^{p/2·log(s + 1e-12)}; an even p multiplies
static struct value *raise(struct value *s, double power)
{
    const int half = (int)(power / 2);
    if (2.0 * half != power || half < 1)
        return exp_value(affine(log_value(affine(s, 1, 1e-12)), power / 2, 0));
    struct value *y = s;
    for (int i = 1; i < half; i++)
        y = mul(y, s);
    return y;
}

// k/2·mean(‖∂D(real)/∂real‖^p + ‖∂D(fake)/∂fake‖^p)
static struct value *penalty_wgan_div_build(struct penalty_ctx *ctx, const void *params)
{
    const struct penalty_wgan_div_options *o = params;
    struct value *real = mean(raise(penalty_slope(ctx, ctx->real), o->power));
    struct value *fake = mean(raise(penalty_slope(ctx, ctx->fake), o->power));
    return affine(add(real, fake), 0.5 * o->weight, 0);
}

static const struct param params[] = {
    {"weight", PARAM_FLOAT, offsetof(struct penalty_wgan_div_options, weight), "2", 0, 1e9,
     .help = "k"},
    {"power", PARAM_FLOAT, offsetof(struct penalty_wgan_div_options, power), "6", 1, 32,
     .help = "p"},
    PARAM_END};

const struct penalty penalty_wgan_div = {
    .word = {.name = "wgan_div",
             .help = "power of the critic's slope at real data and fakes",
             .usage = "k/2·mean(‖∂D(r)/∂r‖^p + ‖∂D(f)/∂f‖^p)",
             .params = params,
             .size = sizeof(struct penalty_wgan_div_options)},
    .build = penalty_wgan_div_build,
};
