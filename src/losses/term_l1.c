// The mean absolute difference.
#include "losses/losses.h"

// mean(|x − y|)
static struct value *term_l1_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(abs_value(sub(argument[0], argument[1])));
}

const struct term term_l1 = {
    .word = {.name = "l1", .help = "mean absolute difference", .usage = "mean(|x − y|)"},
    .argument = {{"x", TERM_TENSOR}, {"y", TERM_TENSOR}},
    .build = term_l1_build,
};
