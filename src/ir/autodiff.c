// Reverse accumulation, as a constructor. One walk forward marks what depends on the x's, one walk
// back asks each marked op for its inputs' share of the gradient, in the same ops the graph is made
// of. So a gradient is a value like any other: a penalty differentiates while the loss is being
// built, the update differentiates the result again, and no op needs to know. A tape of backward
// closures computes the first derivative as well, and then has nothing to say about the second.
#include "ir/build.h"

#include "base/arena.h"
#include "ir/reach.h"

enum { NO_WAY_BACK = OP_NO_GRAD | OP_EFFECT };

// What y is computed from, by position there: whether it depends on one of the x's, and its share of the gradient.
struct backward_walk {
    struct reach behind;
    bool *depends;
    struct value **adjoint;
};

// Does v depend on one of the x's; decided in order of the graph.
static bool *mark(const struct reach *r, struct value *const *x, int n)
{
    bool *depends = NEW_ARRAY(r->arena, bool, r->n);
    for (int i = 0; i < n; i++)
        if (reach_position(r, x[i]) >= 0)
            depends[reach_position(r, x[i])] = true;
    for (int i = 0; i < r->n; i++) {
        const struct value *v = r->value[i];
        if (v->op->flags & NO_WAY_BACK)
            continue;
        for (int j = 0; j < v->n_in && !depends[i]; j++)
            depends[i] = depends[reach_position(r, v->in[j])];
    }
    return depends;
}

// Adds the shares that v's inputs have in dy.
static void pull(struct backward_walk *w, struct value *v, struct value *dy)
{
    struct graph *g = v->graph;
    bool *want = NEW_ARRAY(g->arena, bool, v->n_in);
    struct value **dx = NEW_ARRAY(g->arena, struct value *, v->n_in);
    bool any = false;
    for (int i = 0; i < v->n_in; i++)
        any |= want[i] = w->depends[reach_position(&w->behind, v->in[i])];
    if (!any)
        return; // an x that is not a leaf: what lies behind it is not asked for
    if (!v->op->grad)
        BUG("%s has no gradient", v->op->name);
    v->op->grad(v, dy, want, dx);
    for (int i = 0; i < v->n_in; i++) {
        struct value **sum_to = &w->adjoint[reach_position(&w->behind, v->in[i])];
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
    if (shape_size(y->shape) != 1)
        BUG("gradient of a value that is no scalar");
    struct backward_walk w = {.behind = reach_open(y, NO_WAY_BACK)};
    w.depends = mark(&w.behind, x, n);
    w.adjoint = NEW_ARRAY(w.behind.arena, struct value *, w.behind.n);
    const int last = w.behind.n - 1;
    g->backward = true;
    w.adjoint[last] = constant(g, 1, y->shape);
    for (int i = last; i >= 0; i--) {
        struct value *v = w.behind.value[i];
        if (!w.adjoint[i] || !w.depends[i] || v->n_in == 0 || (v->op->flags & NO_WAY_BACK))
            continue;
        g->where = v->where;
        g->label = v->label;
        pull(&w, v, w.adjoint[i]);
    }
    for (int i = 0; i < n; i++) {
        const int at = reach_position(&w.behind, x[i]);
        dx[i] = at >= 0 && w.adjoint[at] && w.depends[last] ? w.adjoint[at]
                                                            : constant(g, 0, x[i]->shape);
    }
    reach_close(&w.behind);
    g->where = where;
    g->label = label;
    g->backward = backward;
}
