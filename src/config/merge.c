// Merging copies: trees share nodes (aliases, and a base that several files extend), so nothing is
// ever changed in place. Merging onto nothing is how a tree without a base loses its `!unset` and
// `key+:`, so there is one code path for both.
//
//     map   onto map      keys merge; `key+:` appends, `!unset` removes
//     map   onto scalar   replaces; at a place that chooses a word (union.c), `log` is `{log: }`
//     map   onto list     is a mistake: a list is reached into on the command line only
//     other onto any      replaces
#include "config/tree.h"

#include "base/arena.h"
#include "config/union.h"

#include <string.h>

static struct node *fail_unset_element(struct diag *d, const struct node *element)
{
    fail(d, element->where,
         "a list element cannot be !unset\nexpected 'key: !unset', or a list "
         "without the element");
    return NULL;
}

static struct node *copy_list(struct arena *a, const struct node *list, const struct step *at,
                              struct diag *d)
{
    struct node *copy = node_new(a, NODE_LIST, list->where);
    for (int i = 0; i < list->n; i++) {
        const struct step below = {at, arena_printf(a, "%d", i)};
        const struct entry *e = &list->entry[i];
        struct node *element = node_unset(e->value) ? fail_unset_element(d, e->value)
                                                    : node_merge(a, NULL, e->value, &below, d);
        if (element)
            node_append(a, copy, NULL, e->where, element);
    }
    return copy;
}

// Entries without a value are those that `!unset` removed.
static void drop_removed(struct arena *a, struct node *map)
{
    int kept = 0;
    for (int i = 0; i < map->n; i++)
        if (map->entry[i].value)
            map->entry[kept++] = map->entry[i];
    const bool fewer = kept < map->n;
    map->n = kept;
    if (fewer)
        node_reindex(a, map);
}

// A copy of a map's entries without the parameters of a word that is about to change.
static struct node *copy_map(struct arena *a, const struct node *base, const struct node *over,
                             const struct step *at)
{
    ASSERT(over->kind == NODE_MAP && (!base || base->kind == NODE_MAP));
    struct node *map = node_new(a, NODE_MAP, base ? base->where : over->where);
    const struct union_place *u = union_place(at);
    const char *old = union_word(base, at), *new = union_word(over, at);
    const bool changes = old && new &&strcmp(old, new);
    for (int i = 0; base && i < base->n; i++) {
        const struct entry *e = &base->entry[i];
        if (!changes || union_beside(u, e->key))
            node_append(a, map, e->key, e->where, e->value);
    }
    return map;
}

static void merge_entry(struct arena *a, struct node *map, const struct entry *e,
                        const struct step *at, struct diag *d)
{
    const size_t length = strlen(e->key);
    const bool append = length > 1 && e->key[length - 1] == '+';
    const char *key = append ? arena_strndup(a, e->key, length - 1) : e->key;
    const struct step below = {at, key};
    const int i = node_index(map, key);
    const struct node *base = i < 0 ? NULL : map->entry[i].value;
    if (node_unset(e->value)) {
        if (i >= 0)
            map->entry[i].value = NULL;
        return;
    }
    struct node *value = append ? node_extend(a, base, e->value, &below, d)
                                : node_merge(a, base, e->value, &below, d);
    if (value)
        node_put(a, map, key, e->where, value);
}

static struct node *merge_map(struct arena *a, const struct node *base, const struct node *over,
                              const struct step *at, struct diag *d)
{
    struct node *map = copy_map(a, base, over, at);
    for (int i = 0; i < over->n; i++)
        merge_entry(a, map, &over->entry[i], at, d);
    drop_removed(a, map);
    return map;
}

static const char *last_key(const struct step *at) { return at ? at->key : "the document"; }

static struct node *fail_map_onto_list(struct diag *d, const struct node *base,
                                       const struct node *over, const struct step *at)
{
    fail(d, over->where,
         "a map cannot be merged into the list '%s'\nthe list is in %s:%d; expected "
         "a list that replaces it, or '%s+:' to append",
         last_key(at), base->where.source ? base->where.source->name : "?", base->where.line,
         last_key(at));
    return NULL;
}

struct node *node_merge(struct arena *a, const struct node *base, const struct node *over,
                        const struct step *at, struct diag *d)
{
    if (over->kind == NODE_LIST)
        return copy_list(a, over, at, d);
    if (over->kind != NODE_MAP) {
        struct node *copy = node_new(a, over->kind, over->where);
        *copy = *over;
        return copy;
    }
    base = union_map(a, base, at);
    if (base && base->kind == NODE_LIST)
        return fail_map_onto_list(d, base, over, at);
    return merge_map(a, base && base->kind == NODE_MAP ? base : NULL, over, at, d);
}

struct node *node_extend(struct arena *a, const struct node *list, const struct node *value,
                         const struct step *at, struct diag *d)
{
    if (node_unset(value))
        return fail_unset_element(d, value);
    if (list && list->kind == NODE_MAP) {
        fail(d, value->where,
             "'%s' is a map\nexpected a list to append to; a map's keys are given "
             "without '+'",
             last_key(at));
        return NULL;
    }
    struct node *longer = node_new(a, NODE_LIST, list ? list->where : value->where);
    if (list && list->kind == NODE_SCALAR)
        node_append(a, longer, NULL, list->where, (struct node *)list);
    for (int i = 0; list && i < list->n; i++)
        node_append(a, longer, NULL, list->entry[i].where, list->entry[i].value);
    const bool several = value->kind == NODE_LIST;
    for (int i = 0; i < (several ? value->n : 1); i++) {
        const struct node *element = several ? value->entry[i].value : value;
        struct node *copy = node_merge(a, NULL, element, at, d);
        if (copy && element->kind != NODE_NULL)
            node_append(a, longer, NULL, element->where, copy);
    }
    return longer;
}
