// Zeros around the image: (C, H, W) to (C, top + H + bottom, left + W + right)
#include "nn/layer.h"

struct zero_pad_params {
    struct node *padding;
};

static const struct param params[] = {
    {"padding", PARAM_NODE, offsetof(struct zero_pad_params, padding), NULL,
     .takes = "number, or list of four", .help = "a number, or [top, bottom, left, right]"},
    PARAM_END};

static struct value *zero_pad_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct zero_pad_params *p = own;
    int64_t b[4];
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "zero_pad wants (C, H, W)");
    if (!ctx_borders(ctx, p->padding, "padding", b))
        return NULL;
    return pad(x, (int64_t[]){0, 0, b[0], b[2]}, (int64_t[]){0, 0, b[1], b[3]});
}

const struct layer layer_zero_pad = {
    .word = {.name = "zero_pad",
             .group = "shape",
             .help = "zeros around the image",
             .params = params,
             .size = sizeof(struct zero_pad_params)},
    .build = zero_pad_build,
};
