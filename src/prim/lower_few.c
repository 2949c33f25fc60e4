// Which convolutions the kernels for few channels take, and how a convolution is told to them. All
// three ops are sums over pixels of a wide image, a few channels and the weights between the two;
// what differs is which of them is asked for, and which image is the coarser.
#include "prim/kernel.h"
#include "prim/lower.h"

#include "base/arena.h"

#include <string.h>

// The few are the channels of x or y.
struct sides {
    const struct value *w, *few, *wide;
    bool rows;
};

static struct sides sides_of(const struct value *v)
{
    const struct conv_parts p = conv_parts(v);
    const bool rows = v == p.y || (v == p.w && p.w->shape.dim[0] <= FEW_MOST);
    return (struct sides){p.w, rows ? p.y : p.x, rows ? p.x : p.y, rows};
}

bool conv_own_kernel(const struct value *v)
{
    const struct sides s = sides_of(v);
    return v->takes == TYPE_F32 && s.few->shape.dim[1] <= FEW_MOST &&
           s.wide->shape.dim[1] % FEW_MULTIPLE == 0;
}

static void set_room(void *task, void *room)
{
    struct few_task *t = task;
    t->zeros = room;
    t->packed = t->zeros + t->C;
}

static void fill(struct few_task *t, const struct value *v, const struct sides *s)
{
    const int64_t *attr = v->attr.i, *few = s->few->shape.dim, *wide = s->wide->shape.dim;
    t->N = few[0], t->F = few[1], t->C = wide[1];
    t->few_rows = s->rows;
    t->sign = 1;
    for (int i = 0; i < 2; i++) {
        t->few_size[i] = few[2 + i], t->size[i] = wide[2 + i];
        t->kernel[i] = s->w->shape.dim[2 + i];
        t->step[i] = attr[i], t->pad[i] = attr[2 + 2 * i], t->phases[i] = 1;
        if (v->op == &op_conv_data_grad) // read backwards: y = (x + pad − i) / stride
            t->phases[i] = attr[i], t->step[i] = 1, t->pad[i] *= -1, t->sign = -1;
    }
    memcpy(t->few_stride, view_of(s->few).stride, sizeof t->few_stride);
    memcpy(t->wide_stride, view_of(s->wide).stride, sizeof t->wide_stride);
}

static const int64_t *positions(struct plan *p, const struct value *w)
{
    const int64_t n = shape_size(w->shape);
    if (w->layout != LAYOUT_OPAQUE)
        return NULL;
    int64_t *at = NEW_ARRAY(plan_arena(p), int64_t, n);
    const struct permutation order = permutation_of(w->opaque, n);
    permutation_positions(&order, at);
    return at;
}

bool lower_few_channels(struct plan *p, const struct value *v, const char *word)
{
    const struct sides s = sides_of(v);
    const bool gradient = v->op == &op_conv_weight_grad;
    if (view_of(s.wide).stride[1] != 1 || (s.w->layout == LAYOUT_OPAQUE && !s.w->opaque->dense))
        return false;
    struct few_task *t = NEW(plan_arena(p), struct few_task);
    fill(t, v, &s);
    t->few = plan_data(p, s.few);
    t->wide = plan_data(p, s.wide);
    t->weight = plan_data(p, s.w);
    t->weight_at = positions(p, s.w);
    t->threads = kernel_threads(shape_size(s.wide->shape));
    const int64_t taps = t->kernel[0] * t->kernel[1],
                  packed = taps * t->F * t->C * (gradient ? t->threads : 1);
    plan_scratch(p, sizeof *t->packed * (size_t)(t->C + packed), set_room, t);
    plan_step(p, v, arena_printf(plan_arena(p), "%s, few channels", word),
              gradient ? kernels()->few_weight_grad : kernels()->few_result, t);
    return true;
}
