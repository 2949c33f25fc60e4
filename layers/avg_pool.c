// The mean of each window: (C, H, W) to (C, H', W'),
// H' = ⌊(H + top + bottom − kernel) / stride⌋ + 1; of its pixels (TensorFlow), or with the padding's
// zeros (PyTorch's default)
#include "nn/layer.h"

struct avg_pool_params {
    struct sliding slide;
    bool count_padding;
};

static const struct param params[] = {
    POOL_PARAMS(offsetof(struct avg_pool_params, slide)),
    {"count_padding", PARAM_BOOL, offsetof(struct avg_pool_params, count_padding), "false",
     .help = "padding is zeros that count (nn.AvgPool2d); else it is left out"},
    PARAM_END};

// Square blocks beside each other, which one op sums.
static bool avg_pool_whole(const struct value *x, const int64_t k[2], const struct window *win)
{
    const int64_t *X = x->shape.dim;
    return k[0] == k[1] && win->stride[0] == k[0] && win->stride[1] == k[0] && X[2] % k[0] == 0 &&
           X[3] % k[0] == 0 && !(win->pad[0] | win->pad[1] | win->pad[2] | win->pad[3]);
}

// Σ over each window
static struct value *avg_pool_total(struct value *x, const int64_t k[2], const struct window *win)
{
    return fold_windows(fold_windows(x, 3, k[1], win, 0, add), 2, k[0], win, 0, add);
}

static struct value *avg_pool_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct avg_pool_params *p = own;
    struct window win;
    int64_t k[2];
    if (!ctx_pool(ctx, "avg_pool", &p->slide, x, k, &win))
        return NULL;
    ASSERT(k[0] > 0 && k[1] > 0);
    const double share = 1 / (double)(k[0] * k[1]);
    if (avg_pool_whole(x, k, &win))
        return affine(pool_sum(x, k[0]), share, 0);
    struct value *sums = avg_pool_total(x, k, &win);
    const bool padded = win.pad[0] | win.pad[1] | win.pad[2] | win.pad[3];
    if (!padded || p->count_padding)
        return affine(sums, share, 0);
    struct value *one = constant(x->graph, 1, SHAPE(1, 1, x->shape.dim[2], x->shape.dim[3]));
    return divide(sums, avg_pool_total(one, k, &win));
}

const struct layer layer_avg_pool = {
    .word = {.name = "avg_pool",
             .group = "shape",
             .help = "means of windows",
             .params = params,
             .size = sizeof(struct avg_pool_params)},
    .build = avg_pool_build,
};
