#include "cli/config_keys.h"

#include "base/arena.h"
#include "config/param.h"
#include "lang/sections.h"

#include <string.h>

enum { KEYS_DEPTH = 32 };

struct key_list {
    struct arena *arena;
    struct config_key *key;
    int n;
};

static const char *path_of(struct key_list *l, const char *path, const char *key)
{
    return *path ? arena_printf(l->arena, "%s.%s", path, key) : key;
}

// The table of what a key takes, where that is a map of fixed keys; NULL for others.
static const struct param *section_table(const struct param *p)
{
    const struct word *w = p->takes && strstr(p->takes, "map") ? word_find(&sections, p->name)
                                                               : NULL;
    return w && !w->usage ? w->params : NULL;
}

static void add_key(struct key_list *l, const char *path, const struct param *param)
{
    ASSERT(*path);
    APPEND(l->arena, l->key, l->n, ((struct config_key){path, param}));
}

static void add_table(struct key_list *l, const char *path, const struct param *table,
                      const struct node *except, int depth)
{
    ASSERT(depth < KEYS_DEPTH);
    for (const struct param *p = table; p && p->name; p++) {
        if (except && node_get(except, p->name))
            continue;
        const char *own = path_of(l, path, p->name);
        const struct param *inner = section_table(p);
        if (inner)
            add_table(l, own, inner, NULL, depth + 1);
        else
            add_key(l, own, p);
    }
}

static bool has_maps(const struct node *list)
{
    for (int i = 0; i < list->n; i++)
        if (list->entry[i].value->kind == NODE_MAP)
            return true;
    return false;
}

static void add_keys_of(struct key_list *l, const char *path, const struct node *node,
                        const struct param *param)
{
    const bool inner = node->kind == NODE_MAP || (node->kind == NODE_LIST && has_maps(node));
    if (node->kind != NODE_MAP && *path)
        add_key(l, path, param); // lists are set whole too
    for (int i = 0; inner && i < node->n; i++) {
        const struct entry *e = &node->entry[i];
        const char *key = e->key ? e->key : arena_printf(l->arena, "%d", i);
        add_keys_of(l, path_of(l, path, key), e->value, param_find(node->table, key));
    }
    if (node->kind == NODE_MAP)
        add_table(l, path, node->table, node, 0);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct config_key *)a)->path, ((const struct config_key *)b)->path);
}

struct config_key *config_keys(struct arena *a, const struct node *root, int *n)
{
    struct key_list l = {.arena = a};
    if (root)
        add_keys_of(&l, "", root, NULL);
    else
        add_table(&l, "", word_find(&sections, "config")->params, NULL, 0);
    qsort(l.key, (size_t)l.n, sizeof *l.key, by_path);
    *n = l.n;
    return l.key;
}
