// From a list of layers to stages: words are looked up, parameters read, names resolved,
// repetitions and templates laid out flat. A flat list is what nn.Sequential numbers, so weights
// have their PyTorch names without further thought; nested modules would name them after how the
// config was abbreviated.
#include "lang/sections.h"
#include "nn/body.h"

#include "base/arena.h"

#include <stddef.h>
#include <string.h>

enum { DEPTH_MAX = 32, STAGES_MAX = 10000, BLOCKS_MAX = 20000 };

// --- one layer -----------------------------------------------------------------------------------

// What stands beside the layer's own parameters, in their braces or beside the word.
struct beside {
    const struct node *of, *as, *init;
};

#define OF                                                                               \
    {                                                                                    \
        "of", PARAM_NODE, offsetof(struct beside, of), "",                               \
            .takes = "name",                                                             \
            .help = "the input or named layer that it reads, instead of the layer above" \
    }
#define AS                                                                                  \
    {                                                                                       \
        "as", PARAM_NODE, offsetof(struct beside, as), "", .takes = "name",                 \
                                                           .help = "the name of the result" \
    }
static const struct param beside_block[] = {OF, AS, PARAM_END};
const struct param beside_layer[] = {
    OF,
    AS,
    {"init", PARAM_NODE, offsetof(struct beside, init), "", .takes = "initialisation",
     .help = "how its weights begin, instead of the network's `init`"},
    PARAM_END};
// What an entry of `layers:` has where it is no layer, and what may stand beside.
struct layer_entry {
    struct beside beside;
    const struct node *repeat, *use;
};
const struct param layer_entry_params[] = {
    {"repeat", PARAM_NODE, offsetof(struct layer_entry, repeat), "", .takes = "map",
     .help = "a block of layers several times"},
    {"use", PARAM_NODE, offsetof(struct layer_entry, use), "", .takes = "name",
     .help = "the layers of the template of that name; its parameters stand beside"},
    OF,
    AS,
    PARAM_END};

static bool take_beside(struct network_reader *r, const struct entry *e, struct beside *to)
{
    const struct param *p = param_find(beside_layer, e->key);
    ASSERT(p);
    const struct node **field = (const struct node **)((char *)to + p->offset);
    if (*field)
        return fail(r->diag, e->where, "'%s' is given twice for this layer", e->key);
    *field = e->value;
    return true;
}

// The parameters without `of`, `as` and `init`, which go to `to`.
static const struct node *split_beside(struct network_reader *r, const struct node *node,
                                       const struct word_call *word, struct beside *to)
{
    for (int i = 0; node->kind == NODE_MAP && i < node->n; i++)
        if (param_find(beside_layer, node->entry[i].key))
            take_beside(r, &node->entry[i], to);
    if (!word->params || word->params->kind != NODE_MAP)
        return word->params;
    struct node *own = NEW(r->arena, struct node);
    *own = *word->params;
    own->entry = NULL;
    own->index = NULL;
    own->n = 0;
    for (int i = 0; i < word->params->n; i++) {
        const struct entry *e = &word->params->entry[i];
        if (param_find(beside_layer, e->key))
            take_beside(r, e, to);
        else
            APPEND(r->arena, own->entry, own->n, *e);
    }
    return own;
}

static void read_names(struct network_reader *r, struct stage *stage, const struct scope *scope,
                       const struct node *names)
{
    if (names->kind != NODE_LIST) {
        APPEND(r->arena, stage->other, stage->n_other, scope_find(r, scope, names));
        return;
    }
    for (int i = 0; i < names->n; i++)
        APPEND(r->arena, stage->other, stage->n_other, scope_find(r, scope, names->entry[i].value));
    if (!names->n)
        fail(r->diag, names->where, "'%s' joins nothing\nexpected names of inputs or layers above",
             stage->layer->word.name);
}

// What a layer takes beside the one above: of all its parameters of names that are given.
static void read_others(struct network_reader *r, struct stage *stage, const struct scope *scope)
{
    for (const struct param *p = stage->layer->word.params; p && p->name; p++) {
        const struct node *const *names = (const void *)((char *)stage->params + p->offset);
        if (p->type == PARAM_NAMES && *names)
            read_names(r, stage, scope, *names);
    }
}

static int read_from(struct network_reader *r, const struct scope *scope, const struct node *of,
                     int above)
{
    if (of)
        return scope_find(r, scope, of);
    scope_mark(r->body, above);
    return above;
}

static struct stage *new_stage(struct network_reader *r, const struct layer *layer,
                               struct place where)
{
    struct stage *stage = NEW(r->arena, struct stage);
    const char *head = r->head < 0 ? "" : r->net->output[r->head];
    stage->layer = layer;
    stage->where = where;
    stage->head = r->head;
    stage->number = arena_printf(r->arena, "%s%s%d", head, *head ? "." : "", r->next++);
    stage->label = arena_printf(r->arena, "%s.%s %s", r->net->name, stage->number,
                                layer->word.name);
    return stage;
}

static int add_stage(struct network_reader *r, struct stage *stage, struct scope *scope,
                     const struct beside *beside)
{
    if (r->body->n_stage == STAGES_MAX) {
        fail(r->diag, stage->where, "more than %d layers in a network", STAGES_MAX);
        r->full = true;
        return SOURCE_NONE;
    }
    APPEND(r->arena, r->body->stage, r->body->n_stage, stage);
    const int source = r->body->n_stage - 1;
    if (beside->as && beside->as->kind == NODE_SCALAR)
        scope_add(r, scope, beside->as->text, source, beside->as->where);
    else if (beside->as)
        fail(r->diag, beside->as->where,
             "a name is missing here\nexpected a name for the result of this layer");
    return source;
}

