// The three convolutions, by oneDNN: activations channels-last (plain where no layout pass has
// run), weights as oneDNN likes them for this very shape and direction.
//
// Where oneDNN has nothing (negative padding, that is cropping, is all we know of) plain loops do
// it: each element of the result is a sum of its own, so threads share nothing. They are slow, and
// right.
#include "codegen/post_ops_lowering.h"
#include "codegen/lowering.h"

#include "base/arena.h"

#include <string.h>

static enum dnn_conv_kind lower_conv_kind_of(const struct value *v)
{
    return v->op == &op_conv             ? DNN_CONV_FORWARD
           : v->op == &op_conv_data_grad ? DNN_CONV_DATA_GRAD
                                         : DNN_CONV_WEIGHT_GRAD;
}

// A tensor that is the same in both layouts counts as channels-last.
static enum layout activation(const struct value *v)
{
    const bool either = v->shape.dim[1] == 1 || v->shape.dim[2] * v->shape.dim[3] == 1;
    return either ? LAYOUT_CHANNELS_LAST : v->layout;
}

static struct dnn_conv lower_conv_spec_of(const struct value *v, const struct post_ops *e)
{
    const struct conv_parts p = conv_parts(v);
    const int64_t *X = p.x->shape.dim, *W = p.w->shape.dim, *Y = p.y->shape.dim;
    struct dnn_conv s;
    memset(&s, 0, sizeof s);
    s.n = X[0], s.c = X[1], s.h = X[2], s.w = X[3];
    s.k = W[0], s.kh = W[2], s.kw = W[3], s.oh = Y[2], s.ow = Y[3];
    memcpy(s.stride, v->attr.conv.window.stride, sizeof s.stride);
    memcpy(s.pad, v->attr.conv.window.pad, sizeof s.pad);
    s.kind = lower_conv_kind_of(v);
    s.takes = v->takes;
    s.gives = v->type;
    s.x = activation(p.x);
    s.y = activation(p.y);
    s.weights = p.w->layout;
    s.as = s.weights == LAYOUT_BLOCKED ? dnn_layout_of(p.w) : NULL;
    post_ops_to_dnn(e, v->shape, s.after);
    return s;
}

static const struct dnn_layout *liked(struct dnn_conv s, enum dnn_conv_kind kind)
{
    if (kind != DNN_CONV_FORWARD)
        memset(s.after, 0, sizeof s.after);
    s.kind = kind;
    const struct dnn_primitive *p = dnn_conv(&s);
    return p ? dnn_conv_weights(p) : NULL;
}

// Forward, the layout of the weights' gradient: then a parameter lives in one that both want. On
// AVX-512 oneDNN's kernels for it are as fast as those it prefers where there are few channels; with
// more they are up to a fifth slower, which is more than a second copy costs unless pixels are few.
static const struct dnn_layout *liked_by_all(struct dnn_conv s)
{
    ASSERT(s.n > 0 && s.k > 0 && s.c > 0);
    enum { FEW_CHANNELS = 64 * 64, FEW_PIXELS = 1024 };
    const struct dnn_layout *best = liked(s, s.kind);
    const bool few = s.c * s.k <= FEW_CHANNELS || s.n * s.oh * s.ow <= FEW_PIXELS;
    if (s.kind != DNN_CONV_FORWARD || s.takes != TYPE_F32 || !few)
        return best;
    s.as = liked(s, DNN_CONV_WEIGHT_GRAD);
    if (!best || !s.as || !dnn_layout_head(s.as)->dense)
        return best;
    const struct dnn_primitive *p = dnn_conv(&s);
    return p && dnn_direct(p) ? s.as : best;
}

static bool by_own_kernel(const struct value *v) { return conv_own_kernel(v) && !v->by_library; }

// By the time v runs, the activations will lie channels-last.
static struct dnn_conv spec_foreseen(const struct value *v, const struct post_ops *e)
{
    struct dnn_conv s = lower_conv_spec_of(v, e);
    s.x = s.y = LAYOUT_CHANNELS_LAST;
    s.weights = LAYOUT_BLOCKED;
    s.as = NULL;
    return s;
}

