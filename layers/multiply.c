// y = x · a · … element by element; a dimension of 1 is repeated
#include "model/layer.h"

static struct value *build(struct site *site, const void *params, struct value *x)
{
    (void)params;
    return site_fold(site, "multiply", x, mul);
}

const struct layer layer_multiply = {
    .name = "multiply", .group = "join",
    .help = "the product of the layer above and of others, element by element",
    .flags = LAYER_JOIN, .params = join_params, .size = sizeof(struct join), .build = build};
