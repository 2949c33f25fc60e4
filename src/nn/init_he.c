// He, Zhang, Ren, Sun 2015, arXiv:1502.01852.
#include "nn/init.h"

static const struct param init_he_params[] = INIT_BY_VARIANCE("normal");

static struct init init_he_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_out;
    return init_of_variance(params, 2 / fan_in);
}

const struct initialisation init_he = {
    .word = {.name = "he",
             .help = "a variance of 2 / fan_in",
             .params = init_he_params,
             .size = sizeof(struct init_by_variance)},
    .weight = init_he_weight,
};
