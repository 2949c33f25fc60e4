// The adjoint of a convolution that would go the other way, w (C, filters, kh, kw) as
// nn.ConvTranspose2d has it
//   same       out = in · stride
//   otherwise  out = (in − 1)·stride − before − after + kernel + output_padding
// Dumoulin, Visin 2016, arXiv:1603.07285.
#include "nn/layer.h"

struct conv2d_transpose_params {
    int64_t filters;
    struct sliding slide;
    struct ints output_padding;
    bool bias, spectral_norm;
};

static const struct param params[] = {
    {"filters", PARAM_INT, offsetof(struct conv2d_transpose_params, filters), NULL, 1, 1 << 16,
     .help = "output channels"},
    {"kernel", PARAM_INTS, offsetof(struct conv2d_transpose_params, slide.kernel), "3", 1, 1 << 10,
     .help = "size, or [height, width]"},
    {"stride", PARAM_INTS, offsetof(struct conv2d_transpose_params, slide.stride), "1", 1, 1 << 10,
     .help = "step, or [down, right]"},
    {"padding", PARAM_NODE, offsetof(struct conv2d_transpose_params, slide.padding), "",
     .takes = "word, number, or list",
     .help = "same (the default: in · stride), valid, a number, or [top, bottom, left, right] to "
             "cut off"},
    {"output_padding", PARAM_INTS, offsetof(struct conv2d_transpose_params, output_padding), "0", 0,
     1 << 10, .help = "rows and columns more at the bottom and right; not with same"},
    {"bias", PARAM_BOOL, offsetof(struct conv2d_transpose_params, bias), "true",
     .help = "adds a learned number to every channel"},
    {"spectral_norm", PARAM_BOOL, offsetof(struct conv2d_transpose_params, spectral_norm), "false",
     .help = "divides the weights by their largest singular value"},
    PARAM_END};

static bool is_same(const struct node *padding)
{
    return !padding || (padding->kind == NODE_SCALAR && padding->text[0] == 's');
}

// The size of the result, below 1 where there is none.
static int64_t conv2d_transpose_out_size(const struct conv2d_transpose_params *p, int64_t in,
                                         int64_t kernel, struct window win, int axis)
{
    if (is_same(p->slide.padding))
        return in * win.stride[axis];
    const int64_t more = p->output_padding.v[p->output_padding.n == 2 ? axis : 0];
    return (in - 1) * win.stride[axis] - win.pad[2 * axis] - win.pad[2 * axis + 1] + kernel + more;
}

static bool conv2d_transpose_check(struct layer_ctx *ctx, const struct conv2d_transpose_params *p,
                                   struct window win)
{
    for (int i = 0; i < p->output_padding.n; i++)
        if (p->output_padding.v[i] && is_same(p->slide.padding))
            return fail(ctx->diag, ctx->where,
                        "output_padding is given with padding same, which makes the result stride "
                        "times as large whatever it is\n"
                        "expected no output_padding, or a padding in numbers: padding=1");
    for (int i = 0; i < p->output_padding.n; i++)
        if (p->output_padding.v[i] >= win.stride[i % 2])
            return fail(ctx->diag, ctx->where,
                        "output_padding is not less than the stride\nexpected less than %d",
                        (int)win.stride[i % 2]);
    return true;
}

// x (N, C, H, W)
static struct value *conv2d_transpose_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct conv2d_transpose_params *p = own;
    const int64_t *X = x->shape.dim;
    struct window win;
    int64_t k[2];
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "conv2d_transpose wants (C, H, W)\nput `reshape: [C, H, W]` above it");
    if (!ctx_window(ctx, &p->slide, X[2], X[3], true, k, &win) ||
        !conv2d_transpose_check(ctx, p, win))
        return NULL;
    const int64_t H = conv2d_transpose_out_size(p, X[2], k[0], win, 0),
                  W = conv2d_transpose_out_size(p, X[3], k[1], win, 1);
    if (H < 1 || W < 1)
        return ctx_fail(ctx, "conv2d_transpose's padding leaves nothing");
    ASSERT(win.stride[0] > 0 && win.stride[1] > 0);
    // PyTorch counts the fans of a transposed convolution by the tensor's second dimension.
    const int64_t fan_in = p->filters * k[0] * k[1], fan_out = X[1] * k[0] * k[1];
    const struct shape s = SHAPE(X[1], p->filters, k[0], k[1]);
    struct value *w = p->spectral_norm ? ctx_spectral(ctx, "weight", s, fan_in, fan_out, 1)
                                       : ctx_weight(ctx, "weight", s, fan_in, fan_out);
    struct value *y = conv_data_grad(x, w, win, H, W); // (N, filters, H, W)
    if (!p->bias)
        return y;
    return add(y, along_channels(ctx_bias(ctx, "bias", SHAPE(p->filters), fan_in), 4));
}

const struct layer layer_conv2d_transpose = {
    .word = {.name = "conv2d_transpose",
             .group = "linear",
             .help = "transposed convolution: makes images larger",
             .params = params,
             .size = sizeof(struct conv2d_transpose_params)},
    .build = conv2d_transpose_build,
};
