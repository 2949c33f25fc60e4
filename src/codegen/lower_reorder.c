#include "codegen/lowering.h"

#include "base/arena.h"
#include "codegen/onednn/dnn.h"
#include "codegen/tasks.h"

#include <string.h>

static struct view ordered(const struct permutation *o, const struct value *v)
{
    struct view w = {.rank = o->rank, .type = v->type};
    struct shape s = {.rank = o->rank};
    memcpy(s.dim, o->dim, sizeof *s.dim * (size_t)o->rank);
    memcpy(w.dim, o->dim, sizeof *w.dim * (size_t)o->rank);
    shape_strides(s, w.stride);
    if (v->layout == LAYOUT_TRANSPOSED)
        memcpy(w.stride, o->stride, sizeof *w.stride * (size_t)o->rank);
    return w;
}

static void emit_copy(struct plan *p, const struct value *v, const char *what, struct view from,
                      struct view to)
{
    struct map_program copy = {.n_in = 1, .space.rank = to.rank};
    const void *in[] = {plan_data(p, v->in[0])};
    memcpy(copy.space.dim, to.dim, sizeof to.dim);
    plan_step(p, v, what, kernels()->map_store,
              map_task(plan_arena(p), &copy, in, &from, plan_data(p, v), to));
}

static void emit_turn(struct plan *p, const struct value *v, const char *what, struct view from,
                      struct view to)
{
    struct copy_tasks *t = NEW(plan_arena(p), struct copy_tasks);
    t->n = 1;
    t->task = NEW(plan_arena(p), struct copy_task);
    *t->task = copy_task(plan_data(p, v), to, plan_data(p, v->in[0]), from);
    plan_step(p, v, what, kernels()->copy, t);
}

// Plain to transposed, or back.
static void lower_transposed(struct plan *p, const struct value *v)
{
    const struct value *x = v->in[0];
    const struct permutation o = permutation_of((v->layout == LAYOUT_TRANSPOSED ? v : x)->blocked,
                                                shape_size(v->shape));
    const bool same = x->type == v->type && v->type == TYPE_F32;
    if (x->layout != LAYOUT_PLAIN && v->layout != LAYOUT_PLAIN)
        BUG("%%%d: no reorder from %s to %s", v->id, x->blocked->name, v->blocked->name);
    (same ? emit_turn : emit_copy)(
        p, v, v->layout == LAYOUT_TRANSPOSED ? "reorder to transposed" : "reorder to plain",
        ordered(&o, x), ordered(&o, v));
}

static void lower_reorder(struct plan *p, const struct value *v)
{
    static const char *const layout[] = {"plain", "channels-last", "transposed", "blocked"};
    const struct value *x = v->in[0];
    if (x->layout == v->layout && x->blocked == v->blocked) {
        emit_copy(p, v, v->type == TYPE_BF16 ? "round to bf16" : "widen bf16", view_of(x),
                  view_of(v));
        return;
    }
    if (x->layout == LAYOUT_TRANSPOSED || v->layout == LAYOUT_TRANSPOSED) {
        lower_transposed(p, v);
        return;
    }
    const struct dnn_primitive *primitive = dnn_reorder(dnn_layout_of(x), dnn_layout_of(v));
    if (!primitive)
        BUG("%%%d: %s has no reorder from %s to %s", v->id, dnn_version(), layout[x->layout],
            layout[v->layout]);
    const struct dnn_args args = {.x = plan_data(p, x), .y = plan_data(p, v)};
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    const char *what = arena_printf(plan_arena(p), "reorder to %s%s %s", layout[v->layout],
                                    v->type == TYPE_BF16 ? " bf16" : "", dnn_name(primitive));
    plan_step(p, v, what, dnn_run, call);
}

const struct lowering rows_lower_reorder[] = {
    {.op = &op_reorder,
     .flags = RUNS_BLOCKED | RUNS_READING_BF16 | RUNS_WRITING_BF16,
     .lower = lower_reorder},
    {0}};
