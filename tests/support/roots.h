// What a pass must not change, and what it must: the numbers of a graph's roots, by its reference
// kernels, and how many ops of a kind it has. Include after cmocka.h.
#include "base/arena.h"
#include "ir/build.h"

#include <math.h>

static inline int count(const struct graph *g, const struct op *op)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += g->value[i]->op == op;
    return n;
}

// By root; in the graph's arena.
static inline double **roots_of(const struct graph *g, const struct reference *source)
{
    double **result = graph_reference(g, source, g->arena),
           **root = NEW_ARRAY(g->arena, double *, g->n_root);
    for (int k = 0; k < g->n_root; k++)
        root[k] = result[g->root[k].value->id];
    return root;
}

static inline void assert_same_roots(const struct graph *g, const struct reference *source,
                                     double *const *want)
{
    double **got = roots_of(g, source);
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0, n = shape_size(g->root[k].value->shape); i < n; i++)
            assert_true(fabs(got[k][i] - want[k][i]) <= 1e-12 * (1 + fabs(want[k][i])));
}
