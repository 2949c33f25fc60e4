// The mean squared difference.
#include "losses/losses.h"

// mean((x − y)²)
static struct value *term_mse_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(square(sub(argument[0], argument[1])));
}

static const struct param params[] = {TERM_TENSOR(0, "x", "one side"),
                                      TERM_TENSOR(1, "y", "the other"), PARAM_END};

const struct term term_mse = {
    .word = {.name = "mse",
             .help = "mean squared difference",
             .usage = "mean((x − y)²)",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_mse_build,
};
