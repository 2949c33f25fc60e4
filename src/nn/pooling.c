// Windows of pools, for any kernel, stride and padding: one axis at a time, since a rectangle's
// maximum is the maximum of its rows' maxima, and its sum likewise, so that k + k values are joined
// in place of k · k. Along an axis the image is cut into blocks of a stride; the i-th pixels of all
// windows are a slice of these. So a pool is slices and joins, with their derivatives of every
// order; a primitive of oneDNN's would have a first derivative only.
#include "nn/layer.h"

static int64_t pooling_count(int64_t size, int64_t kernel, const struct window *win, int i)
{
    return (size + win->pad[2 * i] + win->pad[2 * i + 1] - kernel) / win->stride[i] + 1;
}

bool ctx_pool(struct layer_ctx *ctx, const char *word, const struct sliding *how,
              const struct value *x, int64_t kernel[2], struct window *win)
{
    static struct node valid = {.kind = NODE_SCALAR, .text = "valid"};
    struct sliding all = *how;
    if (x->shape.rank != 4)
        return ctx_fail(ctx, "%s wants (C, H, W)", word);
    if (!all.stride.n)
        all.stride = all.kernel;
    if (!all.padding)
        all.padding = &valid;
    if (!ctx_window(ctx, &all, x->shape.dim[2], x->shape.dim[3], false, kernel, win))
        return false;
    for (int i = 0; i < 2; i++) {
        const int64_t *pad = &win->pad[2 * i];
        if (pad[0] >= kernel[i] || pad[1] >= kernel[i])
            return fail(ctx->diag, ctx->where,
                        "%s would have windows of padding only\nexpected less padding than kernel",
                        word);
        if (x->shape.dim[2 + i] + pad[0] + pad[1] < kernel[i])
            return ctx_fail(ctx, "%s wants an image of its kernel (%d) at least", word,
                            (int)kernel[i]);
    }
    return true;
}

// x with `n` times `outside` before or after it
static struct value *pooling_extend(struct value *x, int axis, int64_t n, double outside,
                                    bool before)
{
    struct shape more = x->shape;
    if (n < 1)
        return x;
    more.dim[axis] = n;
    struct value *border = constant(x->graph, outside, more);
    return concat(before ? (struct value *[]){border, x} : (struct value *[]){x, border}, 2, axis);
}

// (…, L, …) to (…, n, stride, …), the first `before` of it outside
static struct value *pooling_blocks(struct value *x, int axis, int64_t n, int64_t stride,
                                    int64_t before, double outside)
{
    x = pooling_extend(x, axis, before, outside, true);
    const int64_t L = x->shape.dim[axis], all = n * stride;
    x = L > all ? slice(x, axis, 0, all) : pooling_extend(x, axis, all - L, outside, false);
    struct shape s = {.rank = x->shape.rank + 1};
    for (int d = 0; d < s.rank; d++)
        s.dim[d] = x->shape.dim[d > axis ? d - 1 : d];
    s.dim[axis] = n;
    s.dim[axis + 1] = stride;
    return reshape(x, s);
}

struct value *fold_windows(struct value *x, int axis, int64_t kernel, const struct window *win,
                           double outside, struct value *(*op)(struct value *, struct value *))
{
    ASSERT(x->shape.rank == 4 && (axis == 2 || axis == 3) && kernel > 0);
    const int64_t stride = win->stride[axis - 2];
    struct shape s = x->shape;
    s.dim[axis] = pooling_count(s.dim[axis], kernel, win, axis - 2);
    const int64_t n = s.dim[axis] + (kernel - 1) / stride;
    struct value *all = pooling_blocks(x, axis, n, stride, win->pad[2 * (axis - 2)], outside),
                 *y = NULL;
    for (int64_t i = 0; i < kernel; i++) {
        struct value *phase = slice(all, axis + 1, i % stride, 1);
        struct value *at = reshape(slice(phase, axis, i / stride, s.dim[axis]), s);
        y = y ? op(at, y) : at;
    }
    return y;
}
