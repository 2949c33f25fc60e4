#include "opt/alike.h"

#include "base/arena.h"
#include "ir/op.h"

bool alike(const struct value *a, const struct value *b)
{
    if (a == b || a->op != b->op || a->n_in != b->n_in || !shape_equal(a->shape, b->shape) ||
        !attr_equal(a->op->attr, &a->attr, &b->attr) || (a->op->flags & (OP_EFFECT | OP_SOURCE)))
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (!shape_equal(a->in[i]->shape, b->in[i]->shape))
            return false;
    return true;
}

struct readers readers_of(const struct graph *g, struct arena *a)
{
    const struct readers r = {NEW_ARRAY(a, struct value **, g->n + 1), NEW_ARRAY(a, int, g->n + 1),
                              NEW_ARRAY(a, bool, g->n + 1)};
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++) {
            const int id = g->value[i]->in[j]->id, n = r.n_user[id];
            if (!n || r.user[id][n - 1] != g->value[i])
                APPEND(a, r.user[id], r.n_user[id], g->value[i]);
        }
    for (int i = 0; i < g->n_root; i++)
        r.is_root[g->root[i].value->id] = true;
    return r;
}

struct value **growing_values(const struct graph *g, struct arena *a, int *n)
{
    struct value **growing = NULL;
    *n = 0;
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        bool grows = v->op->flags & OP_PRODUCT;
        for (int j = 0; j < v->n_in && !grows; j++)
            grows = shape_size(v->shape) > shape_size(v->in[j]->shape);
        if (grows)
            APPEND(a, growing, *n, g->value[i]);
    }
    return growing;
}
