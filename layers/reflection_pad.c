// The image mirrored at its border, the border's own pixels not repeated:
// (C, H, W) to (C, top + H + bottom, left + W + right)
#include "nn/layer.h"

struct reflection_pad_params {
    struct node *padding;
};

static const struct param params[] = {
    {"padding", PARAM_NODE, offsetof(struct reflection_pad_params, padding), NULL,
     .takes = "number, or list of four", .help = "a number, or [top, bottom, left, right]"},
    PARAM_END};

static struct resampling mirrored(int64_t size, const int64_t border[2])
{
    return (struct resampling){RESAMPLE_REFLECT, size, border[0] + size + border[1], border[0]};
}

static struct value *reflection_pad_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct reflection_pad_params *p = own;
    int64_t b[4];
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "reflection_pad wants (C, H, W)");
    if (!ctx_borders(ctx, p->padding, "padding", b))
        return NULL;
    for (int i = 0; i < 4; i++)
        if (b[i] >= x->shape.dim[2 + i / 2])
            return ctx_fail(ctx, "reflection_pad wants a border smaller than the image,");
    return resample(x, mirrored(x->shape.dim[2], b), mirrored(x->shape.dim[3], b + 2));
}

const struct layer layer_reflection_pad = {
    .word = {.name = "reflection_pad",
             .group = "shape",
             .help = "the image mirrored at its border",
             .params = params,
             .size = sizeof(struct reflection_pad_params)},
    .build = reflection_pad_build,
};
