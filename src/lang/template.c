// Templates and `like:`: nodes made from nodes, before a network is read. Placeholders are replaced
// in the tree, not in the text, so a parameter may be a number, a word or a list, and a mistake in
// a template is drawn in the template. Pasting text would lose both.
#include "lang/sections.h"
#include "nn/body.h"

#include "base/arena.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

#define KEY(name, type, form, text)                                                       \
    {                                                                                     \
#name, type, offsetof(struct network_keys, name), "", .help = text, .takes = form \
    }
#define WITH                     \
    KEY(with, PARAM_NODE, "map", \
        "its parameters, each with its default; an empty one must be given at each use")
#define INPUTS                                                                            \
    KEY(inputs, PARAM_NODE, "map",                                                        \
        "names and shapes of what comes in, without batch: {z: 100, image: [1, 28, 28], " \
        "y: label(10)}; or a noise, whose shape it takes")
#define LAYERS KEY(layers, PARAM_NODE, "list of layers", "in order, each reads the one above")
#define OUTPUTS                     \
    KEY(outputs, PARAM_NODE, "map", \
        "several results of one network: {NAME: [layers], …}, or {NAME: a layer's name}")
#define INIT KEY(init, PARAM_NODE, "initialisation", "how its weights begin; torch, unless said")
#define LOAD KEY(load, PARAM_PATH, NULL, "a safetensors file that its weights begin with")
#define FROZEN KEY(frozen, PARAM_BOOL, NULL, "no update trains it")
#define LIKE                      \
    KEY(like, PARAM_NODE, "name", \
        "takes inputs, layers and outputs from the network of that name; its own weights")
#define USE KEY(use, PARAM_NODE, "name", "takes its keys from the template of that name")
const struct param network_params[] = {INPUTS, LAYERS, OUTPUTS, INIT,     LOAD,
                                       FROZEN, LIKE,   USE,     PARAM_END};
const struct param template_params[] = {WITH, INPUTS, LAYERS, OUTPUTS, INIT,
                                        LOAD, FROZEN, LIKE,   USE,     PARAM_END};
// What may stand beside `like:`, and beside `use:` of a whole network.
static const struct param beside_like[] = {LIKE, INIT, LOAD, FROZEN, PARAM_END};
static const struct param beside_use[] = {INPUTS, LAYERS, OUTPUTS, INIT, LOAD, FROZEN, PARAM_END};

static bool template_check_keys(struct network_reader *r, const struct node *map, const char *what,
                                const struct param *table)
{
    const char **known = NULL;
    size_t n = 0;
    bool good = true;
    for (const struct param *p = table; p->name; p++)
        APPEND(r->arena, known, n, p->name);
    for (int i = 0; i < map->n; i++)
        if (!param_find(table, map->entry[i].key))
            good = fail_unknown(r->diag, map->entry[i].where, what, map->entry[i].key, known, n);
    return good;
}

static struct node *empty_map(struct network_reader *r, struct place where)
{
    struct node *map = NEW(r->arena, struct node);
    map->kind = NODE_MAP;
    map->where = where;
    return map;
}

static void template_put(struct network_reader *r, struct node *map, struct entry entry)
{
    node_put(r->arena, map, entry.key, entry.where, entry.value);
}

// --- placeholders --------------------------------------------------------------------------------

static bool is_placeholder(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted && node->text[0] == '$';
}