static int read_stage(struct network_reader *r, const struct node *node, struct scope *scope,
                      int above)
{
    struct word_call word;
    struct beside beside = {0};
    if (!word_read(node, beside_layer, "layer", &word, r->diag))
        return SOURCE_NONE;
    const struct layer *layer = layer_find(word.name);
    if (!layer) {
        fail_layer(r->diag, word.where, word.name);
        return SOURCE_NONE;
    }
    const struct node *params = split_beside(r, node, &word, &beside);
    struct stage *stage = new_stage(r, layer, word.where);
    void *into = arena_alloc(r->arena, layer->word.size ? layer->word.size : 1);
    const char *what = arena_printf(r->arena, "layer '%s'", layer->word.name);
    const bool good = param_read(layer->word.params, params, word.where, what, into, r->arena,
                                 r->diag);
    stage->params = into;
    stage->from = read_from(r, scope, beside.of, above);
    stage->init = beside.init ? init_read(r->arena, beside.init, r->diag) : NULL;
    if (good)
        read_others(r, stage, scope);
    return add_stage(r, stage, scope, &beside);
}

// Templates and repetitions say more layers in few lines than can be read: after that mistake nothing more is.
static bool written_out(const struct network_reader *r)
{
    return r->blocks >= BLOCKS_MAX || r->copied >= COPIED_MAX || r->full;
}

// --- blocks --------------------------------------------------------------------------------------

// Layers with names of their own, in which `input` is what comes in.
static int read_block(struct network_reader *r, const struct node *list, const struct scope *outer,
                      int above)
{
    struct scope scope = {.outer = outer};
    struct scoped input = {"input", above, list ? list->where : r->net->where};
    APPEND(r->arena, scope.name, scope.n, input);
    if (r->depth == DEPTH_MAX) {
        fail(r->diag, input.where, "blocks within blocks, %d deep\na template may not use itself",
             DEPTH_MAX);
        return SOURCE_NONE;
    }
    if (++r->blocks == BLOCKS_MAX)
        fail(r->diag, input.where, "more than %d blocks, repetitions counted", BLOCKS_MAX - 1);
    if (written_out(r))
        return SOURCE_NONE;
    r->depth++;
    const int end = read_layers(r, list, &scope, above);
    r->depth--;
    return end;
}

struct repeat {
    int64_t times;
    struct node *layers;
};

const struct param repeat_params[] = {{"times", PARAM_INT, offsetof(struct repeat, times), NULL, 1,
                                       1000, .help = "how often, one after the other"},
                                      {"layers", PARAM_NODE, offsetof(struct repeat, layers), NULL,
                                       .takes = "list of layers", .help = "what"},
                                      PARAM_END};

static int read_repeat(struct network_reader *r, const struct node *node, const struct scope *scope,
                       int above)
{
    struct word_call word;
    struct repeat repeat = {0};
    if (!word_read(node, beside_block, "block", &word, r->diag) ||
        !param_read(repeat_params, word.params, word.where, "'repeat'", &repeat, r->arena, r->diag))
        return SOURCE_NONE;
    for (int64_t i = 0; i < repeat.times && above != SOURCE_NONE; i++)
        above = read_block(r, repeat.layers, scope, above);
    return above;
}

static int read_use(struct network_reader *r, const struct node *node, const struct scope *scope,
                    int above)
{
    const struct node *body = template_expand(r, node, beside_block);
    if (!body)
        return SOURCE_NONE;
    if (node_get(body, "inputs") || node_get(body, "outputs")) {
        fail(r->diag, node->where,
             "this template is a network, not a block of layers\nexpected one without `inputs:` "
             "and `outputs:`");
        return SOURCE_NONE;
    }
    if (r->depth == DEPTH_MAX) {
        fail(r->diag, node->where,
             "templates within templates, %d deep\na template may not use itself", DEPTH_MAX);
        return SOURCE_NONE;
    }
    r->depth++;
    const int end = node_get(body, "use") ? read_use(r, body, scope, above)
                                          : read_block(r, node_get(body, "layers"), scope, above);
    r->depth--;
    return end;
}

static int read_entry(struct network_reader *r, const struct node *node, struct scope *scope,
                      int above)
{
    const bool repeats = node_get(node, "repeat"), uses = node_get(node, "use");
    if (!repeats && !uses)
        return read_stage(r, node, scope, above);
    const struct node *of = node_get(node, "of"), *as = node_get(node, "as");
    if (of)
        above = scope_find(r, scope, of);
    const int end = repeats ? read_repeat(r, node, scope, above) : read_use(r, node, scope, above);
    if (as && as->kind == NODE_SCALAR)
        scope_add(r, scope, as->text, end, as->where);
    return end;
}

int read_layers(struct network_reader *r, const struct node *list, struct scope *scope, int above)
{
    if (!list || list->kind != NODE_LIST) {
        fail(r->diag, list ? list->where : r->net->where,
             "no layers here\nexpected a list: [dense: 64, relu, …]");
        return SOURCE_NONE;
    }
    for (int i = 0; i < list->n && !written_out(r); i++)
        above = read_entry(r, list->entry[i].value, scope, above);
    return above;
}
