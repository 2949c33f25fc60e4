// Reverse accumulation, as a constructor. One walk forward marks what depends on the x's, one walk
// back asks each marked op for its inputs' share of the gradient, in the same ops the graph is made
// of. So a gradient is a value like any other: a penalty differentiates while the loss is being
// built, the update differentiates the result again, and no op needs to know. A tape of backward
// closures computes the first derivative as well, and then has nothing to say about the second.
#include "ir/build.h"

#include "base/arena.h"

// Does v depend on one of the x's; decided in order of the graph.
static bool *mark(struct graph *g, int end, struct value *const *x, int n)
{
    bool *depends = NEW_ARRAY(g->arena, bool, end);
    for (int i = 0; i < n; i++)
        if (x[i]->id < end)
            depends[x[i]->id] = true;
    for (int i = 0; i < end; i++) {
        const struct value *v = g->value[i];
        if (v->op->flags & (OP_NO_GRAD | OP_EFFECT))
            continue;
        for (int j = 0; j < v->n_in && !depends[i]; j++)
            depends[i] = depends[v->in[j]->id];
    }
    return depends;
}

// Adds the shares that v's inputs have in dy.
static void pull(struct value *v, struct value *dy, const bool *depends, struct value **adjoint)
{
    struct graph *g = v->graph;
    bool *want = NEW_ARRAY(g->arena, bool, v->n_in);
    struct value **dx = NEW_ARRAY(g->arena, struct value *, v->n_in);
    bool any = false;
    for (int i = 0; i < v->n_in; i++)
        any |= want[i] = depends[v->in[i]->id];
    if (!any)
        return; // an x that is not a leaf: what lies behind it is not asked for
    if (!v->op->grad)
        BUG("%s has no gradient", v->op->name);
    v->op->grad(v, dy, want, dx);
    for (int i = 0; i < v->n_in; i++) {
        struct value **sum_to = &adjoint[v->in[i]->id];
        if (!want[i] || !dx[i])
            continue;
        if (!shape_equal(dx[i]->shape, v->in[i]->shape))
            BUG("gradient of %s: share of input %d has the wrong shape", v->op->name, i);
        *sum_to = *sum_to ? add(*sum_to, dx[i]) : dx[i];
    }
}

void gradient(struct value *y, struct value *const *x, int n, struct value **dx)
{
    struct graph *g = y->graph;
    const struct place where = g->where;
    const char *label = g->label;
    const bool backward = g->backward;
    const int end = y->id + 1;
    if (shape_size(y->shape) != 1)
        BUG("gradient of a value that is no scalar");
    const bool *depends = mark(g, end, x, n);
    struct value **adjoint = NEW_ARRAY(g->arena, struct value *, end);
    g->backward = true;
    adjoint[y->id] = constant(g, 1, y->shape);
    for (int i = y->id; i >= 0; i--) {
        struct value *v = g->value[i];
        if (!adjoint[i] || !depends[i] || v->n_in == 0 || (v->op->flags & (OP_NO_GRAD | OP_EFFECT)))
            continue;
        g->where = v->where;
        g->label = v->label;
        pull(v, adjoint[i], depends, adjoint);
    }
    for (int i = 0; i < n; i++)
        dx[i] = x[i]->id < end && adjoint[x[i]->id] && depends[y->id] ? adjoint[x[i]->id]
                                                                      : constant(g, 0, x[i]->shape);
    g->where = where;
    g->label = label;
    g->backward = backward;
}
