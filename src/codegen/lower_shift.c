#include "base/arena.h"
#include "codegen/lowering.h"
#include "codegen/tasks.h"

#include <string.h>

static void lower_shift(struct plan *p, const struct value *v)
{
    struct shift_task *t = NEW(plan_arena(p), struct shift_task);
    const struct view x = view_of(v->in[0]), y = view_of(v);
    *t = (struct shift_task){
        .x = plan_data(p, v->in[0]),
        .by = plan_data(p, v->in[1]),
        .y = plan_data(p, v),
        .N = x.dim[0],
        .C = x.dim[1],
        .H = x.dim[2],
        .W = x.dim[3],
        .run = v->in[0]->layout == LAYOUT_CHANNELS_LAST ? x.dim[1] : 1,
        .threads = kernel_threads(shape_size(v->shape)),
    };
    memcpy(t->x_stride, x.stride, sizeof t->x_stride);
    memcpy(t->y_stride, y.stride, sizeof t->y_stride);
    plan_step(p, v, "shift", kernels()->shift, t);
}

const struct lowering rows_lower_shift[] = {
    {.op = &op_shift, .flags = RUNS_ANY_LAYOUT, .lower = lower_shift}, {0}};
