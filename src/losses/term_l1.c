// The mean absolute difference.
#include "losses/losses.h"

// mean(|x − y|)
static struct value *term_l1_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(abs_value(sub(argument[0], argument[1])));
}

static const struct param params[] = {TERM_TENSOR(0, "x", "one side"),
                                      TERM_TENSOR(1, "y", "the other"), PARAM_END};

const struct term term_l1 = {
    .word = {.name = "l1",
             .help = "mean absolute difference",
             .usage = "mean(|x − y|)",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_l1_build,
};
