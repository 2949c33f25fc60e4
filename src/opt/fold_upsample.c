// Nearest upsampling by f, then a convolution of stride 1, is one transposed convolution of stride
// f with a wider kernel:
//     y[o] = Σ_i w[i]·x[⌊(o + i − p)/f⌋] = Σ_m x[m]·w'[o − f·m + p']
//         w'[t] = Σ_{d<f} w[k−1−t+d],   p' = k − 1 − p
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
// Whether it pays is asked, by shape; the rule is yes. Winograd's algorithm takes kernels of up to 5
// pixels, and with f = 2 a kernel of 5 becomes one of 6: dcgan with such kernels takes 54 ms an
// iteration with both layers rewritten, 44 as chosen (two AVX-512 cores).
//
// Rewriting before differentiation would need only the first, but the gradient is taken while the
// losses are being built.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/region.h"

enum pattern { NONE, FORWARD, DATA_GRADIENT, WEIGHT_GRADIENT };

struct match {
    enum pattern pattern;
    const struct value *conv; // over the upsampled image
    int64_t factor;
    struct shape x, w;    // of the small image, of the weights
    struct window window; // of the transposed convolution
};

static struct match pattern_of(const struct value *v)
{
    const struct value *in = v->n_in ? v->in[0] : v;
    if (v->op == &op_pool_sum && conv_is(in, CONV_DATA_GRAD))
        return (struct match){.pattern = DATA_GRADIENT,
                              .conv = in,
                              .factor = v->attr.factor.by,
                              .x = v->shape,
                              .w = in->in[1]->shape};
    if ((conv_is(v, CONV_FORWARD) || conv_is(v, CONV_WEIGHT_GRAD)) && in->op == &op_upsample)
        return (struct match){.pattern = conv_is(v, CONV_FORWARD) ? FORWARD : WEIGHT_GRADIENT,
                              .conv = v,
                              .factor = in->attr.factor.by,
                              .x = in->in[0]->shape,
                              .w = conv_is(v, CONV_FORWARD) ? v->in[1]->shape : v->shape};
    return (struct match){0};
}

static struct match match_of(const struct value *v)
{
    struct match m = pattern_of(v);
    if (!m.conv || m.factor < 2)
        return (struct match){0};
    const struct window *win = &m.conv->attr.conv.window;
    if (win->stride[0] != 1 || win->stride[1] != 1)
        return (struct match){0};
    m.window.stride[0] = m.window.stride[1] = m.factor;
    for (int side = 0; side < 4; side++) {
        m.window.pad[side] = m.w.dim[2 + side / 2] - 1 - win->pad[side];
        if (m.window.pad[side] < 0)
            return (struct match){0};
    }
    return m;
}

static const struct window unpadded = {{1, 1}, {0}};

// match_of has said that there is no padding where the kernel has one pixel.
static bool fold_upsample_pixelwise(struct shape w) { return w.dim[2] == 1 && w.dim[3] == 1; }

static struct value *fold_upsample_forward(const struct value *v, const struct match *m)
{
    ASSERT(m->factor >= 2 && m->pattern == FORWARD);
    struct value *x = v->in[0]->in[0], *w = v->in[1];
    if (fold_upsample_pixelwise(m->w))
        return upsample(conv(x, w, unpadded), m->factor);
    return conv_data_grad(x, upsampled_kernel(w, m->factor), m->window, v->shape.dim[2],
                          v->shape.dim[3]);
}

static struct value *fold_upsample_data_gradient(const struct match *m)
{
    ASSERT(m->factor >= 2 && m->pattern == DATA_GRADIENT);
    struct value *dy = m->conv->in[0], *w = m->conv->in[1];
    if (fold_upsample_pixelwise(m->w))
        return conv_data_grad(pool_sum(dy, m->factor), w, unpadded, m->x.dim[2], m->x.dim[3]);
    return conv(dy, upsampled_kernel(w, m->factor), m->window);
}

static struct value *fold_upsample_weight_gradient(const struct value *v, const struct match *m)
{
    ASSERT(m->factor >= 2 && m->pattern == WEIGHT_GRADIENT);
    struct value *x = v->in[0]->in[0], *dy = v->in[1];
    if (fold_upsample_pixelwise(m->w))
        return conv_weight_grad(x, pool_sum(dy, m->factor), unpadded, 1, 1);
    struct value *wide = conv_weight_grad(dy, x, m->window, m->w.dim[2] + m->factor - 1,
                                          m->w.dim[3] + m->factor - 1);
    return upsampled_kernel_grad(wide, m->factor);
}

static struct value *fold_upsample_rewrite(struct value *v, void *context)
{
    const bool *declined = context;
    const struct match m = match_of(v);
    if (declined[v->id])
        return NULL;
    switch (m.pattern) {
    case FORWARD: return fold_upsample_forward(v, &m);
    case DATA_GRADIENT: return fold_upsample_data_gradient(&m);
    case WEIGHT_GRADIENT: return fold_upsample_weight_gradient(v, &m);
    default: return NULL;
    }
}

// "upsample 2 of 32x64x7x7 128x64x3x3 /1 1,1,1,1"
static const char *fold_upsample_work(const struct value *v, bool *inside, struct arena *a)
{
    const struct match m = match_of(v);
    if (!m.pattern || fold_upsample_pixelwise(m.w))
        return NULL;
    if (inside)
        inside[v->id] = inside[v->in[0]->id] = true;
    return region_conv(a, arena_printf(a, "upsample %d of", (int)m.factor), m.x, m.w, m.conv);
}

bool pass_fold_upsample(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    const bool any = graph_rewrite(g, fold_upsample_rewrite,
                                   region_declined(g, "fold_upsample", fold_upsample_work, a));
    arena_free(a);
    return any;
}
