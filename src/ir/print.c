#include "ir/value.h"

#include "base/text.h"
#include "ir/build.h"

static void slot_text(const struct value *v, struct text *out)
{
    const struct slot *s = v->attr.slot;
    text_addf(out, " %s", s->name);
    for (const struct packed_copy *t = s->packed_copy; t && (v->op->flags & OP_EFFECT); t = t->next)
        if (effect_writes_packed(v, t))
            text_addf(out, " and as %s%s", t->layout ? t->layout->name : "plain",
                      t->type == TYPE_BF16 ? " bf16" : "");
}

void value_text(const struct value *v, struct text *out)
{
    text_addf(out, "%%%d = %s(", v->id, v->op->name);
    for (int i = 0; i < v->n_in; i++)
        text_addf(out, "%s%%%d", i ? ", " : "", v->in[i]->id);
    text_add(out, ") ");
    shape_text(v->shape, out);
    if (v->layout != LAYOUT_PLAIN)
        text_addf(out, " %s", v->blocked ? v->blocked->name : "channels-last");
    text_add(out, v->type == TYPE_BF16 ? " bf16" : "");
    text_add(out, v->by_library ? " by oneDNN" : "");
    text_add(out, v->takes == TYPE_BF16 ? " of bf16" : "");
    if (v->attr.name)
        text_addf(out, " %s", v->attr.name);
    if (v->attr.slot)
        slot_text(v, out);
    if (v->op->print) {
        text_add(out, " ");
        v->op->print(v, out);
    }
    if (v->where.source && v->where.line)
        text_addf(out, "  # %s:%d", v->where.source->name, v->where.line);
    if (v->label)
        text_addf(out, "%s%s", v->where.source && v->where.line ? " " : "  # ", v->label);
    text_add(out, "\n");
}

void graph_print(const struct graph *g, struct text *out)
{
    for (int i = 0; i < g->n; i++)
        value_text(g->value[i], out);
    for (int i = 0; i < g->n_root; i++)
        if (g->root[i].name)
            text_addf(out, "%s = %%%d\n", g->root[i].name, g->root[i].value->id);
}
