// y = tanh x: what a generator of images in [−1, 1] ends in
#include "model/layer.h"

static struct value *build(struct site *site, const void *params, struct value *x)
{
    (void)site, (void)params;
    return tanh_value(x);
}

const struct layer layer_tanh = {
    .name = "tanh", .group = "activation", .help = "hyperbolic tangent", .build = build};
