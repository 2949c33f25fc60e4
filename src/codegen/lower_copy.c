// Ops that move numbers: copies between views. Several of them where the output has several parts:
// concat's inputs, pad's borders.
#include "base/arena.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

static void emit(struct plan *p, const struct value *v, const char *what,
                 const struct copy_task *part, int n)
{
    struct copy_tasks *t = NEW(plan_arena(p), struct copy_tasks);
    t->task = NEW_ARRAY(plan_arena(p), struct copy_task, n);
    for (int i = 0; i < n; i++)
        t->task[t->n++] = part[i];
    plan_step(p, v, what, kernels()->copy, t);
}

static void lower_copy(struct plan *p, const struct value *v, const char *what, struct view from,
                       int64_t offset)
{
    const struct copy_task t = copy_task(plan_data(p, v), view_of(v),
                                         plan_data(p, v->in[0]) + offset, from);
    emit(p, v, what, &t, 1);
}

static void lower_transpose(struct plan *p, const struct value *v)
{
    const struct view x = view_of(v->in[0]);
    struct view from = x;
    for (int d = 0; d < x.rank; d++) {
        from.dim[d] = x.dim[v->attr.permutation.axis[d]];
        from.stride[d] = x.stride[v->attr.permutation.axis[d]];
    }
    lower_copy(p, v, "transpose", from, 0);
}

static void lower_slice(struct plan *p, const struct value *v)
{
    struct view from = view_of(v->in[0]);
    from.dim[v->attr.slice.axis] = v->shape.dim[v->attr.slice.axis];
    lower_copy(p, v, "slice", from, v->attr.slice.from * from.stride[v->attr.slice.axis]);
}

static void lower_broadcast(struct plan *p, const struct value *v)
{
    lower_copy(p, v, "broadcast", view_broadcast(v->in[0], v->shape), 0);
}

// A border of zeros: `n` elements of dimension d from `at`.
static struct copy_task border(float *to, struct view view, int d, int64_t at, int64_t n)
{
    static const float zero;
    to += at * view.stride[d];
    view.dim[d] = n;
    struct view nothing = view;
    for (int i = 0; i < view.rank; i++)
        nothing.stride[i] = 0;
    return copy_task(to, view, &zero, nothing);
}

static void lower_pad(struct plan *p, const struct value *v)
{
    struct copy_task part[2 * RANK_MAX + 1];
    struct view inside = view_of(v);
    float *to = plan_data(p, v);
    int n = 0;
    for (int d = 0; d < v->shape.rank; d++) { // what is left is inside in the dimensions before d
        const int64_t before = v->attr.pad.before[d], after = v->attr.pad.after[d];
        if (before)
            part[n++] = border(to, inside, d, 0, before);
        if (after)
            part[n++] = border(to, inside, d, inside.dim[d] - after, after);
        inside.dim[d] -= before + after;
        to += before * inside.stride[d];
    }
    part[n++] = copy_task(to, inside, plan_data(p, v->in[0]), view_of(v->in[0]));
    emit(p, v, "pad", part, n);
}

static void lower_concat(struct plan *p, const struct value *v)
{
    const int64_t axis = v->attr.axis;
    struct copy_task *part = NEW_ARRAY(plan_arena(p), struct copy_task, v->n_in);
    struct view to = view_of(v);
    float *y = plan_data(p, v);
    for (int i = 0; i < v->n_in; i++) {
        to.dim[axis] = v->in[i]->shape.dim[axis];
        part[i] = copy_task(y, to, plan_data(p, v->in[i]), view_of(v->in[i]));
        y += to.dim[axis] * to.stride[axis];
    }
    emit(p, v, "concat", part, v->n_in);
}

static void lower_constant(struct plan *p, const struct value *v)
{
    float *y = plan_data(p, v);
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        y[i] = (float)v->attr.number[0];
}

// --- nearest upsampling and its adjoint ----------------------------------------------------------

