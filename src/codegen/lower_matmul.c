#include "codegen/post_ops_lowering.h"
#include "codegen/lowering.h"

#include "base/arena.h"

#include <string.h>

static struct dnn_matmul lower_matmul_spec_of(const struct value *v, const struct post_ops *e)
{
    struct dnn_matmul spec;
    memset(&spec, 0, sizeof spec);
    const int rank = v->shape.rank;
    spec.takes = v->takes;
    spec.gives = v->type;
    spec.batch = rank == 3 ? v->shape.dim[0] : 1;
    spec.ta = v->attr.matmul.ta;
    spec.tb = v->attr.matmul.tb;
    spec.m = v->shape.dim[rank - 2];
    spec.n = v->shape.dim[rank - 1];
    spec.k = v->in[0]->shape.dim[rank - (spec.ta ? 2 : 1)];
    post_ops_to_dnn(e, v->shape, spec.after);
    return spec;
}

static bool matmul_post_ops_fit(const struct value *v, const struct post_ops *e)
{
    const struct dnn_matmul spec = lower_matmul_spec_of(v, e);
    return v->shape.rank == 2 && dnn_matmul(&spec);
}

static void lower_matmul(struct plan *p, const struct value *v)
{
    const struct post_ops e = post_ops_of(v);
    const struct dnn_matmul spec = lower_matmul_spec_of(v, &e);
    const struct dnn_primitive *primitive = dnn_matmul(&spec);
    if (!primitive)
        BUG("%%%d: %s multiplies no matrices (%d, %d)·(%d, %d)", v->id, dnn_version(), (int)spec.m,
            (int)spec.k, (int)spec.k, (int)spec.n);
    struct dnn_args args = {
        .x = plan_data(p, v->in[0]), .w = plan_data(p, v->in[1]), .y = plan_data(p, v)};
    post_ops_bind(p, v, &args);
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    plan_step(p, v, arena_printf(plan_arena(p), "matmul %s", dnn_name(primitive)), dnn_run, call);
}

const struct lowering rows_lower_matmul[] = {{.op = &op_matmul,
                                              .flags = RUNS_WRITING_BF16,
                                              .lower = lower_matmul,
                                              .post_ops_fit = matmul_post_ops_fit},
                                             {0}};
