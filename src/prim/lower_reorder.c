#include "prim/lower.h"

#include "base/arena.h"
#include "plan/dnn.h"
#include "prim/kernel.h"

// Rounding, or the way back.
static void lower_type(struct plan *p, const struct value *v)
{
    const struct value *x = v->in[0];
    const struct map_program copy = {.n_in = 1, .space = v->shape};
    const struct view from = view_of(x);
    const void *in[] = {plan_data(p, x)};
    const struct map_task *t = map_task(plan_arena(p), &copy, in, &from, plan_data(p, v),
                                        view_of(v));
    plan_step(p, v, v->type == TYPE_BF16 ? "round to bf16" : "widen bf16", kernels()->map_store, t);
}

void lower_reorder(struct plan *p, const struct value *v)
{
    static const char *const layout[] = {"plain", "channels-last", "opaque"};
    const struct value *x = v->in[0];
    if (x->layout == v->layout && x->opaque == v->opaque) {
        lower_type(p, v);
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