static const struct upsample_task *lower_copy_factor(struct plan *p, const struct value *v,
                                                     const struct value *coarse)
{
    struct upsample_task *t = NEW(plan_arena(p), struct upsample_task);
    const int64_t *d = coarse->shape.dim;
    *t = (struct upsample_task){
        .x = plan_data(p, v->in[0]),
        .y = plan_data(p, v),
        .N = d[0],
        .C = d[1],
        .H = d[2],
        .W = d[3],
        .factor = v->attr.factor.by,
        .channels_last = v->layout == LAYOUT_CHANNELS_LAST,
        .threads = kernel_threads(shape_size(coarse->shape) * v->attr.factor.by)};
    return t;
}

// (N, C, H·f, W·f) as (N, C, H, f, W, f)
static struct view lower_copy_blocks(struct view x, int64_t f)
{
    return (struct view){
        6,
        {x.dim[0], x.dim[1], x.dim[2] / f, f, x.dim[3] / f, f},
        {x.stride[0], x.stride[1], x.stride[2] * f, x.stride[2], x.stride[3] * f, x.stride[3]}};
}

// (N, C, H, W) repeated as (N, C, H, f, W, f)
static struct view lower_copy_repeated(struct view x, int64_t f)
{
    return (struct view){6,
                         {x.dim[0], x.dim[1], x.dim[2], f, x.dim[3], f},
                         {x.stride[0], x.stride[1], x.stride[2], 0, x.stride[3], 0}};
}

static void lower_upsample(struct plan *p, const struct value *v)
{
    const int64_t f = v->attr.factor.by;
    if (v->layout == v->in[0]->layout) {
        plan_step(p, v, "upsample", kernels()->upsample, lower_copy_factor(p, v, v->in[0]));
        return;
    }
    const struct copy_task t = copy_task(plan_data(p, v), lower_copy_blocks(view_of(v), f),
                                         plan_data(p, v->in[0]),
                                         lower_copy_repeated(view_of(v->in[0]), f));
    emit(p, v, "upsample", &t, 1);
}

static void lower_pool_sum(struct plan *p, const struct value *v)
{
    const int64_t f = v->attr.factor.by, *d = v->shape.dim;
    if (v->layout == v->in[0]->layout) {
        plan_step(p, v, "pool_sum", kernels()->pool_sum, lower_copy_factor(p, v, v));
        return;
    }
    const struct map_program program = {.n_in = 1,
                                        .reduce = MAP_SUM,
                                        .axes = 1 << 3 | 1 << 5,
                                        .space = SHAPE(d[0], d[1], d[2], f, d[3], f)};
    const struct view from = lower_copy_blocks(view_of(v->in[0]), f),
                      to = lower_copy_repeated(view_of(v), f);
    plan_step(p, v, "pool_sum", map_run,
              map_task(plan_arena(p), &program, (const void *[]){plan_data(p, v->in[0])}, &from,
                       plan_data(p, v), to));
}

const struct lowering rows_lower_copy[] = {
    {.op = &op_transpose, .flags = RUNS_ANY_LAYOUT, .lower = lower_transpose},
    {.op = &op_slice, .flags = RUNS_ANY_LAYOUT, .lower = lower_slice},
    {.op = &op_broadcast, .flags = RUNS_ANY_LAYOUT, .lower = lower_broadcast},
    {.op = &op_pad, .flags = RUNS_ANY_LAYOUT, .lower = lower_pad},
    {.op = &op_concat, .flags = RUNS_ANY_LAYOUT, .lower = lower_concat},
    {.op = &op_constant, .flags = RUNS_ANY_LAYOUT, .lower = lower_constant},
    {.op = &op_upsample, .flags = RUNS_ANY_LAYOUT, .lower = lower_upsample},
    {.op = &op_pool_sum, .flags = RUNS_ANY_LAYOUT, .lower = lower_pool_sum},
    {0}};
