// The interpreter: each value by the meaning of its op, in float64, one after the other. It is what
// passes and machines are held to, so it knows neither.
//
// A slot has one array, whichever value reads it first: an update makes the next version in an array
// of its own, but changes its moments where they lie, and a second update of the same slot has to
// find them changed.
#include "ir/value.h"

#include "base/arena.h"
#include "ir/op.h"
#include "ir/slot.h"

// The value that read v's slot first; v itself, where none did.
static const struct value *first_read(const struct graph *g, const struct value *v)
{
    for (int i = 0; v->op == &op_param && i < v->id; i++)
        if (g->value[i]->op == &op_param && g->value[i]->attr.slot == v->attr.slot)
            return g->value[i];
    return v;
}

double **graph_reference(const struct graph *g, const struct reference *r, struct arena *a)
{
    double **result = NEW_ARRAY(a, double *, g->n);
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i], *first = first_read(g, v);
        ASSERT(v->id == i);
        if (first != v) {
            result[i] = result[first->id];
            continue;
        }
        result[i] = NEW_ARRAY(a, double, shape_size(v->shape));
        if (!v->op->reference) {
            ASSERT(v->op->flags & OP_SOURCE);
            r->input(r->context, v, result[i]);
            continue;
        }
        const double **in = NEW_ARRAY(a, const double *, v->n_in + 1);
        for (int j = 0; j < v->n_in; j++)
            in[j] = result[v->in[j]->id];
        v->op->reference(v, in, result[i]);
    }
    return result;
}
