// A convolution of stride 1, then sums (or means) of f × f blocks, is one convolution of stride f
// with a wider kernel:
//     y[o] = Σ_{d<f} Σ_i w[i]·x[f·o + d + i − p] = Σ_t w'[t]·x[f·o + t − p],   w'[t] = Σ_{d<f}
//     w[t−d]
// exactly, borders included. It is what pass/upsample_conv.c does, seen from the other side: with
// f = 2 and k = 3 that is 2.25 times fewer products, and the large image between is never made.
// Again three patterns, for the two adjoints:
//     pool_sum(conv(x, w))                → conv(x, w')
//     conv_data_grad(upsample(dy), w)     → conv_data_grad(dy, w')
//     conv_weight_grad(x, upsample(dy))   → pooled_kernel_grad(conv_weight_grad(x, dy))
// A bias between the two is added f² times, afterwards. A kernel of one pixel is no wider for it:
// there the blocks are summed first, and f² times fewer products are left.
//
// The first pattern needs to know that nobody else reads the large image: it would be computed
// twice. The other two read what upsampling repeats, and leave it to whoever else wants it.
#include "pass/pass.h"

#include "base/arena.h"
#include "graph/build.h"
#include "graph/op.h"

struct sights {
    bool *alone; // by id: of all its inputs v is the only reader
};

static bool plain(const struct value *conv) { return conv->attr.i[0] == 1 && conv->attr.i[1] == 1; }

static struct window strided(const struct value *conv, int64_t factor)
{
    const int64_t *i = conv->attr.i;
    return (struct window){{factor, factor}, {i[2], i[3], i[4], i[5]}};
}

// Whether a kernel of this shape reads one pixel, and no border.
static bool pixelwise(const struct value *conv, struct shape w)
{
    const int64_t *i = conv->attr.i;
    return w.dim[2] == 1 && w.dim[3] == 1 && !(i[2] | i[3] | i[4] | i[5]);
}

static const struct window unpadded = {{1, 1}, {0}};

static struct value *pooled(const struct value *c, int64_t f)
{
    struct value *x = c->in[0], *w = c->in[1];
    return pixelwise(c, w->shape) ? conv(pool_sum(x, f), w, unpadded)
                                  : conv(x, pooled_kernel(w, f), strided(c, f));
}

static bool is_bias(const struct value *b) { return b->shape.dim[2] == 1 && b->shape.dim[3] == 1; }

static struct value *forward(struct value *v, const struct sights *s)
{
    const int64_t f = v->attr.i[0];
    struct value *y = v->in[0];
    if (v->op != &op_pool_sum || f < 2 || !s->alone[v->id])
        return NULL;
    if (y->op == &op_conv && plain(y))
        return pooled(y, f);
    for (int i = 0; i < 2 && y->op == &op_pointwise[PW_ADD]; i++) {
        const struct value *c = y->in[i];
        struct value *b = y->in[1 - i];
        if (c->op == &op_conv && plain(c) && is_bias(b) && shape_equal(c->shape, y->shape))
            return add(pooled(c, f), affine(b, (double)(f * f), 0));
    }
    return NULL;
}

static struct value *data_gradient(struct value *v)
{
    if (v->op != &op_conv_data_grad || v->in[0]->op != &op_upsample || !plain(v))
        return NULL;
    struct value *dy = v->in[0]->in[0], *w = v->in[1];
    const int64_t f = v->in[0]->attr.i[0], H = v->shape.dim[2], W = v->shape.dim[3];
    if (pixelwise(v, w->shape))
        return upsample(conv_data_grad(dy, w, unpadded, H / f, W / f), f);
    return conv_data_grad(dy, pooled_kernel(w, f), strided(v, f), H, W);
}

static struct value *weight_gradient(struct value *v)
{
    if (v->op != &op_conv_weight_grad || v->in[1]->op != &op_upsample || !plain(v))
        return NULL;
    struct value *x = v->in[0], *dy = v->in[1]->in[0];
    const int64_t f = v->in[1]->attr.i[0], kh = v->shape.dim[2], kw = v->shape.dim[3];
    if (pixelwise(v, v->shape))
        return conv_weight_grad(pool_sum(x, f), dy, unpadded, 1, 1);
    return pooled_kernel_grad(conv_weight_grad(x, dy, strided(v, f), kh + f - 1, kw + f - 1), f);
}

static struct value *rewrite(struct value *v, void *context)
{
    struct value *instead = forward(v, context);
    if (!instead)
        instead = data_gradient(v);
    return instead ? instead : weight_gradient(v);
}

// Whether pool_sum v, and the addition before it, are all that reads what they read.
static bool *find_alone(const struct graph *g, struct arena *a)
{
    int *readers = NEW_ARRAY(a, int, g->n + 1);
    bool *alone = NEW_ARRAY(a, bool, g->n + 1);
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++)
            readers[g->value[i]->in[j]->id]++;
    for (int i = 0; i < g->n_root; i++)
        readers[g->root[i].value->id]++;
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i], *y = v->op == &op_pool_sum ? v->in[0] : v;
        alone[i] = y != v && readers[y->id] == 1;
        for (int j = 0; alone[i] && y->op == &op_pointwise[PW_ADD] && j < y->n_in; j++)
            alone[i] = y->in[j]->op != &op_conv || readers[y->in[j]->id] == 1;
    }
    return alone;
}

bool pass_conv_pool(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    struct sights s = {find_alone(g, a)};
    const bool changed = graph_rewrite(g, rewrite, &s);
    arena_free(a);
    return changed;
}
