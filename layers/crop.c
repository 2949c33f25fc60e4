// Cuts off the border: (C, H, W) to (C, H − top − bottom, W − left − right)
#include "nn/layer.h"

struct crop_params {
    struct node *border;
};

static const struct param params[] = {{"border", PARAM_NODE, offsetof(struct crop_params, border),
                                       NULL, .takes = "number, or list of four",
                                       .help = "a number, or [top, bottom, left, right]"},
                                      PARAM_END};

static struct value *crop_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct crop_params *p = own;
    int64_t b[4];
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "crop wants (C, H, W)");
    if (!ctx_borders(ctx, p->border, "border", b))
        return NULL;
    const int64_t H = x->shape.dim[2] - b[0] - b[1], W = x->shape.dim[3] - b[2] - b[3];
    if (H < 1 || W < 1)
        return ctx_fail(ctx, "crop leaves nothing: it wants a larger image,");
    ASSERT(b[0] >= 0 && b[2] >= 0);
    return slice(slice(x, 2, b[0], H), 3, b[2], W);
}

const struct layer layer_crop = {
    .word = {.name = "crop",
             .group = "shape",
             .help = "cuts off the border of the image",
             .params = params,
             .size = sizeof(struct crop_params)},
    .build = crop_build,
};
