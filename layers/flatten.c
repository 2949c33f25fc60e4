// (C, H, W) to (C·H·W)
#include "model/layer.h"

static struct value *build(struct site *site, const void *params, struct value *x)
{
    (void)params;
    if (x->shape.rank < 2)
        return site_fail(site, "flatten wants more than a label");
    const int64_t batch = x->shape.dim[0];
    return reshape(x, SHAPE(batch, shape_size(x->shape) / batch));
}

const struct layer layer_flatten = {
    .name = "flatten", .group = "shape", .help = "(C, H, W) to (C·H·W)", .build = build};