// oneDNN's gradients take no post-ops.
static bool conv_post_ops_fit(const struct value *v, const struct post_ops *e)
{
    if (conv_is_winograd(v))
        return winograd_image_end(v, e);
    if (v->op != &op_conv)
        return false;
    if (conv_own_kernel(v))
        return conv_from_few(v) && conv_from_few_ends(v, e);
    const struct dnn_conv s = spec_foreseen(v, e);
    const struct dnn_primitive *p = dnn_conv(&s);
    return p && dnn_direct(p);
}

// Asked by codegen/assign_layouts.c before it has laid v out.
static const struct blocked_layout *conv_blocked_layout(const struct value *v, int i)
{
    static const struct blocked_layout plain = {.plain = true}, any = {.any = true};
    const struct conv_parts p = conv_parts(v);
    if ((i < 0 ? v : v->in[i]) != p.w)
        return NULL;
    if (conv_is_winograd(v))
        return &plain;
    if (by_own_kernel(v))
        return &any;
    const struct post_ops e = post_ops_of(v);
    const struct dnn_layout *weights = liked_by_all(spec_foreseen(v, &e));
    return weights ? dnn_layout_head(weights) : &plain;
}

// --- plain loops ---------------------------------------------------------------------------------

struct loops {
    struct view x, w, y, out, with[POST_OPS_MAX];
    float *X, *W, *Y, *added[POST_OPS_MAX];
    struct post_ops end;
    int64_t stride[2], pad[4];
    enum dnn_conv_kind kind;
};

static int64_t lower_conv_at(const struct view *v, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return a * v->stride[0] + b * v->stride[1] + c * v->stride[2] + d * v->stride[3];
}

// y[n,k,oy,ox] = Σ x[n,c,iy,ix]·w[k,c,i,j]   where iy = s·oy + i − top, ix = s·ox + j − left
static float forward_element(const struct loops *l, const int64_t o[4])
{
    float sum = 0;
    for (int64_t c = 0; c < l->x.dim[1]; c++)
        for (int64_t i = 0; i < l->w.dim[2]; i++)
            for (int64_t j = 0; j < l->w.dim[3]; j++) {
                const int64_t iy = l->stride[0] * o[2] + i - l->pad[0],
                              ix = l->stride[1] * o[3] + j - l->pad[2];
                if (iy >= 0 && iy < l->x.dim[2] && ix >= 0 && ix < l->x.dim[3])
                    sum += l->X[lower_conv_at(&l->x, o[0], c, iy, ix)] *
                           l->W[lower_conv_at(&l->w, o[1], c, i, j)];
            }
    return sum;
}

// dx[n,c,iy,ix] = Σ dy[n,k,oy,ox]·w[k,c,i,j]   over the oy, ox that read it
static float data_element(const struct loops *l, const int64_t o[4])
{
    float sum = 0;
    for (int64_t k = 0; k < l->y.dim[1]; k++)
        for (int64_t i = 0; i < l->w.dim[2]; i++)
            for (int64_t j = 0; j < l->w.dim[3]; j++) {
                const int64_t y = o[2] + l->pad[0] - i, x = o[3] + l->pad[2] - j;
                if (y < 0 || x < 0 || y % l->stride[0] || x % l->stride[1])
                    continue;
                const int64_t oy = y / l->stride[0], ox = x / l->stride[1];
                if (oy < l->y.dim[2] && ox < l->y.dim[3])
                    sum += l->Y[lower_conv_at(&l->y, o[0], k, oy, ox)] *
                           l->W[lower_conv_at(&l->w, k, o[1], i, j)];
            }
    return sum;
}

// dw[k,c,i,j] = Σ x[n,c,iy,ix]·dy[n,k,oy,ox]
static float weight_element(const struct loops *l, const int64_t o[4])
{
    float sum = 0;
    for (int64_t n = 0; n < l->x.dim[0]; n++)
        for (int64_t oy = 0; oy < l->y.dim[2]; oy++)
            for (int64_t ox = 0; ox < l->y.dim[3]; ox++) {
                const int64_t iy = l->stride[0] * oy + o[2] - l->pad[0],
                              ix = l->stride[1] * ox + o[3] - l->pad[2];
                if (iy >= 0 && iy < l->x.dim[2] && ix >= 0 && ix < l->x.dim[3])
                    sum += l->X[lower_conv_at(&l->x, n, o[1], iy, ix)] *
                           l->Y[lower_conv_at(&l->y, n, o[0], oy, ox)];
            }
    return sum;
}

