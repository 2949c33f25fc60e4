// What a training iteration draws and computes on the way, as roots under names that another
// program can find: program.h lists them. Losses and gradients are roots from the start; what is
// drawn, and named values, only if the sweep leaves them, so that a trace holds what training
// computes and nothing that it does not. Looking into the plan's memory instead would find other
// values there: a plan reuses memory as soon as it may, and passes leave no name on most values.
#include "base/arena.h"
#include "ir/op.h"
#include "program/builder.h"

#include <string.h>

static void add_pending(struct builder *b, const char *name, struct value *v)
{
    const struct part part = {name, v};
    APPEND(b->arena, b->pending, b->n_pending, part);
}

static bool drawn_inside(const struct value *v)
{
    return v->op == &op_random && v->attr.random.stream < NOISE_STREAMS;
}

// "critic.2 dropout" → "critic.2"
static int place_length(const struct value *v)
{
    return v->label ? (int)strcspn(v->label, " ") : 0;
}

static bool program_trace_same_place(const struct value *v, const struct value *w)
{
    const int n = place_length(v);
    return n == place_length(w) &&
           !strncmp(v->label ? v->label : "", w->label ? w->label : "", (size_t)n);
}

static void trace_random(struct builder *b, const struct update_run *run, int from, int to)
{
    const struct graph *g = b->graph;
    for (int i = from; i < to; i++) {
        struct value *v = g->value[i];
        int before = 0;
        if (!drawn_inside(v))
            continue;
        for (int j = from; j < i; j++)
            before += drawn_inside(g->value[j]) && program_trace_same_place(g->value[j], v);
        add_pending(b,
                    arena_printf(b->arena, "random/%d/%.*s.%d@%d", run->update->number,
                                 place_length(v), v->label ? v->label : "", before,
                                 run->repetition),
                    v);
    }
}

void trace_run(struct builder *b, const struct update_run *run, int from)
{
    struct arena *a = b->arena;
    const int U = run->update->number, R = run->repetition;
    trace_random(b, run, from, b->graph->n);
    for (int i = 0; i < b->n_named; i++)
        add_pending(b, arena_printf(a, "value/%d/%s@%d", U, b->named[i].name, R),
                    b->named[i].value);
    graph_root(b->graph, arena_printf(a, "loss/%d@%d", U, R), run->loss);
    for (int i = 0; i < run->n_part; i++)
        graph_root(b->graph, arena_printf(a, "loss/%d/%s@%d", U, run->part[i].name, R),
                   run->part[i].value);
    for (int i = 0; i < run->n; i++)
        graph_root(b->graph, arena_printf(a, "grad/%d/%s@%d", U, run->slot[i]->name, R),
                   run->gradient[i]);
}

void trace_draws(struct builder *b)
{
    for (int i = 0; i < b->n_pending; i++)
        if (survives(b->graph, b->pending[i].value))
            graph_root(b->graph, b->pending[i].name, b->pending[i].value);
    for (int i = 0; i < b->n_input; i++) {
        const struct source_input *in = &b->input[i];
        if (in->noise && survives(b->graph, in->value))
            graph_root(b->graph, arena_printf(b->arena, "noise/%s@%d", in->noise->name, in->draw),
                       in->value);
    }
}
