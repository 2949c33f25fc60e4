// A uniform distribution, whatever the fans.
#include "nn/init.h"

struct init_uniform_options {
    double bound;
};

static const struct param init_uniform_params[] = {
    {"bound", PARAM_FLOAT, offsetof(struct init_uniform_options, bound), "0.05", 0, 1e6,
     .help = "drawn from [-bound, bound)"},
    PARAM_END};

static struct init init_uniform_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    const struct init_uniform_options *p = params;
    return init_within(p->bound);
}

const struct initialisation init_uniform = {
    .word = {.name = "uniform",
             .help = "U(±bound)",
             .params = init_uniform_params,
             .size = sizeof(struct init_uniform_options)},
    .weight = init_uniform_weight,
};
