// Matrix products by oneDNN, mostly on matrices as the graph has them. It would rather have weights
// in blocks of its own, and copies them there each time; a second copy that the optimizer writes
// (pass/twin.c) saves that, and costs the optimizer about as much memory as the copy. So only the
// gradients that gain most ask for one. The forward product gains a third, but its blocks go across
// the rows that the optimizer walks along: writing them took longer than they saved.
#include "prim/epilogue.h"
#include "prim/lower.h"

#include "base/arena.h"

#include <string.h>

static struct dnn_matmul spec_of(const struct value *v, const struct epilogue *e)
{
    struct dnn_matmul spec;
    memset(&spec, 0, sizeof spec);
    const int rank = v->shape.rank;
    spec.takes = v->takes;
    spec.gives = v->type;
    spec.batch = rank == 3 ? v->shape.dim[0] : 1;
    spec.ta = v->attr.i[0];
    spec.tb = v->attr.i[1];
    spec.packed = v->in[1]->layout == LAYOUT_OPAQUE;
    spec.m = v->shape.dim[rank - 2];
    spec.n = v->shape.dim[rank - 1];
    spec.k = v->in[0]->shape.dim[rank - (spec.ta ? 2 : 1)];
    epilogue_post_ops(e, v->shape, spec.after);
    return spec;
}

// Where rows of weights are a multiple of 2 KB apart, what a block of columns touches competes for
// few places in the caches: packed, the product takes half to three quarters of the time.
static bool worth_packing(const struct value *v)
{
    enum { LEAST = 1 << 14, APART = 2048 };
    const int64_t n = v->shape.dim[1];
    return v->takes == TYPE_F32 && !v->attr.i[1] && shape_size(v->in[1]->shape) >= LEAST &&
           n * (int64_t)sizeof(float) % APART == 0;
}

bool matmul_epilogue(const struct value *v, const struct epilogue *e)
{
    const struct dnn_matmul spec = spec_of(v, e);
    return v->shape.rank == 2 && dnn_matmul(&spec);
}

// Asked by pass/layout.c before it has laid v out.
const struct opaque_layout *matmul_opaque_layout(const struct value *v, int i)
{
    const struct slot *s = i == 1 && v->shape.rank == 2 ? v->in[1]->attr.slot : NULL;
    if (!s || slot_lies(s) || !worth_packing(v))
        return NULL;
    const struct epilogue e = epilogue_of(v);
    struct dnn_matmul spec = spec_of(v, &e);
    spec.packed = true;
    const struct dnn_primitive *p = dnn_matmul(&spec);
    const struct dnn_layout *l = p ? dnn_matmul_weights(p) : NULL;
    const struct opaque_layout *head = l ? dnn_layout_head(l) : NULL;
    return head && slot_may_have_twin(s, head, v->takes) ? head : NULL;
}

void lower_matmul(struct plan *p, const struct value *v)
{
    const struct epilogue e = epilogue_of(v);
    const struct dnn_matmul spec = spec_of(v, &e);
    const struct dnn_primitive *primitive = dnn_matmul(&spec);
    if (!primitive)
        BUG("%%%d: %s multiplies no matrices (%d, %d)·(%d, %d)", v->id, dnn_version(), (int)spec.m,
            (int)spec.k, (int)spec.k, (int)spec.n);
    if (spec.packed && dnn_layout_of(v->in[1]) != dnn_matmul_weights(primitive))
        BUG("%%%d: its weights were packed for another product", v->id);
    struct dnn_args args = {
        .x = plan_data(p, v->in[0]), .w = plan_data(p, v->in[1]), .y = plan_data(p, v)};
    epilogue_bind(p, v, &args);
    struct dnn_call *call = dnn_bind(plan_arena(p), primitive, args);
    plan_scratch(p, dnn_scratch(primitive), dnn_call_room, call);
    plan_step(p, v, arena_printf(plan_arena(p), "matmul %s", dnn_name(primitive)), dnn_run, call);
}
