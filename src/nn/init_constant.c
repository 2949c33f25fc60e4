// One number, for those who want to see what a network does with it.
#include "nn/init.h"

struct init_constant_options {
    double value;
};

static const struct param init_constant_params[] = {{"value", PARAM_FLOAT,
                                                     offsetof(struct init_constant_options, value),
                                                     NULL, -1e6, 1e6, .help = "of every element"},
                                                    PARAM_END};

static struct init init_constant_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    const struct init_constant_options *p = params;
    return (struct init){INIT_CONSTANT, p->value, 0};
}

const struct initialisation init_constant = {
    .word = {.name = "constant",
             .help = "the same number everywhere",
             .params = init_constant_params,
             .size = sizeof(struct init_constant_options)},
    .weight = init_constant_weight,
};
