// y = factor·x
#include "nn/layer.h"

struct scale_params {
    double factor;
};

static const struct param params[] = {{"factor", PARAM_FLOAT, offsetof(struct scale_params, factor),
                                       NULL, -1e6, 1e6, .help = "what everything is multiplied by"},
                                      PARAM_END};

static struct value *scale_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    (void)ctx;
    return affine(x, ((const struct scale_params *)own)->factor, 0);
}

const struct layer layer_scale = {
    .word = {.name = "scale",
             .group = "linear",
             .help = "the same number times everything, such as 0.2 of a residual",
             .params = params,
             .size = sizeof(struct scale_params)},
    .build = scale_build,
};
