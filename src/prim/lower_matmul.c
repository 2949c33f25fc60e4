#include "prim/lower.h"

#include "base/arena.h"
#include "plan/dnn.h"

#include <string.h>

void lower_matmul(struct plan *p, const struct value *v)
{
    const struct value *a = v->in[0], *b = v->in[1];
    struct dnn_matmul spec;
    memset(&spec, 0, sizeof spec);
    const int rank = v->shape.rank;
    spec.takes = v->takes;
    spec.gives = v->type;
    spec.batch = rank == 3 ? v->shape.dim[0] : 1;
    spec.ta = v->attr.i[0];
    spec.tb = v->attr.i[1];
    spec.m = v->shape.dim[rank - 2];
    spec.n = v->shape.dim[rank - 1];
    spec.k = a->shape.dim[rank - (spec.ta ? 2 : 1)];
    const struct dnn_primitive *primitive = dnn_matmul(&spec);
    if (!primitive)
        BUG("%%%d: %s multiplies no matrices (%d, %d)·(%d, %d)", v->id, dnn_version(),
            (int)spec.m, (int)spec.k, (int)spec.k, (int)spec.n);
    const struct dnn_args args = {
        .x = plan_data(p, a), .w = plan_data(p, b), .y = plan_data(p, v)};
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    plan_step(p, v, arena_printf(plan_arena(p), "matmul %s", dnn_name(primitive)), dnn_run, call);
}
