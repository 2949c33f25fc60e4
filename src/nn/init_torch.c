// PyTorch's own, as nn.Linear and nn.Conv2d have it: kaiming_uniform with a = √5, which is U(±1/√fan_in).
#include "nn/init.h"

#include <math.h>

static struct init init_torch_weight(const void *params, double fan_in, double fan_out)
{
    (void)params, (void)fan_out;
    return init_within(1 / sqrt(fan_in));
}

static struct init init_torch_bias(double fan_in) { return init_within(1 / sqrt(fan_in)); }

const struct initialisation init_torch = {
    .word = {.name = "torch", .help = "U(±1/√fan_in), biases too: PyTorch's own, and the default"},
    .weight = init_torch_weight,
    .bias = init_torch_bias,
};
