// Every pixel becomes a square of factor × factor: (C, H, W) to (C, factor·H, factor·W)
#include "nn/layer.h"

struct upsample_params {
    int64_t factor;
};

static const struct param params[] = {{"factor", PARAM_INT,
                                       offsetof(struct upsample_params, factor), "2", 1, 64,
                                       .help = "how many times as high and wide"},
                                      PARAM_END};

static struct value *upsample_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct upsample_params *p = own;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "upsample wants (C, H, W)");
    ASSERT(p->factor >= 1);
    return upsample(x, p->factor);
}

const struct layer layer_upsample = {
    .word = {.name = "upsample",
             .group = "shape",
             .help = "repeats pixels (nearest neighbour)",
             .params = params,
             .size = sizeof(struct upsample_params)},
    .build = upsample_build,
};
