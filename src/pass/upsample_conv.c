// Nearest upsampling by f, then a convolution of stride 1, is one transposed convolution of stride
// f with a wider kernel:
//     y[o] = Σ_i w[i]·x[⌊(o + i − p)/f⌋] = Σ_m x[m]·w'[o − f·m + p'],   w'[t] = Σ_{d<f} w[k−1−t+d],
//       p' = k − 1 − p
// exactly, borders included: the windows that reach over the edge of the upsampled image are those
// that reach over the edge of x. With f = 2 and k = 3 that is 2.25 times fewer products, and the
// large image between is never made. Three patterns, since differentiation has been before and left
// the two adjoints as well; they share w' through cse:
//     conv(upsample(x), w)                  → conv_data_grad(x, w')
//     pool_sum(conv_data_grad(dy, w))       → conv(dy, w')
//     conv_weight_grad(upsample(x), dy)     → upsampled_kernel_grad(conv_weight_grad(dy, x))
// A kernel of one pixel is no wider for it: it commutes with upsampling, so it is applied to the
// small image, with f² times fewer products.
//
// Rewriting before differentiation would need only the first, but the gradient is taken while the
// losses are being built.
#include "pass/pass.h"

#include "graph/build.h"
#include "graph/op.h"

struct match {
    int64_t factor;
    struct window window; // of the transposed convolution
};

// The conv of v over an image upsampled by `factor`, kernel (kh, kw).
static bool matches(const struct value *v, int64_t factor, int64_t kh, int64_t kw, struct match *m)
{
    const int64_t *i = v->attr.i, k[2] = {kh, kw};
    m->factor = factor;
    m->window.stride[0] = m->window.stride[1] = factor;
    for (int side = 0; side < 4; side++)
        m->window.pad[side] = k[side / 2] - 1 - i[2 + side];
    for (int side = 0; side < 4; side++)
        if (m->window.pad[side] < 0)
            return false;
    return i[0] == 1 && i[1] == 1 && factor > 1;
}

static const struct window unpadded = {{1, 1}, {0}};

// matches has said that there is no padding where the kernel has one pixel.
static bool pixelwise(struct shape w) { return w.dim[2] == 1 && w.dim[3] == 1; }

static struct value *forward(struct value *v, struct match *m)
{
    if (v->op != &op_conv || v->in[0]->op != &op_upsample)
        return NULL;
    struct value *x = v->in[0]->in[0], *w = v->in[1];
    if (!matches(v, v->in[0]->attr.i[0], w->shape.dim[2], w->shape.dim[3], m))
        return NULL;
    if (pixelwise(w->shape))
        return upsample(conv(x, w, unpadded), m->factor);
    return conv_data_grad(x, upsampled_kernel(w, m->factor), m->window, v->shape.dim[2],
                          v->shape.dim[3]);
}

static struct value *data_gradient(struct value *v, struct match *m)
{
    if (v->op != &op_pool_sum || v->in[0]->op != &op_conv_data_grad)
        return NULL;
    const struct value *c = v->in[0];
    struct value *dy = c->in[0], *w = c->in[1];
    if (!matches(c, v->attr.i[0], w->shape.dim[2], w->shape.dim[3], m))
        return NULL;
    if (pixelwise(w->shape))
        return conv_data_grad(pool_sum(dy, m->factor), w, unpadded, v->shape.dim[2],
                              v->shape.dim[3]);
    return conv(dy, upsampled_kernel(w, m->factor), m->window);
}

static struct value *weight_gradient(struct value *v, struct match *m)
{
    if (v->op != &op_conv_weight_grad || v->in[0]->op != &op_upsample)
        return NULL;
    struct value *x = v->in[0]->in[0], *dy = v->in[1];
    const int64_t kh = v->shape.dim[2], kw = v->shape.dim[3];
    if (!matches(v, v->in[0]->attr.i[0], kh, kw, m))
        return NULL;
    if (pixelwise(v->shape))
        return conv_weight_grad(x, pool_sum(dy, m->factor), unpadded, 1, 1);
    struct value *wide = conv_weight_grad(dy, x, m->window, kh + m->factor - 1, kw + m->factor - 1);
    return upsampled_kernel_grad(wide, m->factor);
}

static struct value *rewrite(struct value *v, void *context)
{
    struct match m;
    (void)context;
    struct value *instead = forward(v, &m);
    if (!instead)
        instead = data_gradient(v, &m);
    return instead ? instead : weight_gradient(v, &m);
}

bool pass_upsample_conv(struct graph *g) { return graph_rewrite(g, rewrite, NULL); }
