// Channels become pixels: (C·r², H, W) to (C, r·H, r·W), channel c·r² + i·r + j at pixel
// (r·y + i, r·x + j)
// Shi, Caballero, Huszár, Totz, Aitken, Bishop, Rueckert, Wang 2016, arXiv:1609.05158.
#include "nn/layer.h"

struct pixel_shuffle_params {
    int64_t factor;
};

static const struct param params[] = {{"factor", PARAM_INT,
                                       offsetof(struct pixel_shuffle_params, factor), "2", 1, 64,
                                       .help = "how many times as high and wide"},
                                      PARAM_END};

// x (N, C·r², H, W)
static struct value *pixel_shuffle_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct pixel_shuffle_params *p = own;
    const int64_t *X = x->shape.dim, r = p->factor;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "pixel_shuffle wants (C, H, W)");
    if (X[1] % (r * r))
        return ctx_fail(ctx, "pixel_shuffle wants a multiple of %d channels", (int)(r * r));
    const int64_t C = X[1] / (r * r);
    ASSERT(r > 0 && C > 0);
    struct value *blocks = reshape(x, SHAPE(X[0], C, r, r, X[2], X[3]));
    struct value *rows = transpose(blocks, (int[]){0, 1, 4, 2, 5, 3}); // (N, C, H, r, W, r)
    return reshape(rows, SHAPE(X[0], C, X[2] * r, X[3] * r));
}

const struct layer layer_pixel_shuffle = {
    .word = {.name = "pixel_shuffle",
             .group = "shape",
             .help = "channels become pixels of a larger image",
             .params = params,
             .size = sizeof(struct pixel_shuffle_params)},
    .build = pixel_shuffle_build,
};
