// What a layer's build function may ask for. A layer sees one value and its context; slots, versions,
// names and places are kept here, so that a layer file holds its formula and nothing else.
#include "nn/body.h"

#include "base/arena.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

static struct walk *walk_of(const struct layer_ctx *ctx) { return ctx->application->own; }

// --- slots ---------------------------------------------------------------------------------------

static struct slot *find_slot(const struct stage *stage, const char *name)
{
    for (int i = 0; i < stage->n_slot; i++)
        if (!strcmp(stage->slot[i].name, name))
            return stage->slot[i].slot;
    return NULL;
}

static void list_slot(struct network *net, const struct stage *stage, struct slot *slot)
{
    struct arena *a = ((struct body *)net->own)->arena;
    if (slot->kind == SLOT_BUFFER) {
        APPEND(a, net->buffer, net->n_buffer, slot);
        return;
    }
    int n = net->n_param;
    APPEND(a, net->param_head, n, stage->head);
    APPEND(a, net->param, net->n_param, slot);
}

static struct slot *make_slot(struct layer_ctx *ctx, const char *name, enum slot_kind kind,
                              struct shape shape, struct init init)
{
    struct walk *walk = walk_of(ctx);
    struct stage *stage = walk->stage;
    struct arena *a = walk->body->arena;
    struct network *net = ctx->application->network;
    const char *full = arena_printf(a, "%s.%s.%s", net->name, stage->number, name);
    struct slot *slot = slots_add(walk->body->slots, full, kind, shape, init, stage->where);
    struct stage_slot made = {arena_strdup(a, name), slot};
    APPEND(a, stage->slot, stage->n_slot, made);
    list_slot(net, stage, slot);
    return slot;
}

static struct value *read_slot(struct layer_ctx *ctx, const char *name, enum slot_kind kind,
                               struct shape shape, struct init init)
{
    struct walk *walk = walk_of(ctx);
    struct slot *slot = find_slot(walk->stage, name);
    if (!slot)
        slot = make_slot(ctx, name, kind, shape, init);
    if (!shape_equal(slot->shape, shape))
        BUG("%s: applied to another shape than before", slot->name);
    ASSERT(slot->kind == kind);
    return versions_read(walk->versions, slot);
}

static const struct init_rule *rule_of(const struct walk *walk)
{
    return walk->stage->init ? walk->stage->init : walk->body->init;
}

struct value *ctx_weight(struct layer_ctx *ctx, const char *name, struct shape shape,
                         int64_t fan_in, int64_t fan_out)
{
    return read_slot(ctx, name, SLOT_PARAM, shape,
                     init_of_weight(rule_of(walk_of(ctx)), fan_in, fan_out));
}

struct value *ctx_bias(struct layer_ctx *ctx, const char *name, struct shape shape, int64_t fan_in)
{
    return read_slot(ctx, name, SLOT_PARAM, shape, init_of_bias(rule_of(walk_of(ctx)), fan_in));
}

struct value *ctx_param(struct layer_ctx *ctx, const char *name, struct shape shape,
                        struct init init)
{
    const struct init_rule *own = walk_of(ctx)->stage->init;
    const int64_t fan = shape.rank ? shape.dim[shape.rank - 1] : 1;
    if (own && !strcmp(name, "weight"))
        init = init_of_weight(own, fan, shape.rank ? shape.dim[0] : 1);
    return read_slot(ctx, name, SLOT_PARAM, shape, init);
}

struct value *ctx_buffer(struct layer_ctx *ctx, const char *name, struct shape shape,
                         struct init init)
{
    return read_slot(ctx, name, SLOT_BUFFER, shape, init);
}

void ctx_track(struct layer_ctx *ctx, struct value *buffer, struct value *x, double t)
{
    struct application *app = ctx->application;
    struct tracked tracked = {buffer->attr.slot, x, t, NULL};
    if (!tracked.buffer || tracked.buffer->kind != SLOT_BUFFER)
        BUG("ctx_track of what is no buffer");
    APPEND(ctx->graph->arena, app->tracked, app->n_tracked, tracked);
}

int ctx_stream(struct layer_ctx *ctx) { return ctx->graph->next_stream++; }

int64_t ctx_classes(const struct layer_ctx *ctx, const struct value *x)
{
    const struct walk *walk = walk_of(ctx);
    const struct network *net = ctx->application->network;
    for (int i = 0; i < net->n_input; i++)
        if (walk->argument[i] == x)
            return net->input[i].is.classes;
    return 0;
}

// --- messages ------------------------------------------------------------------------------------

const char *describe_source(struct arena *a, const struct network *net, const struct walk *walk,
                            int source)
{
    const struct value *v = walk_value(walk, source);
    struct shape shape = v->shape;
    memmove(shape.dim, shape.dim + 1, sizeof shape.dim - sizeof *shape.dim);
    shape.rank--;
    struct text gives;
    text_init(&gives);
    shape_text(shape, &gives);
    if (source < 0 && net->input[~source].is.classes) {
        text_clear(&gives);
        text_add(&gives, "a label");
    }
    const struct stage *stage = source < 0 ? NULL : walk->body->stage[source];
    const char *text = stage ? arena_printf(a, "'%s' above (line %d) gives %s",
                                            stage->layer->word.name, stage->where.line, gives.s)
                             : arena_printf(a, "input '%s' (line %d) gives %s",
                                            net->input[~source].name,
                                            net->input[~source].where.line, gives.s);
    text_release(&gives);
    return text;
}

const char *ctx_other(const struct layer_ctx *ctx, int i)
{
    const struct walk *walk = walk_of(ctx);
    return describe_source(ctx->graph->arena, ctx->application->network, walk,
                           walk->stage->other[i]);
}

struct value *ctx_fail(struct layer_ctx *ctx, const char *fmt, ...)
{
    struct walk *walk = walk_of(ctx);
    struct arena *a = ctx->graph->arena;
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    const size_t head = strcspn(text, "\n");
    fail(ctx->diag, ctx->where, "%.*s but %s%s", (int)head, text,
         describe_source(a, ctx->application->network, walk, walk->stage->from), text + head);
    return NULL;
}

// --- joins ---------------------------------------------------------------------------------------

const struct param join_params[] = {{"with", PARAM_NAMES, offsetof(struct join, with), NULL,
                                     .help = "the name of an input or layer, or a list of them"},
                                    PARAM_END};

struct value *ctx_fold(struct layer_ctx *ctx, const char *word, struct value *x,
                       struct value *(*op)(struct value *, struct value *))
{
    ASSERT(ctx->n_other > 0);
    struct shape s;
    for (int i = 0; i < ctx->n_other; i++) {
        if (x->shape.rank < 2 || !shape_broadcast(x->shape, ctx->other[i]->shape, &s))
            return ctx_fail(ctx, "%s wants equal shapes: %s,", word, ctx_other(ctx, i));
        x = op(x, ctx->other[i]);
    }
    return x;
}

// --- helpers -------------------------------------------------------------------------------------

struct value *along_channels(struct value *v, int rank)
{
    ASSERT(rank >= 2 && rank <= RANK_MAX && v->shape.rank <= 1);
    struct shape s = {.rank = rank, .dim = {1, 1, 1, 1, 1, 1}};
    s.dim[1] = shape_size(v->shape);
    return reshape(v, s);
}
