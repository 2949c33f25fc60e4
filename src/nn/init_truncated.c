// A normal distribution without its tails, whatever the fans.
#include "nn/init.h"

static struct init init_truncated_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    const struct init_around *p = params;
    return (struct init){INIT_TRUNCATED, p->mean, p->std};
}

const struct initialisation init_truncated = {
    .word = {.name = "truncated",
             .help = "N(mean, std²), cut off at two deviations",
             .params = init_around_params,
             .size = sizeof(struct init_around)},
    .weight = init_truncated_weight,
};
