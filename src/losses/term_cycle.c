// There and back again should be where one started. Zhu et al. 2017, arXiv:1703.10593.
#include "losses/losses.h"

// mean(|back − x|)
static struct value *term_cycle_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(abs_value(sub(argument[1], argument[0])));
}

const struct term term_cycle = {
    .word = {.name = "cycle",
             .help = "mean absolute difference between a picture and its round trip",
             .usage = "mean(|back − x|)"},
    .argument = {{"x", TERM_TENSOR}, {"back", TERM_TENSOR}},
    .build = term_cycle_build,
};
