// Three bilinear maps that are each other's adjoints:
//   y  = conv(x, w)                 y[n,k,o]  = Σ_c,i x[n,c,s·o+i−p]·w[k,c,i]
//   dx = conv_data_grad(dy, w)      the adjoint in x; also the forward of a transposed convolution
//   dw = conv_weight_grad(x, dy)    the adjoint in w
// The gradient of any is made of the other two, so all derivatives of all orders are these three.
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"
#include "ir/post_ops.h"

#include <inttypes.h>
#include <string.h>

static struct attr attr_of_window(struct window w) { return (struct attr){.conv = {.window = w}}; }

bool window_is_unpadded(const struct window *w)
{
    return !(w->pad[0] | w->pad[1] | w->pad[2] | w->pad[3]);
}

enum conv_role conv_role(const struct value *v)
{
    ASSERT(is_conv(v));
    return v->op == &op_conv             ? CONV_FORWARD
           : v->op == &op_conv_data_grad ? CONV_DATA_GRAD
                                         : CONV_WEIGHT_GRAD;
}

bool conv_is(const struct value *v, enum conv_role role)
{
    return is_conv(v) && conv_role(v) == role;
}

struct conv_parts conv_parts(const struct value *v)
{
    return v->op == &op_conv             ? (struct conv_parts){v->in[0], v->in[1], v}
           : v->op == &op_conv_data_grad ? (struct conv_parts){v, v->in[1], v->in[0]}
                                         : (struct conv_parts){v->in[0], v, v->in[1]};
}

int conv_winograd_tile(const struct value *v, int axis)
{
    return is_conv(v) ? (int)v->attr.conv.tile[axis] : 0;
}

bool conv_is_winograd(const struct value *v) { return conv_winograd_tile(v, 0); }

struct value *conv_winograd(struct value *v, int down, int across)
{
    struct attr attr = v->attr;
    attr.conv.tile[0] = down;
    attr.conv.tile[1] = across;
    return graph_add(v->graph, v->op, v->shape, 2, v->in, attr);
}

static int64_t op_conv_out_size(int64_t in, int64_t kernel, struct window w, int axis)
{
    const int64_t room = in + w.pad[2 * axis] + w.pad[2 * axis + 1] - kernel;
    if (room < 0)
        BUG("convolution window larger than its padded input");
    return room / w.stride[axis] + 1;
}

struct value *conv(struct value *x, struct value *w, struct window win)
{
    const int64_t *X = x->shape.dim, *W = w->shape.dim;
    if (x->shape.rank != 4 || w->shape.rank != 4 || X[1] != W[1])
        BUG("conv: shapes do not fit");
    const struct shape s = SHAPE(X[0], W[0], op_conv_out_size(X[2], W[2], win, 0),
                                 op_conv_out_size(X[3], W[3], win, 1));
    return graph_add(x->graph, &op_conv, s, 2, (struct value *[]){x, w}, attr_of_window(win));
}

struct value *conv_data_grad(struct value *dy, struct value *w, struct window win, int64_t H,
                             int64_t W)
{
    const int64_t *D = dy->shape.dim, *K = w->shape.dim;
    if (dy->shape.rank != 4 || w->shape.rank != 4 || D[1] != K[0] ||
        op_conv_out_size(H, K[2], win, 0) != D[2] || op_conv_out_size(W, K[3], win, 1) != D[3])
        BUG("conv_data_grad: shapes do not fit");
    return graph_add(dy->graph, &op_conv_data_grad, SHAPE(D[0], K[1], H, W), 2,
                     (struct value *[]){dy, w}, attr_of_window(win));
}

struct value *conv_weight_grad(struct value *x, struct value *dy, struct window win, int64_t kh,
                               int64_t kw)
{
    const int64_t *X = x->shape.dim, *D = dy->shape.dim;
    if (x->shape.rank != 4 || dy->shape.rank != 4 || X[0] != D[0] ||
        op_conv_out_size(X[2], kh, win, 0) != D[2] || op_conv_out_size(X[3], kw, win, 1) != D[3])
        BUG("conv_weight_grad: shapes do not fit");
    return graph_add(x->graph, &op_conv_weight_grad, SHAPE(D[1], X[1], kh, kw), 2,
                     (struct value *[]){x, dy}, attr_of_window(win));
}

static void conv_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    struct value *x = v->in[0], *w = v->in[1];
    if (want[0])
        dx[0] = conv_data_grad(dy, w, v->attr.conv.window, x->shape.dim[2], x->shape.dim[3]);
    if (want[1])
        dx[1] = conv_weight_grad(x, dy, v->attr.conv.window, w->shape.dim[2], w->shape.dim[3]);
}

static void conv_data_grad_grad(struct value *v, struct value *c, const bool *want,
                                struct value **dx)
{
    struct value *dy = v->in[0], *w = v->in[1];
    if (want[0])
        dx[0] = conv(c, w, v->attr.conv.window);
    if (want[1])
        dx[1] = conv_weight_grad(c, dy, v->attr.conv.window, w->shape.dim[2], w->shape.dim[3]);
}

