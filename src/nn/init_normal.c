// A normal distribution, whatever the fans.
#include "nn/init.h"

static struct init init_normal_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    const struct init_around *p = params;
    return (struct init){INIT_NORMAL, p->mean, p->std};
}

const struct initialisation init_normal = {
    .word = {.name = "normal",
             .help = "N(mean, std²)",
             .params = init_around_params,
             .size = sizeof(struct init_around)},
    .weight = init_normal_weight,
};
