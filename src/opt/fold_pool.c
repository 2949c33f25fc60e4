// A convolution of stride 1, then sums (or means) of f × f blocks, is one convolution of stride f
// with a wider kernel:
//     y[o] = Σ_{d<f} Σ_i w[i]·x[f·o + d + i − p] = Σ_t w'[t]·x[f·o + t − p]
//         w'[t] = Σ_{d<f} w[t−d]
// exactly, borders included. It is what opt/fold_upsample.c does, seen from the other side: with
// f = 2 and k = 3 that is 2.25 times fewer products, and the large image between is never made.
// Again three patterns, for the two adjoints:
//     pool_sum(conv(x, w))                → conv(x, w')
//     conv_data_grad(upsample(dy), w)     → conv_data_grad(dy, w')
//     conv_weight_grad(x, upsample(dy))   → pooled_kernel_grad(conv_weight_grad(x, dy))
// A bias between the two is added f² times, afterwards. A kernel of one pixel is no wider for it:
// there the blocks are summed first, and f² times fewer products are left.
//
// Whether it pays is asked, as there; the rule is yes.
//
// The first pattern needs to know that nothing else reads the large image: it would be computed
// twice. The other two read what upsampling repeats, and leave it to what else wants it.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/region.h"

// By id.
struct sights {
    bool *alone;    // of all its inputs v is the only reader
    bool *declined; // v is to stay as it is
};

static bool fold_pool_plain(const struct value *conv)
{
    return conv->attr.conv.window.stride[0] == 1 && conv->attr.conv.window.stride[1] == 1;
}

static struct window strided(const struct value *conv, int64_t factor)
{
    ASSERT(fold_pool_plain(conv) && factor > 1);
    struct window win = conv->attr.conv.window;
    win.stride[0] = win.stride[1] = factor;
    return win;
}

// Whether a kernel of this shape reads one pixel, and no border.
static bool fold_pool_pixelwise(const struct value *conv, struct shape w)
{
    return w.dim[2] == 1 && w.dim[3] == 1 && window_is_unpadded(&conv->attr.conv.window);
}

static const struct window unpadded = {{1, 1}, {0}};

static struct value *pooled(const struct value *c, int64_t f)
{
    ASSERT(conv_is(c, CONV_FORWARD));
    struct value *x = c->in[0], *w = c->in[1];
    return fold_pool_pixelwise(c, w->shape) ? conv(pool_sum(x, f), w, unpadded)
                                            : conv(x, pooled_kernel(w, f), strided(c, f));
}

static bool is_bias(const struct value *b) { return b->shape.dim[2] == 1 && b->shape.dim[3] == 1; }

// The convolution that pool_sum v sums, as it is or (*bias) with a bias; or NULL.
static const struct value *summed(const struct value *v, struct value **bias)
{
    const struct value *y = v->in[0];
    *bias = NULL;
    if (conv_is(y, CONV_FORWARD))
        return fold_pool_plain(y) ? y : NULL;
    for (int i = 0; i < 2 && is_pointwise(y, PW_ADD); i++) {
        const struct value *c = y->in[i];
        *bias = y->in[1 - i];
        if (conv_is(c, CONV_FORWARD) && fold_pool_plain(c) && is_bias(*bias) &&
            shape_equal(c->shape, y->shape))
            return c;
    }
    return NULL;
}

static bool pools(const struct value *v) { return v->op == &op_pool_sum && v->attr.factor.by > 1; }

static struct value *fold_pool_forward(struct value *v, const struct sights *s)
{
    const int64_t f = v->attr.factor.by;
    struct value *bias;
    const struct value *c = pools(v) && s->alone[v->id] ? summed(v, &bias) : NULL;
    if (!c)
        return NULL;
    return bias ? add(pooled(c, f), affine(bias, (double)(f * f), 0)) : pooled(c, f);
}

// What a gradient v reads of upsampling, if it does.
static const struct value *fold_pool_repeated(const struct value *v)
{
    const bool of_weights = conv_is(v, CONV_WEIGHT_GRAD);
    if ((!of_weights && !conv_is(v, CONV_DATA_GRAD)) || !fold_pool_plain(v))
        return NULL;
    return v->in[of_weights]->op == &op_upsample ? v->in[of_weights] : NULL;
}

static struct value *fold_pool_data_gradient(struct value *v)
{
    if (!conv_is(v, CONV_DATA_GRAD) || !fold_pool_repeated(v))
        return NULL;
    struct value *dy = v->in[0]->in[0], *w = v->in[1];
    const int64_t f = v->in[0]->attr.factor.by, H = v->shape.dim[2], W = v->shape.dim[3];
    if (fold_pool_pixelwise(v, w->shape))
        return upsample(conv_data_grad(dy, w, unpadded, H / f, W / f), f);
    return conv_data_grad(dy, pooled_kernel(w, f), strided(v, f), H, W);
}

static struct value *fold_pool_weight_gradient(struct value *v)
{
    if (!conv_is(v, CONV_WEIGHT_GRAD) || !fold_pool_repeated(v))
        return NULL;
    struct value *x = v->in[0], *dy = v->in[1]->in[0];
    const int64_t f = v->in[1]->attr.factor.by, kh = v->shape.dim[2], kw = v->shape.dim[3];
    if (fold_pool_pixelwise(v, v->shape))
        return conv_weight_grad(pool_sum(x, f), dy, unpadded, 1, 1);
    return pooled_kernel_grad(conv_weight_grad(x, dy, strided(v, f), kh + f - 1, kw + f - 1), f);
}

static struct value *fold_pool_rewrite(struct value *v, void *context)
{
    const struct sights *s = context;
    if (s->declined[v->id])
        return NULL;
    struct value *instead = fold_pool_forward(v, s);
    if (!instead)
        instead = fold_pool_data_gradient(v);
    return instead ? instead : fold_pool_weight_gradient(v);
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
        for (int j = 0; alone[i] && is_pointwise(y, PW_ADD) && j < y->n_in; j++)
            alone[i] = !conv_is(y->in[j], CONV_FORWARD) || readers[y->in[j]->id] == 1;
    }
    return alone;
}

// "pool 2 of 32x64x14x14 128x64x3x3 /1 1,1,1,1"
static const char *fold_pool_work(const struct value *v, bool *inside, struct arena *a)
{
    struct value *bias;
    const struct value *c = pools(v) ? summed(v, &bias) : v,
                       *between = pools(v) ? v->in[0] : fold_pool_repeated(v);
    if (!c || !between)
        return NULL;
    const struct shape x = conv_is(v, CONV_DATA_GRAD) ? v->shape : c->in[0]->shape,
                       w = conv_is(v, CONV_WEIGHT_GRAD) ? v->shape : c->in[1]->shape;
    if (fold_pool_pixelwise(c, w))
        return NULL;
    if (inside)
        inside[v->id] = inside[between->id] = inside[c->id] = true;
    const int64_t factor = pools(v) ? v->attr.factor.by : between->attr.factor.by;
    return region_conv(a, arena_printf(a, "pool %d of", (int)factor), x, w, c);
}

bool pass_fold_pool(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    struct sights s = {find_alone(g, a), region_declined(g, "fold_pool", fold_pool_work, a)};
    const bool changed = graph_rewrite(g, fold_pool_rewrite, &s);
    arena_free(a);
    return changed;
}
