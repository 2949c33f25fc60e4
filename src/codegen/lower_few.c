// Which convolutions the kernels for few channels take, and how a convolution is told to them. All
// three ops are sums over pixels of a wide image, a few channels and the weights between the two;
// what differs is which of them is asked for, and which image is the coarser.
#include "codegen/post_ops_lowering.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

#include "base/arena.h"

#include <string.h>

static bool lower_few_has_bias(const struct value *v, const struct post_ops *e)
{
    return e->n > 0 && post_op_is_bias(e->step, v->shape);
}

bool conv_from_few_ends(const struct value *v, const struct post_ops *e)
{
    const int n = lower_few_has_bias(v, e);
    return e->n == n || (e->n == n + 1 && e->step[n].op == PW_LEAKY_RELU);
}

bool conv_from_few(const struct value *v)
{
    const struct post_ops e = post_ops_of(v);
    if (v->op != &op_conv || v->takes != TYPE_F32 || v->type != TYPE_F32 || conv_is_winograd(v) ||
        !conv_from_few_ends(v, &e))
        return false;
    const int64_t *w = v->in[1]->shape.dim; // (K, C, kh, kw)
    return w[0] % FEW_MULTIPLE == 0 && w[1] <= FEW_MOST && w[2] <= TAPS_MOST && w[3] <= TAPS_MOST &&
           v->shape.dim[3] >= TAPS_PIXELS;
}

// The few are the channels of x or y.
struct sides {
    const struct value *w, *few, *wide;
    bool rows;
};

static struct sides sides_of(const struct value *v)
{
    ASSERT(is_conv(v));
    const struct conv_parts p = conv_parts(v);
    const bool wide = conv_from_few(v),
               rows = !wide && (v == p.y || (v == p.w && p.w->shape.dim[0] <= FEW_MOST));
    return (struct sides){p.w, rows ? p.y : p.x, rows ? p.x : p.y, rows};
}

bool conv_own_kernel(const struct value *v)
{
    const struct sides s = sides_of(v);
    if (conv_from_few(v))
        return true;
    return v->takes == TYPE_F32 && post_ops_of(v).n == 0 && s.few->shape.dim[1] <= FEW_MOST &&
           s.wide->shape.dim[1] % FEW_MULTIPLE == 0;
}

enum { VECTOR = 16 }; // floats of the widest

// --- what is asked of the kernels ----------------------------------------------------------------

static void lower_few_fill(struct few_task *t, const struct value *v, const struct sides *s)
{
    const struct window *win = &v->attr.conv.window;
    const int64_t *few = s->few->shape.dim, *wide = s->wide->shape.dim;
    t->N = few[0], t->F = few[1], t->C = wide[1];
    t->few_rows = s->rows;
    for (int i = 0; i < 2; i++) {
        t->few_size[i] = few[2 + i], t->size[i] = wide[2 + i];
        t->kernel[i] = s->w->shape.dim[2 + i];
        t->step[i] = win->stride[i], t->pad[i] = win->pad[2 * i], t->phases[i] = 1;
    }
    memcpy(t->few_stride, view_of(s->few).stride, sizeof t->few_stride);
    memcpy(t->wide_stride, view_of(s->wide).stride, sizeof t->wide_stride);
}

// The result at y, of what is at y·step + sign·i − pad.
static void read_backwards(struct few_task *t)
{
    ASSERT(t->step[0] > 0 && t->step[1] > 0);
    for (int i = 0; i < 2; i++)
        t->phases[i] = t->step[i], t->step[i] = 1, t->pad[i] *= -1;
    t->sign = -1;
}

// Of an image of few channels that is not the finer: taps counted from the other end.
static void flip(struct few_task *t)
{
    for (int i = 0; i < 2; i++)
        t->pad[i] = t->kernel[i] - 1 - t->pad[i];
    t->flipped = true;
}

static int64_t round_up(int64_t n) { return (n + VECTOR - 1) / VECTOR * VECTOR; }

// How many times a pixel of the one and a pixel of the other meet at a tap, in one dimension.
static int64_t meetings(const struct few_task *t, int i)
{
    int64_t n = 0;
    for (int64_t p = 0; p < t->size[i]; p++)
        for (int64_t tap = 0; tap < t->kernel[i]; tap++) {
            const int64_t at = t->step[i] * p + tap - t->pad[i];
            n += at >= 0 && at < t->few_size[i];
        }
    return n;
}

