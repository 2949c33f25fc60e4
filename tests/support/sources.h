// What a test gives to a graph's sources, to its reference kernels and to its plan alike.
#include "base/arena.h"
#include "ir/op.h"
#include "ir/slot.h"
#include "codegen/plan.h"
#include "codegen/tasks.h"

enum { SEED = 99, STEP = 3 }; // of the draws

static double given(const struct value *v,
                    int64_t i); // element i of an input or a slot: the test's

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = v->op != &op_random
                     ? (float)given(v, i)
                     : random_at((enum random_kind)v->attr.random.kind, v->attr.random.a,
                                 v->attr.random.b, (uint64_t)v->attr.random.stream,
                                 (struct plan_clock){SEED, STEP}, i);
}

static void write_sources(const struct graph *g, struct plan *p, float *slab)
{
    for (int k = 0; k < g->n; k++) {
        const struct value *v = g->value[k];
        const int64_t n = shape_size(v->shape);
        float *to = v->attr.name         ? plan_input(p, v->attr.name)
                    : v->op == &op_param ? NEW_ARRAY(g->arena, float, n)
                                         : NULL;
        for (int64_t i = 0; to && i < n; i++)
            to[i] = (float)given(v, i);
        if (v->op == &op_param)
            slot_put(v->attr.slot, slab, to);
    }
}
