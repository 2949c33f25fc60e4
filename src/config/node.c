// Maps keep the user's order in an array: it is what messages, resolved texts and lists of networks
// follow. A config's maps have a dozen keys and are searched linearly; one that a program wrote may
// have ten thousand, and has a hash table beside the array.
#include "config/node.h"

#include "base/arena.h"
#include "base/hash_map.h"
#include "config/tree.h"

#include <string.h>

enum { LINEAR_MAX = 32 };

static const char unset_mark[] = "!unset";

bool node_unset(const struct node *node) { return node && node->text == unset_mark; }

struct node *node_new(struct arena *a, enum node_kind kind, struct place where)
{
    struct node *node = NEW(a, struct node);
    node->kind = kind;
    node->where = where;
    return node;
}

struct node *node_new_unset(struct arena *a, struct place where)
{
    struct node *node = node_new(a, NODE_NULL, where);
    node->text = unset_mark;
    return node;
}

static void index_entry(struct node *map, int i)
{
    hash_map_set(map->index, map->entry[i].key, (void *)(size_t)(i + 1));
}

void node_reindex(struct arena *a, struct node *map)
{
    ASSERT(map->kind == NODE_MAP);
    map->index = NULL;
    if (map->n <= LINEAR_MAX)
        return;
    map->index = NEW(a, struct hash_map);
    hash_map_init(map->index, a);
    for (int i = 0; i < map->n; i++)
        index_entry(map, i);
}

void node_append(struct arena *a, struct node *node, const char *key, struct place where,
                 struct node *value)
{
    const struct entry entry = {key, where, value};
    ASSERT(value && (node->kind == NODE_MAP ? key != NULL : node->kind == NODE_LIST && !key));
    APPEND(a, node->entry, node->n, entry);
    if (node->index)
        index_entry(node, node->n - 1);
    else if (node->kind == NODE_MAP && node->n > LINEAR_MAX)
        node_reindex(a, node);
}

void node_put(struct arena *a, struct node *map, const char *key, struct place where,
              struct node *value)
{
    ASSERT(map->kind == NODE_MAP && !node_unset(value));
    const int i = node_index(map, key);
    if (i < 0)
        node_append(a, map, key, where, value);
    else
        map->entry[i] = (struct entry){map->entry[i].key, where, value};
}

bool text_is_null(const char *text)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL"};
    for (size_t i = 0; i < LENGTH(null); i++)
        if (!strcmp(text, null[i]))
            return true;
    return false;
}

static int index_n(const struct node *map, const char *key, size_t length)
{
    if (!map || map->kind != NODE_MAP)
        return -1;
    for (int i = 0; i < map->n; i++)
        if (!strncmp(map->entry[i].key, key, length) && !map->entry[i].key[length])
            return i;
    return -1;
}

int node_index(const struct node *map, const char *key)
{
    if (map && map->kind == NODE_MAP && map->index)
        return (int)(size_t)hash_map_get(map->index, key) - 1;
    return index_n(map, key, strlen(key));
}

const struct entry *node_entry(const struct node *map, const char *key)
{
    const int i = node_index(map, key);
    return i < 0 ? NULL : &map->entry[i];
}

struct node *node_get(const struct node *node, const char *key)
{
    const struct entry *entry = node_entry(node, key);
    return entry ? entry->value : NULL;
}

static int list_index(const struct node *list, const char *digits, size_t length)
{
    int at = 0;
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9' || at >= list->n)
            return -1;
        at = 10 * at + (digits[i] - '0');
    }
    return length && at < list->n ? at : -1;
}

struct node *node_at(const struct node *root, const char *path)
{
    struct node *node = (struct node *)root;
    while (node && *path) {
        const size_t length = strcspn(path, ".");
        const int i = node->kind == NODE_LIST ? list_index(node, path, length)
                                              : index_n(node, path, length);
        node = i < 0 ? NULL : node->entry[i].value;
        path += length + (path[length] == '.');
    }
    return node;
}
