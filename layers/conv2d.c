// y = x ⋆ w + b, w (filters, C, kh, kw) as nn.Conv2d has it
//   same       out = ⌈in / stride⌉
//   otherwise  out = ⌊(in + before + after − kernel) / stride⌋ + 1
#include "nn/layer.h"

struct conv2d_params {
    int64_t filters;
    struct sliding slide;
    bool bias, spectral_norm;
};

static const struct param params[] = {
    {"filters", PARAM_INT, offsetof(struct conv2d_params, filters), NULL, 1, 1 << 16,
     .help = "output channels"},
    {"kernel", PARAM_INTS, offsetof(struct conv2d_params, slide.kernel), "3", 1, 1 << 10,
     .help = "size, or [height, width]"},
    {"stride", PARAM_INTS, offsetof(struct conv2d_params, slide.stride), "1", 1, 1 << 10,
     .help = "step, or [down, right]"},
    {"padding", PARAM_NODE, offsetof(struct conv2d_params, slide.padding), "",
     .takes = "word, number, or list",
     .help = "same (the default; TensorFlow's rule), valid, a number, or [top, bottom, left, "
             "right]"},
    {"bias", PARAM_BOOL, offsetof(struct conv2d_params, bias), "true",
     .help = "adds a learned number to every channel"},
    {"spectral_norm", PARAM_BOOL, offsetof(struct conv2d_params, spectral_norm), "false",
     .help = "divides the weights by their largest singular value"},
    PARAM_END};

// x (N, C, H, W)
static struct value *conv2d_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct conv2d_params *p = own;
    const int64_t *X = x->shape.dim;
    struct window win;
    int64_t k[2];
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "conv2d wants (C, H, W)\nput `reshape: [C, H, W]` above it");
    if (!ctx_window(ctx, &p->slide, X[2], X[3], false, k, &win))
        return NULL;
    if (X[2] + win.pad[0] + win.pad[1] < k[0] || X[3] + win.pad[2] + win.pad[3] < k[1])
        return ctx_fail(ctx, "conv2d's kernel is larger than the padded image");
    ASSERT(win.stride[0] > 0 && win.stride[1] > 0);
    const int64_t fan_in = X[1] * k[0] * k[1], fan_out = p->filters * k[0] * k[1];
    const struct shape s = SHAPE(p->filters, X[1], k[0], k[1]);
    struct value *w = p->spectral_norm ? ctx_spectral(ctx, "weight", s, fan_in, fan_out, 0)
                                       : ctx_weight(ctx, "weight", s, fan_in, fan_out);
    struct value *y = conv(x, w, win); // (N, filters, H, W)
    if (!p->bias)
        return y;
    return add(y, along_channels(ctx_bias(ctx, "bias", SHAPE(p->filters), fan_in), 4));
}

const struct layer layer_conv2d = {
    .word = {.name = "conv2d",
             .group = "linear",
             .help = "convolution of images",
             .params = params,
             .size = sizeof(struct conv2d_params)},
    .build = conv2d_build,
};
