#include "prim/lower.h"

#include "base/arena.h"
#include "plan/dnn.h"

void lower_reorder(struct plan *p, const struct value *v)
{
    static const char *const layout[] = {"plain", "channels-last", "opaque"};
    const struct value *x = v->in[0];
    const struct dnn_primitive *primitive = dnn_reorder(dnn_layout_of(x), dnn_layout_of(v));
    if (!primitive)
        BUG("%%%d: %s has no reorder from %s to %s", v->id, dnn_version(), layout[x->layout],
            layout[v->layout]);
    const struct dnn_args args = {.x = plan_data(p, x), .y = plan_data(p, v)};
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    const char *what = arena_printf(plan_arena(p), "reorder to %s %s", layout[v->layout],
                                    dnn_name(primitive));
    plan_step(p, v, what, dnn_run, call);
}
