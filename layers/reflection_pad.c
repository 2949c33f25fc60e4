// The image mirrored at its border, the border's own pixels not repeated:
// (C, H, W) to (C, top + H + bottom, left + W + right)
#include "nn/layer.h"

enum { PIECES = 1 + 2 * 64 };

struct reflection_pad_params {
    struct node *padding;
};

static const struct param params[] = {{"padding", PARAM_NODE,
                                       offsetof(struct reflection_pad_params, padding), NULL,
                                       .takes = "number, or list of four",
                                       .help = "a number up to 64, or [top, bottom, left, right]"},
                                      PARAM_END};

// x₋ₖ = xₖ and xₙ₋₁₊ₖ = xₙ₋₁₋ₖ along one axis
static struct value *reflection_pad_mirror(struct value *x, int axis, int64_t before, int64_t after)
{
    struct value *piece[PIECES];
    const int64_t last = x->shape.dim[axis] - 1;
    int n = 0;
    for (int64_t k = before; k > 0; k--)
        piece[n++] = slice(x, axis, k, 1);
    piece[n++] = x;
    for (int64_t k = 1; k <= after; k++)
        piece[n++] = slice(x, axis, last - k, 1);
    return n == 1 ? x : concat(piece, n, axis);
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
        if (b[i] >= x->shape.dim[2 + i / 2] || b[i] > 64)
            return ctx_fail(ctx,
                            "reflection_pad wants a border of 64 at most, and a larger image,");
    return reflection_pad_mirror(reflection_pad_mirror(x, 2, b[0], b[1]), 3, b[2], b[3]);
}

const struct layer layer_reflection_pad = {
    .word = {.name = "reflection_pad",
             .group = "shape",
             .help = "the image mirrored at its border",
             .params = params,
             .size = sizeof(struct reflection_pad_params)},
    .build = reflection_pad_build,
};
