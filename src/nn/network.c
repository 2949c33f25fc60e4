// Applying a network: one walk over its stages, which network_read.c has put in an order in which
// they can be computed and whose names it has resolved. So an application knows no YAML, and a
// network can be applied to other arguments, in another graph or with other versions of its
// weights, as often as expressions ask. Building the graph while reading would make the first
// application special and the second one (a cycle's way back) a copy of the first.
#include "nn/body.h"

#include "base/arena.h"

#include <string.h>

// --- versions ------------------------------------------------------------------------------------

static struct value **version_of(struct versions *v, const struct slot *slot)
{
    ASSERT(slot->index >= 0 && slot->index < slot->all->n);
    while (v->n <= slot->index)
        APPEND(v->graph->arena, v->current, v->n, (struct value *)NULL);
    return &v->current[slot->index];
}

struct value *versions_read(struct versions *v, struct slot *slot)
{
    struct value **current = version_of(v, slot);
    if (!*current)
        *current = param(v->graph, slot);
    return *current;
}

void versions_write(struct versions *v, struct slot *slot, struct value *next)
{
    *version_of(v, slot) = next;
}

// --- signatures ----------------------------------------------------------------------------------

bool signature_fits(struct signature is, struct signature wanted)
{
    if (wanted.classes)
        return is.classes > 0 && is.classes <= wanted.classes;
    return !is.classes && shape_equal(is.shape, wanted.shape);
}

// --- the walk ------------------------------------------------------------------------------------

struct value *walk_value(const struct walk *walk, int source)
{
    ASSERT(source != SOURCE_NONE && source < walk->body->n_stage);
    return source < 0 ? walk->argument[~source] : walk->result[source];
}

static double multiply_adds(const struct graph *g, int from)
{
    double n = 0;
    for (int i = from; i < g->n; i++)
        if (g->value[i]->op->multiply_adds)
            n += g->value[i]->op->multiply_adds(g->value[i]);
    return n;
}

// Of what holds something for each sample and has memory of its own.
static double activation_bytes(const struct graph *g, int from, int64_t batch)
{
    double n = 0;
    for (int i = from; i < g->n; i++) {
        const struct value *v = g->value[i];
        if (!(v->op->flags & (OP_SOURCE | OP_ALIAS)) && v->shape.rank && v->shape.dim[0] == batch)
            n += 4.0 * (double)shape_size(v->shape);
    }
    return n;
}

static struct layer_row network_make_row(struct graph *g, const struct stage *stage,
                                         const struct value *y, int from, int64_t batch)
{
    struct layer_row row = {
        .layer = arena_printf(g->arena, "%s %s", stage->number, stage->layer->word.name),
        .word = stage->layer->word.name,
        .flags = stage->layer->flags,
        .where = stage->where};
    row.output.rank = y->shape.rank - 1;
    memcpy(row.output.dim, y->shape.dim + 1, sizeof row.output.dim - sizeof *row.output.dim);
    for (int i = 0; i < stage->n_slot; i++)
        if (stage->slot[i].slot->kind == SLOT_PARAM)
            row.params += shape_size(stage->slot[i].slot->shape);
    row.multiply_adds = multiply_adds(g, from) / (double)batch;
    row.activation_bytes = activation_bytes(g, from, batch) / (double)batch;
    return row;
}

static struct value *check_size(struct layer_ctx *ctx, struct value *y)
{
    const int64_t each_max = INT64_C(1) << 31;
    const int64_t each = y ? shape_size(y->shape) / y->shape.dim[0] : 0;
    if (each > each_max)
        return ctx_fail(ctx, "'%s' would give %.3g numbers a sample,",
                        ((struct walk *)ctx->application->own)->stage->layer->word.name,
                        (double)each);
    return y;
}

// A label has no features: only what says so may read one.
static bool takes(struct layer_ctx *ctx, const struct layer *layer, const struct value *x)
{
    bool label = x->shape.rank == 1 && !(layer->flags & LAYER_LABEL);
    for (int i = 0; i < ctx->n_other && !(layer->flags & LAYER_BY_LABEL); i++)
        label = label || ctx->other[i]->shape.rank == 1;
    if (label)
        ctx_fail(ctx, "'%s' wants no label\nput `embedding` or `one_hot` before it",
                 layer->word.name);
    return !label;
}

static struct value *network_build(struct application *app, struct stage *stage, bool training,
                                   struct diag *d)
{
    struct walk *walk = app->own;
    struct graph *g = walk->versions->graph;
    struct value **other = NEW_ARRAY(g->arena, struct value *, stage->n_other + 1);
    for (int i = 0; i < stage->n_other; i++)
        other[i] = walk_value(walk, stage->other[i]);
    struct layer_ctx ctx = {g, d, stage->where, training, other, stage->n_other, app};
    walk->stage = stage;
    g->where = stage->where;
    g->label = stage->label;
    struct value *x = walk_value(walk, stage->from);
    const int from = g->n, tracked = app->n_tracked;
    struct value *y = takes(&ctx, stage->layer, x) ? stage->layer->build(&ctx, stage->params, x)
                                                   : NULL;
    y = check_size(&ctx, y);
    if (y && !graph_fits(g, d))
        y = NULL;
    for (int i = tracked; i < app->n_tracked; i++)
        app->tracked[i].of = y;
    if (y) {
        struct layer_row row = network_make_row(g, stage, y, from, x->shape.dim[0]);
        APPEND(g->arena, app->row, app->n_row, row);
    }
    return y;
}

static bool walk_stages(struct application *app, bool training, struct diag *d)
{
    struct walk *walk = app->own;
    for (int i = 0; i < walk->body->n_stage; i++) {
        walk->result[i] = network_build(app, walk->body->stage[i], training, d);
        if (!walk->result[i])
            return false;
    }
    return true;
}

struct application *network_apply(struct network *net, struct versions *v,
                                  struct value *const *argument, bool training, struct diag *d)
{
    struct graph *g = v->graph;
    struct body *body = net->own;
    const struct place where = g->where;
    const char *label = g->label;
    struct walk *walk = NEW(g->arena, struct walk);
    struct application *app = NEW(g->arena, struct application);
    *walk = (struct walk){.body = body, .versions = v, .argument = argument};
    walk->result = NEW_ARRAY(g->arena, struct value *, body->n_stage + 1);
    app->network = net;
    app->own = walk;
    const bool good = walk_stages(app, training, d);
    g->where = where;
    g->label = label;
    if (!good)
        return NULL;
    app->output = NEW_ARRAY(g->arena, struct value *, net->n_output);
    for (int i = 0; i < net->n_output; i++)
        app->output[i] = walk_value(walk, body->result[i]);
    return app;
}
