// How channels vary together over an image's pixels: (C, H, W) to (C, C),
// y = (x − μ)(x − μ)ᵀ / (H·W), μ the mean of a channel. What StackGAN++ holds equal between images of
// different sizes: Zhang et al. 2018, arXiv:1710.10916.
#include "nn/layer.h"

static struct value *covariance_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    (void)own;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "covariance wants (C, H, W)");
    const int64_t pixels = x->shape.dim[2] * x->shape.dim[3];
    struct value *rows = reshape(x, SHAPE(x->shape.dim[0], x->shape.dim[1], pixels));
    struct value *c = sub(rows, mean_axes(rows, 1u << 2));
    return affine(matmul(c, c, false, true), 1 / (double)pixels, 0);
}

const struct layer layer_covariance = {
    .word = {.name = "covariance",
             .group = "shape",
             .help = "how channels vary together over pixels: (C, H, W) to (C, C)"},
    .build = covariance_build,
};
