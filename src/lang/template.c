// Templates and `like:`: nodes made from nodes, before a network is read. Placeholders are replaced
// in the tree, not in the text, so a parameter may be a number, a word or a list, and a mistake in
// a template is drawn in the template. Pasting text would lose both.
#include "nn/body.h"

#include "base/arena.h"

#include <string.h>

enum { DEPTH_MAX = 32 };

static const char *const network_keys[] = {"inputs", "layers", "outputs", "init",
                                           "load",   "frozen", "like",    "use"};
static const char *const template_keys[] = {"with", "inputs", "layers", "outputs", "init",
                                            "load", "frozen", "like",   "use"};

static bool is_one_of(const char *key, const char *const *words)
{
    for (; words && *words; words++)
        if (!strcmp(*words, key))
            return true;
    return false;
}

static bool template_check_keys(struct network_reader *r, const struct node *map, const char *what,
                                const char *const *known, size_t n)
{
    bool good = true;
    for (int i = 0; i < map->n; i++) {
        bool found = false;
        for (size_t j = 0; j < n && !found; j++)
            found = !strcmp(known[j], map->entry[i].key);
        if (!found)
            good = fail_unknown(r->diag, map->entry[i].where, what, map->entry[i].key, known, n);
    }
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
    for (int i = 0; i < map->n; i++)
        if (!strcmp(map->entry[i].key, entry.key)) {
            map->entry[i] = entry;
            return;
        }
    APPEND(r->arena, map->entry, map->n, entry);
}

// --- placeholders --------------------------------------------------------------------------------

static bool is_placeholder(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted && node->text[0] == '$';
}

static struct node *fail_placeholder(struct network_reader *r, const struct node *node,
                                     const struct node *with)
{
    const char **known = NULL;
    size_t n = 0;
    for (int i = 0; i < with->n; i++)
        APPEND(r->arena, known, n, with->entry[i].key);
    fail_unknown(r->diag, node->where, "parameter of the template", node->text + 1, known, n);
    return NULL;
}

// A copy in which every `$name` is the node that `with` has under that name. NULL after a mistake.
static struct node *substitute(struct network_reader *r, const struct node *node,
                               const struct node *with)
{
    if (is_placeholder(node)) {
        struct node *value = node_get(with, node->text + 1);
        return value ? value : fail_placeholder(r, node, with);
    }
    struct node *copy = NEW(r->arena, struct node);
    bool good = true;
    *copy = *node;
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
            const char **known = NULL;
            size_t n = 0;
            for (int i = 0; r->templates && r->templates->kind == NODE_MAP && i < r->templates->n;
                 i++)
                APPEND(r->arena, known, n, r->templates->entry[i].key);
            fail_unknown(r->diag, name->where, "template", name->text, known, n);
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
                                  const struct node *declared, const char *const *beside)
{
    struct node *with = empty_map(r, call->where);
    bool good = true;
    for (int i = 0; declared && i < declared->n; i++)
        template_put(r, with, declared->entry[i]);
    const int n = with->n;
    for (int i = 0; i < call->n; i++) {
        const struct entry *e = &call->entry[i];
        if (!strcmp(e->key, "use") || (is_one_of(e->key, beside) && !node_get(declared, e->key)))
            continue;
        const char **known = NEW_ARRAY(r->arena, const char *, n + 1);
        for (int j = 0; j < n; j++)
            known[j] = with->entry[j].key;
        if (!node_get(declared, e->key))
            good = fail_unknown(r->diag, e->where, "parameter of the template", e->key, known,
                                (size_t)n);
        else
            template_put(r, with, *e);
    }
    for (int i = 0; i < with->n; i++)
        if (with->entry[i].value->kind == NODE_NULL)
            good = fail(r->diag, call->where, "the template needs '%s'\nit has no default for it",
                        with->entry[i].key);
    return good ? with : NULL;
}

const struct node *template_expand(struct network_reader *r, const struct node *call,
                                   const char *const *beside)
{
    const struct node *name = node_get(call, "use");
    const struct node *is = find_template(r, name);
    if (!is ||
        !template_check_keys(r, is, "key of a template", template_keys, LENGTH(template_keys)))
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
    static const char *const allowed[] = {"like", "init", "load", "frozen"};
    const struct node *name = node_get(node, "like");
    const struct node *other = name->kind == NODE_SCALAR ? node_get(r->networks, name->text) : NULL;
    if (!other) {
        const char **known = NULL;
        size_t n = 0;
        for (int i = 0; i < r->networks->n; i++)
            APPEND(r->arena, known, n, r->networks->entry[i].key);
        fail_unknown(r->diag, name->where, "network", name->kind == NODE_SCALAR ? name->text : "",
                     known, n);
        return NULL;
    }
    if (!template_check_keys(r, node, "key beside 'like'", allowed, LENGTH(allowed)))
        return NULL;
    const struct node *base = network_expand(r, other, depth + 1);
    if (!base)
        return NULL;
    struct node *copy = empty_map(r, node->where);
    for (int i = 0; i < base->n; i++)
        if (!is_one_of(base->entry[i].key, (const char *const[]){"load", "frozen", NULL}))
            template_put(r, copy, base->entry[i]);
    for (int i = 0; i < node->n; i++)
        if (strcmp(node->entry[i].key, "like"))
            template_put(r, copy, node->entry[i]);
    return copy;
}

static const struct node *expand_use(struct network_reader *r, const struct node *node, int depth)
{
    static const char *const beside[] = {"inputs", "layers", "outputs", "init",
                                         "load",   "frozen", NULL};
    const struct node *is = find_template(r, node_get(node, "use"));
    const struct node *body = is ? template_expand(r, node, beside) : NULL;
    const struct node *base = body ? network_expand(r, body, depth + 1) : NULL;
    if (!base)
        return NULL;
    struct node *copy = empty_map(r, node->where);
    for (int i = 0; i < base->n; i++)
        template_put(r, copy, base->entry[i]);
    for (int i = 0; i < node->n; i++)
        if (is_one_of(node->entry[i].key, beside) &&
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
    return template_check_keys(r, node, "key of a network", network_keys, LENGTH(network_keys))
               ? node
               : NULL;
}
