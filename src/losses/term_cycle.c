// There and back again should be where one started. Zhu et al. 2017, arXiv:1703.10593.
#include "losses/losses.h"

// mean(|back − x|)
static struct value *term_cycle_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(abs_value(sub(argument[1], argument[0])));
}

static const struct param params[] = {TERM_TENSOR(0, "x", "where one started"),
                                      TERM_TENSOR(1, "back", "where one came back to"), PARAM_END};

const struct term term_cycle = {
    .word = {.name = "cycle",
             .help = "mean absolute difference between a picture and its round trip",
             .usage = "mean(|back − x|)",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_cycle_build,
};
