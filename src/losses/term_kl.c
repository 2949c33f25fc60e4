// The divergence of a diagonal Gaussian code from N(0, 1). Kingma, Welling 2013, arXiv:1312.6114.
#include "losses/losses.h"

enum { MEAN, SUM };

struct term_kl_options {
    struct term_arguments given;
    int reduce;
};

// ½·(μ² + e^v − 1 − v), v = log σ²; the mean over everything, or the sum over a code and the mean
// over the batch
static struct value *term_kl_build(const void *params, struct value *const *argument)
{
    struct value *mu = argument[0], *v = argument[1];
    struct value *kl = affine(sub(add(square(mu), exp_value(v)), v), 0.5, -0.5);
    if (((const struct term_kl_options *)params)->reduce == SUM)
        return affine(sum(kl), 1 / (double)mu->shape.dim[0], 0);
    return mean(kl);
}

static const char *const reduce_word[] = {"mean", "sum", NULL};

static const struct param params[] = {
    TERM_TENSOR(0, "mean", "of the code"),
    TERM_TENSOR(1, "log_var", "of the code"),
    {"reduce", PARAM_WORD, offsetof(struct term_kl_options, reduce), "mean", .words = reduce_word,
     .help = "mean over everything, or sum over a code and mean over the batch"},
    PARAM_END};

const struct term term_kl = {
    .word = {.name = "kl",
             .help = "divergence of a Gaussian code from N(0, 1)",
             .usage = "½·mean(μ² + e^v − 1 − v), v = log σ²",
             .params = params,
             .size = sizeof(struct term_kl_options)},
    .build = term_kl_build,
};
