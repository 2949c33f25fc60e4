// Some of the channels, or features: (C, H, W) to (to − from, H, W)
#include "nn/layer.h"

struct slice_params {
    struct ints channels;
};

static const struct param params[] = {{"channels", PARAM_INTS,
                                       offsetof(struct slice_params, channels), NULL, 0, 1 << 24,
                                       .help = "[from, to], counted from 0, without `to`"},
                                      PARAM_END};

static struct value *slice_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct slice_params *p = own;
    if (p->channels.n != 2)
        return ctx_fail(ctx, "slice wants [from, to],");
    const int64_t from = p->channels.v[0], to = p->channels.v[1];
    if (x->shape.rank < 2 || from >= to || to > x->shape.dim[1])
        return ctx_fail(ctx, "slice wants channels up to %d at least, and some of them,", (int)to);
    return slice(x, 1, from, to - from);
}

const struct layer layer_slice = {
    .word = {.name = "slice",
             .group = "shape",
             .help = "some of the channels, or features",
             .params = params,
             .size = sizeof(struct slice_params)},
    .build = slice_build,
};
