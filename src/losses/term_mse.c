// The mean squared difference.
#include "losses/losses.h"

// mean((x − y)²)
static struct value *term_mse_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(square(sub(argument[0], argument[1])));
}

const struct term term_mse = {
    .word = {.name = "mse", .help = "mean squared difference", .usage = "mean((x − y)²)"},
    .argument = {{"x", TERM_TENSOR}, {"y", TERM_TENSOR}},
    .build = term_mse_build,
};
