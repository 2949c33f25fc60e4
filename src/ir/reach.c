// The list of what was met is the queue of what is to be looked behind: no recursion, since a network may be ten thousand layers
// deep. The marks belong to the graph and are taken back, so that a walk costs nothing for what it does not meet.
#include "ir/reach.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static void widen_marks(struct graph *g)
{
    if (g->n <= g->n_reached)
        return;
    int *wider = NEW_ARRAY(g->arena, int, 2 * g->n);
    if (g->n_reached)
        memcpy(wider, g->reached, sizeof *wider * (size_t)g->n_reached);
    g->reached = wider;
    g->n_reached = 2 * g->n;
}

static void meet(struct reach *r, struct value *v)
{
    if (r->graph->reached[v->id])
        return;
    r->graph->reached[v->id] = 1;
    APPEND(r->arena, r->value, r->n, v);
}

static int reach_order(const void *pa, const void *pb)
{
    const struct value *const *a = pa, *const *b = pb;
    return (*a)->id - (*b)->id;
}

struct reach reach_open(struct value *y, unsigned end)
{
    struct reach r = {.arena = arena_new(NULL), .graph = y->graph};
    widen_marks(r.graph);
    ASSERT(!r.graph->reached[y->id]);
    meet(&r, y);
    for (int i = 0; i < r.n; i++)
        for (int j = 0; !(r.value[i]->op->flags & end) && j < r.value[i]->n_in; j++)
            meet(&r, r.value[i]->in[j]);
    qsort(r.value, (size_t)r.n, sizeof *r.value, reach_order);
    for (int i = 0; i < r.n; i++)
        r.graph->reached[r.value[i]->id] = i + 1;
    return r;
}

int reach_position(const struct reach *r, const struct value *v)
{
    return v->id < r->graph->n_reached ? r->graph->reached[v->id] - 1 : -1;
}

void reach_close(struct reach *r)
{
    for (int i = 0; i < r->n; i++)
        r->graph->reached[r->value[i]->id] = 0;
    arena_free(r->arena);
}