// `among`: a map, or NULL. The nearest of its keys is in the message.
static bool fail_key(struct network_reader *r, struct place where, const char *what,
                     const char *name, const struct node *among)
{
    const int n = among && among->kind == NODE_MAP && !diag_full(r->diag) ? among->n : 0;
    const char **known = NEW_ARRAY(r->arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        known[i] = among->entry[i].key;
    return fail_unknown(r->diag, where, what, name, known, (size_t)n);
}

static bool fail_parameter(struct network_reader *r, struct place where, const char *name,
                           const struct node *with)
{
    return fail_key(r, where, "parameter of the template", name, with);
}

// A copy in which every `$name` is the node that `with` has under that name. NULL after a mistake.
static struct node *substitute(struct network_reader *r, const struct node *node,
                               const struct node *with)
{
    if (is_placeholder(node)) {
        struct node *value = node_get(with, node->text + 1);
        if (!value)
            fail_parameter(r, node->where, node->text + 1, with);
        return value;
    }
    if (++r->copied == COPIED_MAX)
        fail(r->diag, node->where, "templates come to more than %d values, written out",
             COPIED_MAX - 1);
    if (r->copied >= COPIED_MAX)
        return NULL;
    struct node *copy = NEW(r->arena, struct node);
    bool good = true;
    *copy = *node;
    copy->index = NULL;
    copy->entry = NEW_ARRAY(r->arena, struct entry, node->n + 1);
    for (int i = 0; i < node->n; i++) {
        copy->entry[i] = node->entry[i];
        copy->entry[i].value = substitute(r, node->entry[i].value, with);
        good &= copy->entry[i].value != NULL;
    }
    return good ? copy : NULL;
}

// --- templates -----------------------------------------------------------------------------------

// The template of that name, through templates that are another's name.
static const struct node *find_template(struct network_reader *r, const struct node *name)
{
    for (int depth = 0; name->kind == NODE_SCALAR && depth < DEPTH_MAX; depth++) {
        const struct node *is = node_get(r->templates, name->text);
        if (!is) {
            fail_key(r, name->where, "template", name->text, r->templates);
            return NULL;
        }
        if (is->kind == NODE_MAP)
            return is;
        name = is;
    }
    fail(r->diag, name->where,
         "no template here\nexpected a map with `layers:`, or another template's name");
    return NULL;
}

// The parameters of one use: what the template says, overlaid by what the call says.
static struct node *template_bind(struct network_reader *r, const struct node *call,
                                  const struct node *declared, const struct param *beside)
{
    struct node *with = empty_map(r, call->where);
    bool good = true;
    for (int i = 0; declared && i < declared->n; i++)
        template_put(r, with, declared->entry[i]);
    for (int i = 0; i < call->n; i++) {
        const struct entry *e = &call->entry[i];
        if (!strcmp(e->key, "use") || (param_find(beside, e->key) && !node_get(declared, e->key)))
            continue;
        if (node_get(declared, e->key))
            template_put(r, with, *e);
        else
            good = fail_parameter(r, e->where, e->key, declared);
    }
    for (int i = 0; i < with->n; i++)
        if (with->entry[i].value->kind == NODE_NULL)
            good = fail(r->diag, call->where, "the template needs '%s'\nit has no default for it",
                        with->entry[i].key);
    return good ? with : NULL;
}

const struct node *template_expand(struct network_reader *r, const struct node *call,
                                   const struct param *beside)
{
    const struct node *name = node_get(call, "use");
    ASSERT(name);
    const struct node *is = find_template(r, name);
    if (!is || !template_check_keys(r, is, "key of a template", template_params))
        return NULL;
    const struct node *declared = node_get(is, "with");
    if (declared && declared->kind != NODE_MAP && declared->kind != NODE_NULL) {
        fail(r->diag, declared->where,
             "the parameters of a template are no map\nexpected {name: default, …}, an empty "
             "default where it must be given");
        return NULL;
    }
    const struct node *with = template_bind(r, call, declared, beside);
    if (!with)
        return NULL;
    struct node *body = empty_map(r, is->where);
    for (int i = 0; i < is->n; i++)
        if (strcmp(is->entry[i].key, "with"))
            template_put(r, body, is->entry[i]);
    return substitute(r, body, with);
}

// --- networks ------------------------------------------------------------------------------------

static const struct node *expand_like(struct network_reader *r, const struct node *node, int depth)
{
    const struct node *name = node_get(node, "like");
    ASSERT(name);
    const struct node *other = name->kind == NODE_SCALAR ? node_get(r->networks, name->text) : NULL;
    if (!other) {
        fail_key(r, name->where, "network", name->kind == NODE_SCALAR ? name->text : "",
                 r->networks);
        return NULL;
    }
    if (!template_check_keys(r, node, "key beside 'like'", beside_like))
        return NULL;
    const struct node *base = network_expand(r, other, depth + 1);
    if (!base)
        return NULL;
    struct node *copy = empty_map(r, node->where);
    for (int i = 0; i < base->n; i++)
        if (strcmp(base->entry[i].key, "load") && strcmp(base->entry[i].key, "frozen"))
            template_put(r, copy, base->entry[i]);
    for (int i = 0; i < node->n; i++)
        if (strcmp(node->entry[i].key, "like"))
            template_put(r, copy, node->entry[i]);
    return copy;
}

static const struct node *expand_use(struct network_reader *r, const struct node *node, int depth)
{
    const struct node *is = find_template(r, node_get(node, "use"));
    const struct node *body = is ? template_expand(r, node, beside_use) : NULL;
    const struct node *base = body ? network_expand(r, body, depth + 1) : NULL;
    if (!base)
        return NULL;
    struct node *copy = empty_map(r, node->where);
    for (int i = 0; i < base->n; i++)
        template_put(r, copy, base->entry[i]);
    for (int i = 0; i < node->n; i++)
        if (param_find(beside_use, node->entry[i].key) &&
            !node_get(node_get(is, "with"), node->entry[i].key))
            template_put(r, copy, node->entry[i]);
    return copy;
}

const struct node *network_expand(struct network_reader *r, const struct node *node, int depth)
{
    if (depth > DEPTH_MAX) {
        fail(r->diag, node->where,
             "`like:` or `use:` leads back to itself\nexpected a network or template that has "
             "`layers:` at last");
        return NULL;
    }
    if (node->kind != NODE_MAP) {
        fail(r->diag, node->where, "no network here\nexpected a map with `inputs:` and `layers:`");
        return NULL;
    }
    if (node_get(node, "like"))
        return expand_like(r, node, depth);
    if (node_get(node, "use"))
        return expand_use(r, node, depth);
    return template_check_keys(r, node, "key of a network", network_params) ? node : NULL;
}
