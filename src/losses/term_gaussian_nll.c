// How unlikely x is under N(mean, e^v); without `log_var` the variance is 1. Constants are
// left out.
#include "losses/losses.h"

// ½·mean((x − μ)²·e^{−v} + v)
static struct value *term_gaussian_nll_build(const void *params, struct value *const *argument)
{
    (void)params;
    struct value *distance = square(sub(argument[1], argument[0])), *v = argument[2];
    if (v)
        distance = add(mul(distance, exp_value(affine(v, -1, 0))), v);
    return affine(mean(distance), 0.5, 0);
}

static const struct param params[] = {
    TERM_TENSOR(0, "mean", "of the Gaussian"), TERM_TENSOR(1, "x", "what is to be likely"),
    TERM_OPTIONAL(2, "log_var", "of the Gaussian; 0, a variance of 1, unless said"), PARAM_END};

const struct term term_gaussian_nll = {
    .word = {.name = "gaussian_nll",
             .help = "negative log-likelihood of x under a Gaussian",
             .usage = "½·mean((x − μ)²·e^{−v} + v), v = log σ²",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_gaussian_nll_build,
};