static void conv_weight_grad_grad(struct value *v, struct value *c, const bool *want,
                                  struct value **dx)
{
    struct value *x = v->in[0], *dy = v->in[1];
    if (want[0])
        dx[0] = conv_data_grad(dy, c, v->attr.conv.window, x->shape.dim[2], x->shape.dim[3]);
    if (want[1])
        dx[1] = conv(x, c, v->attr.conv.window);
}

// Visits every product of the convolution: indices of x, w and y that belong together. Which of the
// three is the sum decides which of the three ops this is.
static void products(struct shape xs, struct shape ws, struct shape ys, struct window win,
                     const double *x, const double *w, const double *y, double *sum_x,
                     double *sum_w, double *sum_y)
{
    const int64_t *X = xs.dim, *W = ws.dim, *Y = ys.dim;
    for (int64_t n = 0; n < Y[0]; n++)
        for (int64_t k = 0; k < Y[1]; k++)
            for (int64_t oy = 0; oy < Y[2]; oy++)
                for (int64_t ox = 0; ox < Y[3]; ox++)
                    for (int64_t c = 0; c < X[1]; c++)
                        for (int64_t i = 0; i < W[2]; i++)
                            for (int64_t j = 0; j < W[3]; j++) {
                                const int64_t iy = win.stride[0] * oy + i - win.pad[0],
                                              ix = win.stride[1] * ox + j - win.pad[2];
                                if (iy < 0 || iy >= X[2] || ix < 0 || ix >= X[3])
                                    continue;
                                const int64_t a = ((n * X[1] + c) * X[2] + iy) * X[3] + ix;
                                const int64_t b = ((k * W[1] + c) * W[2] + i) * W[3] + j;
                                const int64_t o = ((n * Y[1] + k) * Y[2] + oy) * Y[3] + ox;
                                if (sum_y)
                                    sum_y[o] += x[a] * w[b];
                                else if (sum_x)
                                    sum_x[a] += y[o] * w[b];
                                else
                                    sum_w[b] += x[a] * y[o];
                            }
}

static void op_conv_clear(const struct value *v, double *out)
{
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
}

static void conv_reference(const struct value *v, const double *const *in, double *out)
{
    op_conv_clear(v, out);
    products(v->in[0]->shape, v->in[1]->shape, v->shape, v->attr.conv.window, in[0], in[1], NULL,
             NULL, NULL, out);
    post_ops_reference(v, in, out);
}

static void conv_data_grad_reference(const struct value *v, const double *const *in, double *out)
{
    op_conv_clear(v, out);
    products(v->shape, v->in[1]->shape, v->in[0]->shape, v->attr.conv.window, NULL, in[1], in[0],
             out, NULL, NULL);
    post_ops_reference(v, in, out);
}

static void conv_weight_grad_reference(const struct value *v, const double *const *in, double *out)
{
    op_conv_clear(v, out);
    products(v->in[0]->shape, v->shape, v->in[1]->shape, v->attr.conv.window, in[0], NULL, in[1],
             NULL, out, NULL);
}

static void conv_print(const struct value *v, struct text *out)
{
    const struct window w = v->attr.conv.window;
    text_addf(out,
              "stride=%" PRId64 ",%" PRId64 " pad=%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64,
              w.stride[0], w.stride[1], w.pad[0], w.pad[1], w.pad[2], w.pad[3]);
    if (conv_is_winograd(v))
        text_addf(out, " tile=%d,%d", conv_winograd_tile(v, 0), conv_winograd_tile(v, 1));
    post_ops_print(v, out);
}

// Every op does the same products: outputs of the convolution times the size of its window.
static double conv_multiply_adds(const struct value *v)
{
    const struct conv_parts p = conv_parts(v);
    const int64_t *w = p.w->shape.dim;
    return (double)shape_size(p.y->shape) * (double)(w[1] * w[2] * w[3]);
}

static enum batch_role conv_batch_role(const struct value *v, int i)
{
    (void)v;
    return i ? BATCH_SHARED : BATCH_EACH;
}

static bool conv_weight_grad_sums_batch(const struct value *v)
{
    (void)v;
    return true;
}

#define CONV(word, ...)                                                                           \
    {                                                                                             \
        .name = #word, .flags = OP_PRODUCT | OP_POST_OPS, .attr = ATTR_CONV, .grad = word##_grad, \
        .reference = word##_reference, .print = conv_print, .linear_in = linear_in_each,          \
        .multiply_adds = conv_multiply_adds, __VA_ARGS__                                          \
    }

const struct op op_conv = CONV(conv, .batch_role = conv_batch_role);
const struct op op_conv_data_grad = CONV(conv_data_grad, .batch_role = conv_batch_role);
const struct op op_conv_weight_grad = CONV(conv_weight_grad,
                                           .sums_batch = conv_weight_grad_sums_batch);
