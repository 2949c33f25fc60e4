// (C, H, W) to (C, down·H, right·W): every pixel repeated, or what lies between pixels blended as
// nn.Upsample(…, align_corners=False) does it
#include "nn/layer.h"

struct upsample_params {
    struct ints factor;
    int method;
};

static const char *const upsample_method[] = {"nearest", "bilinear", "bicubic", NULL};
static const enum resampling_rule upsample_rule[] = {RESAMPLE_NEAREST, RESAMPLE_BILINEAR,
                                                     RESAMPLE_BICUBIC};

static const struct param params[] = {
    {"factor", PARAM_INTS, offsetof(struct upsample_params, factor), "2", 1, 64,
     .help = "how many times as high and wide, or [down, right]"},
    {"method", PARAM_WORD, offsetof(struct upsample_params, method), "nearest",
     .words = upsample_method, .help = "nearest repeats pixels"},
    PARAM_END};

static struct value *upsample_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct upsample_params *p = own;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "upsample wants (C, H, W)");
    if (p->factor.n > 2)
        return ctx_fail(ctx, "upsample wants one factor, or [down, right],");
    const int64_t down = p->factor.v[0], right = p->factor.v[p->factor.n - 1], H = x->shape.dim[2],
                  W = x->shape.dim[3];
    if (down == right && upsample_rule[p->method] == RESAMPLE_NEAREST)
        return upsample(x, down);
    return resample(x, (struct resampling){upsample_rule[p->method], H, down * H, 0},
                    (struct resampling){upsample_rule[p->method], W, right * W, 0});
}

const struct layer layer_upsample = {
    .word = {.name = "upsample",
             .group = "shape",
             .help = "a larger image, by whole factors",
             .params = params,
             .size = sizeof(struct upsample_params)},
    .build = upsample_build,
};
