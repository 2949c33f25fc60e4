// The matrices are made once, when the plan is; they are as long as an image is high and wide.
#include "base/arena.h"
#include "codegen/lowering.h"
#include "codegen/tasks.h"

#include <string.h>

static struct resample_axis lower_resample_axis(struct arena *a, const struct resampling *r,
                                                bool adjoint)
{
    const struct resampling_rows m = resampling_rows(a, *r, adjoint);
    const int64_t entries = m.first[m.n];
    ASSERT(entries <= INT32_MAX && m.from <= INT32_MAX);
    int32_t *first = NEW_ARRAY(a, int32_t, m.n + 1), *at = NEW_ARRAY(a, int32_t, entries);
    float *weight = NEW_ARRAY(a, float, entries);
    for (int64_t o = 0; o <= m.n; o++)
        first[o] = (int32_t)m.first[o];
    for (int64_t i = 0; i < entries; i++) {
        at[i] = (int32_t)m.at[i];
        weight[i] = (float)m.weight[i];
    }
    return (struct resample_axis){first, at, weight, m.n, m.from};
}

static void lower_resample_room(void *task, void *room)
{
    ((struct resample_task *)task)->own = room;
}

static void lower_resample(struct plan *p, const struct value *v)
{
    struct resample_task *t = NEW(plan_arena(p), struct resample_task);
    const struct view x = view_of(v->in[0]), y = view_of(v);
    const bool adjoint = v->attr.resample.adjoint;
    *t = (struct resample_task){
        .x = plan_data(p, v->in[0]),
        .y = plan_data(p, v),
        .N = x.dim[0],
        .C = x.dim[1],
        .down = lower_resample_axis(plan_arena(p), &v->attr.resample.axis[0], adjoint),
        .across = lower_resample_axis(plan_arena(p), &v->attr.resample.axis[1], adjoint),
        .run = v->in[0]->layout == LAYOUT_CHANNELS_LAST ? x.dim[1] : 1,
        .threads = kernel_threads(shape_size(v->shape)),
    };
    memcpy(t->x_stride, x.stride, sizeof t->x_stride);
    memcpy(t->y_stride, y.stride, sizeof t->y_stride);
    t->own_each = (t->across.from * t->run + 15) / 16 * 16;
    plan_scratch(p, sizeof(float) * (size_t)(t->own_each * t->threads), lower_resample_room, t);
    plan_step(p, v, "resample", kernels()->resample, t);
}

const struct lowering rows_lower_resample[] = {
    {.op = &op_resample, .flags = RUNS_ANY_LAYOUT, .lower = lower_resample}, {0}};
