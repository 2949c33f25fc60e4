// y = max(x, 0)
// Nair, Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
#include "model/layer.h"

static struct value *build(struct site *site, const void *params, struct value *x)
{
    (void)site, (void)params;
    return leaky_relu(x, 0);
}

const struct layer layer_relu = {
    .name = "relu", .group = "activation", .help = "max(x, 0)", .build = build};
