// Glorot, Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
#include "nn/init.h"

static const struct param init_glorot_params[] = INIT_BY_VARIANCE("uniform");

static struct init init_glorot_weight(const void *params, double fan_in, double fan_out)
{
    return init_of_variance(params, 2 / (fan_in + fan_out));
}

const struct initialisation init_glorot = {
    .word = {.name = "glorot",
             .help = "a variance of 2 / (fan_in + fan_out)",
             .params = init_glorot_params,
             .size = sizeof(struct init_by_variance)},
    .weight = init_glorot_weight,
};
