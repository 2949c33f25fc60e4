// The log-probability a softmax gives the right class. `label` is whole numbers, one number for
// all, or a one-hot code.
#include "losses/losses.h"

// −mean_n log softmax(logits)[label]
static struct value *term_cross_entropy_build(const void *params, struct value *const *argument)
{
    (void)params;
    struct value *logits = argument[0], *label = argument[1]; // (N, K), (N) or (N, K)
    if (label->shape.rank < 2)
        label = one_hot(label, logits->shape.dim[1]);
    const double n = (double)logits->shape.dim[0];
    return affine(sum(mul(label, log_softmax(logits))), -1 / n, 0);
}

static const struct param params[] = {TERM_TENSOR(0, "logits", "one for each class, (classes)"),
                                      TERM_LABEL(1, "label", "the class, or its one-hot code"),
                                      PARAM_END};

const struct term term_cross_entropy = {
    .word = {.name = "cross_entropy",
             .help = "softmax cross-entropy of class logits",
             .usage = "−mean(log softmax(logits)[label])",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .logits = 1 << 0,
    .build = term_cross_entropy_build,
};