int64_t taps_prepare(struct few_task *t)
{
    for (int i = 0; i < 2; i++)
        t->pieces[i] = (t->kernel[i] + t->step[i] - 1) / t->step[i];
    t->width = round_up(t->kernel[0] * t->pieces[1] * t->step[1] * t->F);
    const int64_t margin = t->pad[1] < 0 ? -t->pad[1] : t->pad[1],
                  places = t->size[1] + 2 * t->pieces[1],
                  line = (places * t->step[1] + t->few_size[1] + 2 * margin) * t->F + 2 * VECTOR,
                  products = t->pieces[0] * places * t->width,
                  sums = t->kernel[0] * t->kernel[1] * t->F * t->C,
                  gradient = sums + t->kernel[0] * line;
    t->own_each = round_up(products + line > gradient ? products + line : gradient);
    return t->C * t->width;
}

// Whether taps beside each other are the better way: where few of them meet nothing, and few
// numbers only fill a vector up.
static bool lower_few_beside(const struct few_task *t, bool gradient)
{
    // in additions of floats: an addition across a vector; what is read again from the first cache
    enum { ACROSS = 16 * VECTOR, NEAR = 8192 };
    const bool can = t->kernel[0] <= TAPS_MOST && t->kernel[1] <= TAPS_MOST &&
                     (gradient || t->size[1] >= TAPS_PIXELS) && (!t->few_rows || t->flipped);
    const int64_t met = meetings(t, 0) * meetings(t, 1), all = t->size[0] * t->size[1],
                  results = t->few_size[0] * t->few_size[1], taps = t->kernel[0] * t->kernel[1],
                  reads = t->pieces[0] * t->size[1] * t->C > NEAR ? 2 : 1;
    return can &&
           (gradient ? all * taps <= 2 * met && taps > 1
                     : all * t->C * t->width <= t->F * (reads * met * t->C + results * ACROSS));
}

static const int64_t *positions(struct plan *p, const struct value *w)
{
    const int64_t n = shape_size(w->shape);
    if (w->layout != LAYOUT_BLOCKED)
        return NULL;
    int64_t *at = NEW_ARRAY(plan_arena(p), int64_t, n);
    const struct permutation order = permutation_of(w->blocked, n);
    permutation_positions(&order, at);
    return at;
}

static void lower_few_set_end(struct plan *p, struct few_task *t, const struct value *v)
{
    const struct post_ops e = post_ops_of(v);
    const bool bias = lower_few_has_bias(v, &e);
    t->bias = bias ? plan_data(p, e.step->with) : NULL;
    t->slope = e.n > bias ? (float)e.step[bias].number : 1;
}

static void set_room(void *task, void *room)
{
    struct few_task *t = task;
    t->zeros = room;
    t->own = t->zeros + t->C;
    t->packed = t->own + t->threads * t->own_each;
}

// A kernel for it, which says what else the task holds.
static void (*choose(struct few_task *t, const struct value *v, int64_t *packed))(const void *)
{
    const bool gradient = v->op == &op_conv_weight_grad;
    struct few_task taps = *t;
    if (conv_from_few(v)) {
        *packed = taps_prepare(t);
        return kernels()->taps_wide;
    }
    if (t->few_rows && t->step[0] == 1 && t->step[1] == 1)
        flip(&taps);
    *packed = taps_prepare(&taps);
    if (lower_few_beside(&taps, gradient)) {
        *t = taps;
        return gradient ? kernels()->taps_weight_grad : kernels()->taps_result;
    }
    *packed = t->kernel[0] * t->kernel[1] * t->F * t->C * (gradient ? t->threads : 1);
    t->sign = 1;
    if (v->op == &op_conv_data_grad)
        read_backwards(t);
    return gradient ? kernels()->few_weight_grad : kernels()->few_result;
}

bool lower_few_channels(struct plan *p, const struct value *v, const char *word)
{
    const struct sides s = sides_of(v);
    if (view_of(s.wide).stride[1] != 1 || (s.w->layout == LAYOUT_BLOCKED && !s.w->blocked->dense))
        return false;
    struct few_task *t = NEW(plan_arena(p), struct few_task);
    lower_few_fill(t, v, &s);
    t->few = plan_data(p, s.few);
    t->wide = t->made = plan_data(p, s.wide);
    t->weight = plan_data(p, s.w);
    t->weight_at = positions(p, s.w);
    t->threads = kernel_threads(shape_size(s.wide->shape));
    lower_few_set_end(p, t, v);
    int64_t packed;
    void (*const kernel)(const void *) = choose(t, v, &packed);
    plan_scratch(p, sizeof *t->packed * (size_t)(t->C + t->threads * t->own_each + packed),
                 set_room, t);
    plan_step(p, v, arena_printf(plan_arena(p), "%s, few channels", word), kernel, t);
    return true;
}

// A way to lower the three convolutions (lower_conv.c), which have their rows there.
const struct lowering rows_lower_few[] = {{0}};
