// A square near 0 and a straight line beyond: what is far off does not count for more than it is. Huber 1964, "Robust estimation of a
// location parameter".
#include "losses/losses.h"

struct term_huber_options {
    struct term_arguments given;
    double delta;
};

// mean(m·(|d| − m/2)), d = x − y, m = min(|d|, δ)
static struct value *term_huber_build(const void *params, struct value *const *argument)
{
    const double delta = ((const struct term_huber_options *)params)->delta;
    struct value *d = abs_value(sub(argument[0], argument[1]));
    struct value *m = sub(d, leaky_relu(affine(d, 1, -delta), 0));
    return mean(mul(m, sub(d, affine(m, 0.5, 0))));
}

static const struct param params[] = {TERM_TENSOR(0, "x", "one side"),
                                      TERM_TENSOR(1, "y", "the other"),
                                      {"delta", PARAM_FLOAT,
                                       offsetof(struct term_huber_options, delta), "1", 1e-9, 1e9,
                                       .help = "where the line begins"},
                                      PARAM_END};

const struct term term_huber = {
    .word = {.name = "huber",
             .help = "squared difference, beyond delta in a straight line",
             .usage = "mean(m·(|x − y| − m/2)), m = min(|x − y|, δ)",
             .params = params,
             .size = sizeof(struct term_huber_options)},
    .build = term_huber_build,
};