static float ended(const struct loops *l, const int64_t o[4], float x)
{
    for (int k = 0; k < l->end.n; k++) {
        const struct post_op *s = &l->end.step[k];
        const float with = s->with ? l->added[k][lower_conv_at(&l->with[k], o[0], o[1], o[2], o[3])]
                                   : 0;
        x = (float)pointwise_eval(s->op, x, with, 0, s->number, 0);
    }
    return x;
}

static void run_loops(const void *args)
{
    static float (*const element[])(const struct loops *, const int64_t *) = {
        forward_element, data_element, weight_element};
    const struct loops *l = args;
    float *const result[] = {l->Y, l->X, l->W}, *const out = result[l->kind];
    const int64_t *d = l->out.dim;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < d[0] * d[1] * d[2] * d[3]; i++) {
        const int64_t o[] = {i / (d[1] * d[2] * d[3]), i / (d[2] * d[3]) % d[1], i / d[3] % d[2],
                             i % d[3]};
        out[lower_conv_at(&l->out, o[0], o[1], o[2], o[3])] = ended(l, o, element[l->kind](l, o));
    }
}

static void lower_to_loops(struct plan *p, const struct value *v, const char *word)
{
    ASSERT(is_conv(v));
    const struct conv_parts q = conv_parts(v);
    struct loops *l = NEW(plan_arena(p), struct loops);
    *l = (struct loops){.x = view_of(q.x),
                        .w = view_of(q.w),
                        .y = view_of(q.y),
                        .out = view_of(v),
                        .X = plan_data(p, q.x),
                        .W = plan_data(p, q.w),
                        .Y = plan_data(p, q.y),
                        .end = post_ops_of(v),
                        .kind = lower_conv_kind_of(v)};
    for (int k = 0; k < l->end.n; k++)
        if (l->end.step[k].with) {
            l->with[k] = view_broadcast(l->end.step[k].with, v->shape);
            l->added[k] = plan_data(p, l->end.step[k].with);
        }
    memcpy(l->stride, v->attr.conv.window.stride, sizeof l->stride);
    memcpy(l->pad, v->attr.conv.window.pad, sizeof l->pad);
    plan_step(p, v, arena_printf(plan_arena(p), "%s loops", word), run_loops, l);
}

// --- lowering ------------------------------------------------------------------------------------

static void lower_conv_lower(struct plan *p, const struct value *v, const char *word)
{
    if (conv_is_winograd(v)) {
        lower_winograd(p, v, word);
        return;
    }
    if (by_own_kernel(v) && lower_few_channels(p, v, word))
        return;
    const struct conv_parts q = conv_parts(v);
    const struct post_ops e = post_ops_of(v);
    const struct dnn_conv spec = lower_conv_spec_of(v, &e);
    const struct dnn_primitive *primitive = dnn_conv(&spec);
    if (!primitive) {
        lower_to_loops(p, v, word);
        return;
    }
    if (dnn_layout_of(q.w) != dnn_conv_weights(primitive))
        BUG("%%%d = %s: its weights were laid out for another convolution", v->id, v->op->name);
    struct dnn_args args = {.x = plan_data(p, q.x), .w = plan_data(p, q.w), .y = plan_data(p, q.y)};
    post_ops_bind(p, v, &args);
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    plan_step(p, v, arena_printf(plan_arena(p), "%s %s", word, dnn_name(primitive)), dnn_run, call);
}

static void lower_conv(struct plan *p, const struct value *v)
{
    lower_conv_lower(p, v, "conv forward");
}

static void lower_conv_data_grad(struct plan *p, const struct value *v)
{
    lower_conv_lower(p, v, "conv data gradient");
}

static void lower_conv_weight_grad(struct plan *p, const struct value *v)
{
    lower_conv_lower(p, v, "conv weight gradient");
}

#define LOWER_CONV(word, also)                                                   \
    {                                                                            \
        .op = &op_##word, .flags = RUNS_BLOCKED | (also), .lower = lower_##word, \
        .blocked_layout = conv_blocked_layout, .own_kernel = conv_own_kernel,    \
        .post_ops_fit = conv_post_ops_fit                                        \
    }

const struct lowering rows_lower_conv[] = {LOWER_CONV(conv, RUNS_WRITING_BF16),
                                           LOWER_CONV(conv_data_grad, RUNS_WRITING_BF16),
                                           LOWER_CONV(conv_weight_grad, 0),
                                           {0}};
