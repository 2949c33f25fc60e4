// Common subexpressions: two values of the same op, attributes and inputs are one. Since an update
// makes new versions of its parameters, "the same inputs" already means "no update in between", so
// generator(z) is computed once for critic and generator exactly when neither changes it before the
// other reads it. Comparing expressions as the user wrote them would need that rule said again, and
// would miss what differentiation repeats. Equal random draws carry equal stream numbers; effects
// are never merged.
#include "opt/pass.h"

#include "base/arena.h"
#include "base/size.h"

#include <string.h>

struct cse_table {
    struct value **slot;
    size_t n; // a power of two
};

WRAPS static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 1099511628211u;
    return h;
}

static uint64_t cse_hash(const struct value *v)
{
    uint64_t h = mix(14695981039346656037u, &v->op, sizeof v->op);
    const uint64_t attr = attr_hash(v->op->attr, &v->attr);
    h = mix(h, &attr, sizeof attr);
    h = mix(h, v->shape.dim,
            sizeof *v->shape.dim * (size_t)v->shape.rank); // beyond it they say nothing
    return mix(h, v->in, sizeof *v->in * (size_t)v->n_in);
}

static bool equal(const struct value *a, const struct value *b)
{
    return a->op == b->op && a->n_in == b->n_in && attr_equal(a->op->attr, &a->attr, &b->attr) &&
           shape_equal(a->shape, b->shape) &&
           !memcmp(a->in, b->in, sizeof *a->in * (size_t)a->n_in);
}

static struct value *cse_merge(struct value *v, void *context)
{
    struct cse_table *t = context;
    if (v->op->flags & OP_EFFECT)
        return NULL;
    size_t i = cse_hash(v) & (t->n - 1);
    while (t->slot[i] && !equal(t->slot[i], v))
        i = (i + 1) & (t->n - 1);
    if (t->slot[i])
        return t->slot[i];
    t->slot[i] = v;
    return NULL;
}

bool pass_cse(struct graph *g)
{
    struct arena *scratch = arena_new(NULL);
    struct cse_table t = {.n = 64};
    while (t.n < 2 * (size_t)g->n)
        t.n *= 2;
    t.slot = NEW_ARRAY(scratch, struct value *, t.n);
    const bool changed = graph_rewrite(g, cse_merge, &t);
    arena_free(scratch);
    return changed;
}
