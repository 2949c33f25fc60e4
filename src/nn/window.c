// Kernel, stride and padding, as convolutions read them. `same` is TensorFlow's rule, which pads
// one more at the bottom and right where the padding is odd; "half the kernel on every side" gives
// other sizes for even kernels and other pictures for stride 2, so the networks of Keras programs
// would not be theirs.
#include "nn/layer.h"

#include <string.h>

// Of the image that the window slides over: out = ⌈in / s⌉, total = max((out − 1)·s + k − in, 0),
// the smaller half before.
static void pad_same(int64_t in, int64_t k, int64_t s, int64_t pad[2])
{
    const int64_t out = (in + s - 1) / s, need = (out - 1) * s + k - in;
    const int64_t total = need > 0 ? need : 0;
    pad[0] = total / 2;
    pad[1] = total - total / 2;
}

static bool read_pair(struct layer_ctx *ctx, const struct ints *ints, const char *what,
                      int64_t out[2])
{
    if (ints->n != 1 && ints->n != 2)
        return fail(ctx->diag, ctx->where, "%d numbers for '%s'\nexpected one, or [height, width]",
                    ints->n, what);
    out[0] = ints->v[0];
    out[1] = ints->v[ints->n - 1];
    return true;
}

bool ctx_borders(struct layer_ctx *ctx, const struct node *node, const char *what,
                 int64_t border[4])
{
    if (node->kind == NODE_SCALAR) {
        if (!scalar_int(node, what, 0, 1 << 20, &border[0], ctx->diag))
            return false;
        border[1] = border[2] = border[3] = border[0];
        return true;
    }
    if (node->kind != NODE_LIST || node->n != 4)
        return fail(
            ctx->diag, node->where,
            "'%s' is neither a number nor a list of four\nexpected [top, bottom, left, right]",
            what);
    bool good = true;
    for (int i = 0; i < 4; i++)
        good &= scalar_int(node->entry[i].value, what, 0, 1 << 20, &border[i], ctx->diag);
    return good;
}

static bool is_word(const struct node *node)
{
    return node->kind == NODE_SCALAR && (node->text[0] < '0' || node->text[0] > '9') &&
           node->text[0] != '-';
}

static bool read_padding(struct layer_ctx *ctx, const struct node *node, const int64_t image[2],
                         const int64_t kernel[2], struct window *win)
{
    static const char *const words[] = {"same", "valid"};
    if (node && !is_word(node))
        return ctx_borders(ctx, node, "padding", win->pad);
    if (node && !strcmp(node->text, "valid"))
        return true;
    if (node && strcmp(node->text, "same"))
        return fail_unknown(ctx->diag, node->where, "padding", node->text, words, 2);
    for (int i = 0; i < 2; i++)
        pad_same(image[i], kernel[i], win->stride[i], &win->pad[2 * i]);
    return true;
}

bool ctx_window(struct layer_ctx *ctx, const struct sliding *how, int64_t H, int64_t W,
                bool transposed, int64_t kernel[2], struct window *win)
{
    *win = (struct window){0};
    if (!read_pair(ctx, &how->kernel, "kernel", kernel) ||
        !read_pair(ctx, &how->stride, "stride", win->stride))
        return false;
    // A transposed `same` is the adjoint of a `same` that slides over the result, which is stride
    // times as large.
    const int64_t image[2] = {transposed ? H * win->stride[0] : H,
                              transposed ? W * win->stride[1] : W};
    return read_padding(ctx, how->padding, image, kernel, win);
}
