// Two configs are the same experiment when they say the same, however they are written: the hash is
// taken of the tree with sorted keys and numbers in one spelling, not of the text. 64k is 64000,
// 1e-4 is 0.0001, and quotes do not count.
#include "config/node.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/number.h"

#include <sha256.h>
#include <stdlib.h>
#include <string.h>

static void add_text(const char *s, struct text *out) { text_addf(out, "%zu:%s", strlen(s), s); }

static void add_scalar(const char *s, struct text *out)
{
    char digits[32];
    int64_t whole;
    double x;
    if (!whole_read(s, &whole))
        snprintf(digits, sizeof digits, "%lld", (long long)whole);
    else if (!number_read(s, &x))
        number_text(x == 0 ? 0 : x, digits);
    else {
        add_text(s, out);
        return;
    }
    text_addf(out, "#%s", digits);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(const struct entry *const *)a)->key, (*(const struct entry *const *)b)->key);
}

// What names a run or places it on a machine, and so does not tell experiments apart.
static bool outside_group(const char *key)
{
    static const char *const outside[] = {"seed", "name", "about", "paper", "paths"};
    for (size_t i = 0; i < LENGTH(outside); i++)
        if (!strcmp(outside[i], key))
            return true;
    return false;
}

static void add_node(struct arena *a, const struct node *node, bool group, struct text *out);

static void add_map(struct arena *a, const struct node *map, bool group, struct text *out)
{
    const struct entry **sorted = NEW_ARRAY(a, const struct entry *, map->n);
    for (int i = 0; i < map->n; i++)
        sorted[i] = &map->entry[i];
    if (map->n)
        qsort(sorted, (size_t)map->n, sizeof *sorted, by_key);
    for (int i = 1; i < map->n; i++)
        ASSERT(strcmp(sorted[i - 1]->key, sorted[i]->key) < 0); // a key stands once
    text_add(out, "{");
    for (int i = 0; i < map->n; i++) {
        if (group && outside_group(sorted[i]->key))
            continue;
        add_text(sorted[i]->key, out);
        add_node(a, sorted[i]->value, false, out);
    }
    text_add(out, "}");
}

static void add_node(struct arena *a, const struct node *node, bool group, struct text *out)
{
    switch (node->kind) {
    case NODE_NULL: text_add(out, "~"); return;
    case NODE_SCALAR: add_scalar(node->text, out); return;
    case NODE_MAP: add_map(a, node, group, out); return;
    case NODE_LIST:
        text_add(out, "[");
        for (int i = 0; i < node->n; i++)
            add_node(a, node->entry[i].value, false, out);
        text_add(out, "]");
    }
}

const char *config_hash(struct arena *a, const struct config *c, bool group)
{
    struct text canonical;
    text_init(&canonical);
    add_node(a, c->root, group, &canonical);
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256Data((const uint8_t *)canonical.s, canonical.n, hex);
    text_release(&canonical);
    return arena_strdup(a, hex);
}
