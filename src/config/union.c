// When a word changes in a merge, the old word's parameters must go with it: adam's beta1 is
// nothing to rmsprop. The shape of the YAML does not say which maps choose a word ({adam: {lr: 1}}
// looks like {generator: {layers: …}}), and the tables that would know are read only after merging.
// So the places where the language chooses a word are listed here, and nowhere else.
#include "config/union.h"

#include "base/arena.h"

#include <string.h>

static const char *const nothing[] = {NULL};
static const char *const layer_options[] = {"as", "of", "init", NULL};
static const char *const term_options[] = {"for", "weight", NULL};
static const char *const score_options[] = {"of", "as", NULL};
static const char *const source_options[] = {"batch", "split", "sampling", "per_class", NULL};
static const char *const network_options[] = {"inputs", "layers", "outputs", "init",
                                              "load",   "frozen", NULL};

static const struct union_place places[] = {
    {"train.optimizer", NULL, nothing},
    {"train.lr_schedule", NULL, nothing},
    {"train.iteration.*.optimizer", NULL, nothing},
    {"train.phases.*.optimizer", NULL, nothing},
    {"train.phases.*.lr_schedule", NULL, nothing},
    {"train.phases.*.iteration.*.optimizer", NULL, nothing},
    {"games.*.loss", NULL, nothing},
    {"games.*.penalty", NULL, nothing},
    {"terms.*", NULL, term_options},
    {"noise.*", NULL, nothing},
    {"networks.*.init", NULL, nothing},
    {"networks.*.layers.*", NULL, layer_options},
    {"networks.*.outputs.*.*", NULL, layer_options},
    {"templates.*.layers.*", NULL, layer_options},
    {"evaluate.scores.*", NULL, score_options},
    {"data.*", "dataset", source_options},
    {"networks.*", "use", network_options},
};

// Compares the last segments of path with the steps from the innermost out.
static bool matches(const char *path, size_t length, const struct step *at)
{
    for (; at; at = at->up) {
        size_t begin = length;
        while (begin && path[begin - 1] != '.')
            begin--;
        const size_t n = length - begin;
        const bool any = n == 1 && path[begin] == '*';
        if (!any && (strlen(at->key) != n || strncmp(path + begin, at->key, n)))
            return false;
        if (!begin)
            return !at->up;
        length = begin - 1;
    }
    return false;
}

const struct union_place *union_place(const struct step *at)
{
    for (size_t i = 0; i < LENGTH(places); i++)
        if (matches(places[i].path, strlen(places[i].path), at))
            return &places[i];
    return NULL;
}

bool union_beside(const struct union_place *u, const char *key)
{
    ASSERT(u && key);
    for (const char *const *k = u->beside; *k; k++)
        if (!strcmp(*k, key))
            return true;
    return u->selector && !strcmp(u->selector, key);
}

const char *union_word(const struct node *node, const struct step *at)
{
    const struct union_place *u = union_place(at);
    if (!u || !node)
        return NULL;
    if (u->selector)
        node = node_get(node, u->selector);
    if (node && node->kind == NODE_SCALAR)
        return node->text;
    for (int i = 0; node && node->kind == NODE_MAP && i < node->n; i++)
        if (!union_beside(u, node->entry[i].key))
            return node->entry[i].key;
    return NULL;
}

bool union_has_word(const struct step *at, const char *key)
{
    const struct union_place *u = union_place(at);
    return u && !u->selector && !union_beside(u, key);
}

bool union_selects(const struct step *at, const char *key)
{
    const struct union_place *u = union_place(at);
    return u && u->selector && !strcmp(u->selector, key);
}

const struct node *union_map(struct arena *a, const struct node *node, const struct step *at)
{
    const struct union_place *u = union_place(at);
    if (!u || !u->selector || !node || node->kind != NODE_SCALAR)
        return node;
    struct node *map = node_new(a, NODE_MAP, node->where);
    node_append(a, map, u->selector, node->where, (struct node *)node);
    return map;
}
