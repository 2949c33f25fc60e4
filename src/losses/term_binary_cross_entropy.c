// The log-probability that independent yes-or-no logits give their targets, 0 … 1.
#include "losses/losses.h"

// mean(log(1 + e^x) − t·x)
static struct value *term_binary_cross_entropy_build(const void *params,
                                                     struct value *const *argument)
{
    (void)params;
    struct value *x = argument[0], *t = argument[1];
    return mean(sub(softplus(x), mul(t, x)));
}

static const struct param params[] = {TERM_TENSOR(0, "logits", "one for each yes-or-no"),
                                      TERM_TENSOR(1, "target", "from 0 to 1"), PARAM_END};

const struct term term_binary_cross_entropy = {
    .word = {.name = "binary_cross_entropy",
             .help = "sigmoid cross-entropy of logits with targets from 0 to 1",
             .usage = "mean(softplus(x) − t·x)",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .logits = 1 << 0,
    .build = term_binary_cross_entropy_build,
};
