// How a generator of discrete data learns, whose draws let no gradient through: draws that the
// critic takes for real become likelier. Each noise has n draws, a column each; e^critic is how
// much likelier a draw is under the data than under the generator, and is normalised over the
// draws. Hjelm, Jacob, Che, Trischler, Cho, Bengio 2018, arXiv:1702.08431.
#include "losses/losses.h"

// −mean_i Σ_m softmax_m(f)·log g
static struct value *term_policy_gradient_build(const void *params, struct value *const *argument)
{
    (void)params;
    struct value *f = argument[0], *log_g = argument[1];
    struct value *sum_of_all = sum(mul(exp_value(log_softmax(f)), log_g));
    return affine(sum_of_all, -1 / (double)f->shape.dim[0], 0);
}

static const struct param params[] = {
    TERM_TENSOR(0, "critic", "logits of a sample's draws, (draws)"),
    TERM_TENSOR(1, "log_probability", "of the same draws"), PARAM_END};

const struct term term_policy_gradient = {
    .word = {.name = "policy_gradient",
             .help = "makes draws likelier that the critic takes for real",
             .usage = "−mean(Σₘ wₘ·log g(xₘ)), w = softmax over the draws m of the critic's logits",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_policy_gradient_build,
};
