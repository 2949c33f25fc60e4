// A graph is an array in an order in which its values can be computed. Passes rebuild the array
// from front to back, so the order never has to be found again: a rule's new values land where the
// old one stood, and reads of a slot stay on their side of its overwriting. A linked web of nodes
// without an order needs a scheduler that rediscovers all that, and anti-dependences to stop it
// from getting it wrong.
#include "ir/value.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

struct graph *graph_new(struct arena *a)
{
    struct graph *g = NEW(a, struct graph);
    g->arena = a;
    hash_map_init(&g->names, a);
    return g;
}

const char *graph_name(struct graph *g, const char *name)
{
    char *known = hash_map_get(&g->names, name);
    if (!known) {
        known = arena_strdup(g->arena, name);
        hash_map_set(&g->names, name, known);
    }
    return known;
}

static void append(struct graph *g, struct value *v)
{
    v->id = g->n;
    APPEND(g->arena, g->value, g->n, v);
}

struct value *graph_add(struct graph *g, const struct op *op, struct shape shape, int n_in,
                        struct value *const *in, struct attr attr)
{
    struct value *v = NEW(g->arena, struct value);
    *v = (struct value){.op = op,
                        .graph = g,
                        .shape = shape,
                        .n_in = n_in,
                        .attr = attr,
                        .where = g->where,
                        .label = g->label,
                        .backward = g->backward};
    v->in = NEW_ARRAY(g->arena, struct value *, n_in ? n_in : 1);
    for (int i = 0; i < n_in; i++) {
        if (in[i]->graph != g)
            BUG("%s: input %d belongs to another graph", op->name, i);
        v->in[i] = in[i];
    }
    v->storage = v;
    append(g, v);
    if (!g->excess && shape_size(shape) > ELEMENTS_MAX)
        g->excess = v;
    return v;
}

bool graph_fits(const struct graph *g, struct diag *d)
{
    struct text shape;
    if (!g->excess)
        return true;
    text_init(&shape);
    shape_text(g->excess->shape, &shape);
    fail(d, g->excess->where, "a tensor %s is too large%s%s\nexpected at most 2^40 numbers in one",
         shape.s, g->excess->label ? ", in " : "", g->excess->label ? g->excess->label : "");
    text_release(&shape);
    return false;
}

void graph_root(struct graph *g, const char *name, struct value *v)
{
    struct root root = {name ? arena_strdup(g->arena, name) : NULL, v};
    APPEND(g->arena, g->root, g->n_root, root);
}

struct value *graph_find_root(const struct graph *g, const char *name)
{
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].name && !strcmp(g->root[i].name, name))
            return g->root[i].value;
    return NULL;
}

static void map_inputs(struct value *v)
{
    for (int i = 0; i < v->n_in; i++)
        if (v->in[i]->replaced)
            v->in[i] = v->in[i]->replaced;
}

bool graph_rewrite(struct graph *g, struct value *(*rule)(struct value *v, void *context),
                   void *context)
{
    const struct place where = g->where;
    const char *label = g->label;
    const bool backward = g->backward;
    struct value **old = g->value;
    const int n = g->n;
    bool changed = false;
    g->value = NULL;
    g->n = 0;
    for (int i = 0; i < n; i++) {
        struct value *v = old[i];
        map_inputs(v);
        g->where = v->where;
        g->label = v->label;
        g->backward = v->backward;
        v->replaced = rule(v, context);
        if (v->replaced == v)
            v->replaced = NULL;
        else if (v->replaced)
            changed = true;
        if (!v->replaced)
            append(g, v);
    }
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].value->replaced)
            g->root[i].value = g->root[i].value->replaced;
    g->where = where;
    g->label = label;
    g->backward = backward;
    return changed;
}

bool graph_drop_unneeded(struct graph *g)
{
    bool *needed = NEW_ARRAY(g->arena, bool, g->n + 1);
    for (int i = 0; i < g->n_root; i++)
        needed[g->root[i].value->id] = true;
    for (int i = g->n - 1; i >= 0; i--)
        for (int j = 0; needed[i] && j < g->value[i]->n_in; j++)
            needed[g->value[i]->in[j]->id] = true;
    int kept = 0;
    for (int i = 0; i < g->n; i++) {
        if (!needed[i])
            continue;
        g->value[kept] = g->value[i];
        g->value[kept]->id = kept;
        kept++;
    }
    const bool changed = kept != g->n;
    // APPEND counts on room for n rounded up to a power of two, which shrinking in place keeps.
    g->n = kept;
    if (changed) {
        struct value **copy = NULL;
        int n = 0;
        for (int i = 0; i < kept; i++)
            APPEND(g->arena, copy, n, g->value[i]);
        g->value = copy;
    }
    return changed;
}
