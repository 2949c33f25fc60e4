// Saxe, McClelland, Ganguli 2014, arXiv:1312.6120.
#include "nn/init.h"

struct init_orthogonal_options {
    double gain;
};

static const struct param init_orthogonal_params[] = {
    {"gain", PARAM_FLOAT, offsetof(struct init_orthogonal_options, gain), "1", 0, 1e6,
     .help = "length of its rows"},
    PARAM_END};

static struct init init_orthogonal_weight(const void *params, double fan_in, double fan_out)
{
    (void)fan_in, (void)fan_out;
    const struct init_orthogonal_options *p = params;
    return (struct init){INIT_ORTHOGONAL, 0, p->gain};
}

const struct initialisation init_orthogonal = {
    .word = {.name = "orthogonal",
             .help = "rows, or columns, that are orthogonal, of length gain",
             .params = init_orthogonal_params,
             .size = sizeof(struct init_orthogonal_options)},
    .weight = init_orthogonal_weight,
};
