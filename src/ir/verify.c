// "This graph is well made" as a list of rules, checked after every pass. A violation is our own
// mistake, so the whole graph is printed with the culprit marked, and the program ends.
#include "ir/value.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/op.h"
#include "ir/slot.h"

#include <string.h>

static void broken(const struct graph *g, const struct value *culprit, const char *after,
                   const char *why)
{
    struct text t;
    text_init(&t);
    for (int i = 0; i < g->n; i++) {
        text_add(&t, g->value[i] == culprit ? ">>> " : "    ");
        value_text(g->value[i], &t);
    }
    fputs(t.s, stderr);
    BUG("after %s: %%%d: %s", after, culprit ? culprit->id : -1, why);
}

// The slot version whose memory v reads, NULL where v has its own.
static const struct value *version_behind(const struct value *v)
{
    while (v->op->flags & OP_ALIAS)
        v = v->in[0];
    return v->attr.slot ? v : NULL;
}

// A slot is overwritten in place, so a version may be read until the next one is made, and no
// longer.
static const char *check_versions(const struct graph *g, const struct value **current, int n_slots,
                                  const struct value **culprit)
{
    memset(current, 0, sizeof *current * (size_t)n_slots);
    for (int i = 0; i < g->n; i++) {
        const struct value *v = *culprit = g->value[i];
        for (int j = 0; j < v->n_in; j++) {
            const struct value *u = version_behind(v->in[j]);
            if (u && current[u->attr.slot->index] && current[u->attr.slot->index] != u)
                return "reads a slot's version after it was overwritten";
        }
        if (v->op->flags & OP_EFFECT)
            current[v->attr.slot->index] = v;
    }
    return NULL;
}

static const char *check_value(const struct graph *g, const struct value *v)
{
    if (v->graph != g || g->value[v->id] != v)
        return "stands at another position than its id says";
    for (int i = 0; i < v->n_in; i++)
        if (v->in[i]->graph != g || v->in[i]->id >= v->id || g->value[v->in[i]->id] != v->in[i])
            return "reads a value that does not stand before it";
    for (int i = 0; i < v->shape.rank; i++)
        if (v->shape.dim[i] < 1)
            return "has an empty dimension";
    if ((v->op->flags & OP_EFFECT) && !v->attr.slot)
        return "changes no slot";
    if (v->op->flags & OP_ALIAS) {
        const int64_t own = shape_size(v->shape), whole = shape_size(v->in[0]->shape);
        if (v->op == &op_part ? (v->attr.part + 1) * own > whole : own != whole)
            return "shares memory of another size";
    }
    return NULL;
}

void graph_verify(const struct graph *g, const char *after)
{
    int n_slots = 1;
    for (int i = 0; i < g->n; i++) {
        const char *why = check_value(g, g->value[i]);
        if (why)
            broken(g, g->value[i], after, why);
        if (g->value[i]->attr.slot && g->value[i]->attr.slot->index >= n_slots)
            n_slots = g->value[i]->attr.slot->index + 1;
    }
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].value->id >= g->n || g->value[g->root[i].value->id] != g->root[i].value)
            broken(g, g->root[i].value, after, "is a root, but not in the graph");
    const struct value **current = NEW_ARRAY(g->arena, const struct value *, n_slots);
    const struct value *culprit = NULL;
    const char *why = check_versions(g, current, n_slots, &culprit);
    if (why)
        broken(g, culprit, after, why);
}
