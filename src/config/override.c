// An override is a path and a value. The path is walked through the tree that is there, because
// only the tree knows whether `0` is an index or a key; from the first key that is not there on,
// and where a word changes, the rest of the path is a small map like any other and merge.c's rules
// hold. Each override is a source of its own, so a mistake in it is drawn under it.
#include "config/tree.h"

#include "base/arena.h"
#include "config/union.h"

#include <stdlib.h>
#include <string.h>

struct override {
    struct arena *arena;
    struct diag *diag;
    const struct source *source;
    const char **key;    // segments of the path
    struct place *where; // of each
    int n;
    bool append;
    const struct node *value;
};

static struct place segment_place(const struct source *s, const char *p, size_t length)
{
    return (struct place){s, 1, (int)(p - s->text) + 1, length ? (int)length : 1};
}

static bool read_path(struct override *o, const char *end)
{
    int n_where = 0;
    for (const char *p = o->source->text; p <= end; p++) {
        size_t length = 0;
        while (p + length < end && p[length] != '.')
            length++;
        const struct place where = segment_place(o->source, p, length);
        if (!length || length > KEY_MAX || memchr(p, '\n', length) || o->n == DEPTH_MAX)
            return fail(o->diag, where, "a key is missing in the path\nexpected key.path=value");
        APPEND(o->arena, o->where, n_where, where);
        APPEND(o->arena, o->key, o->n, arena_strndup(o->arena, p, length));
        p += length;
    }
    return true;
}

// key.path=value, key.path+=value
static bool read_override(struct override *o)
{
    const char *equals = strchr(o->source->text, '=');
    if (!equals || equals == o->source->text)
        return fail(o->diag, segment_place(o->source, o->source->text, strlen(o->source->text)),
                    "this is no override\nexpected key.path=value, key.path+=value or "
                    "key.path=!unset");
    o->append = equals[-1] == '+';
    if (!read_path(o, equals - o->append))
        return false;
    if (!strcmp(o->key[0], "extends"))
        return fail(o->diag, o->where[0],
                    "'extends' cannot be given on the command line\nexpected "
                    "it in the file");
    o->value = yaml_parse(o->arena, o->source, (size_t)(equals - o->source->text) + 1, o->diag);
    return o->value != NULL;
}

// Segments i… as nested maps around the value.
static struct node *nested(const struct override *o, int i)
{
    struct node *map = node_new(o->arena, NODE_MAP, o->where[i]);
    const bool last = i == o->n - 1;
    const char *key = last && o->append ? arena_printf(o->arena, "%s+", o->key[i]) : o->key[i];
    node_append(o->arena, map, key, o->where[i], last ? (struct node *)o->value : nested(o, i + 1));
    return map;
}

static struct node *override_apply(const struct override *o, const struct node *base, int i,
                                   const struct step *at);

// "it is 'adam' (configs/gan.yaml:12)"
static const char *origin(const struct override *o, const struct node *node)
{
    const char *is = node->kind == NODE_SCALAR ? node->text : "nothing";
    return arena_printf(o->arena, "it is '%s' (%s:%d)", is,
                        node->where.source ? node->where.source->name : "?", node->where.line);
}

static struct node *fail_no_map(const struct override *o, const struct node *base, int i)
{
    fail(o->diag, o->where[i - 1],
         "'%s' is neither a map nor a list\n%s; to replace it, give all of "
         "it: %s={%s: …}",
         o->key[i - 1], origin(o, base), o->key[i - 1], o->key[i]);
    return NULL;
}

static int index_of(const struct override *o, const struct node *list, int i)
{
    char *end;
    const long at = strtol(o->key[i], &end, 10);
    if (*end || o->key[i][0] < '0' || o->key[i][0] > '9') {
        fail(o->diag, o->where[i],
             "'%s' is a list\nexpected the number of an element, from 0 to %d",
             i ? o->key[i - 1] : "the config", list->n - 1);
        return -1;
    }
    if (at < list->n)
        return (int)at;
    fail(o->diag, o->where[i],
         "'%s' has %d element%s\nexpected a number from 0 to %d; %s+=… appends",
         i ? o->key[i - 1] : "the config", list->n, list->n == 1 ? "" : "s", list->n - 1,
         i ? o->key[i - 1] : "");
    return -1;
}

// A copy of a list or map with entry `at` replaced, or removed where value is NULL.
static struct node *with_entry(const struct override *o, const struct node *base, int at,
                               struct place where, struct node *value)
{
    ASSERT(at >= 0 && at < base->n);
    struct node *copy = node_new(o->arena, base->kind, base->where);
    for (int i = 0; i < base->n; i++) {
        const struct entry *e = &base->entry[i];
        if (i != at)
            node_append(o->arena, copy, e->key, e->where, e->value);
        else if (value)
            node_append(o->arena, copy, e->key, where, value);
    }
    return copy;
}

static struct node *fail_nothing_to_unset(const struct override *o, const struct node *map, int i)
{
    const char **known = NEW_ARRAY(o->arena, const char *, map->n + 1);
    for (int k = 0; k < map->n; k++)
        known[k] = map->entry[k].key;
    const char *near = nearest_word(o->key[i], known, (size_t)map->n);
    fail(o->diag, o->where[i], "there is no '%s' to unset%s%s%s", o->key[i],
         near ? "\ndid you mean '" : "", near ? near : "", near ? "'?" : "");
    return NULL;
}

// "train.optimizer", the first n segments of the path
static const char *path_text(const struct override *o, int n)
{
    ASSERT(n > 0 && n <= o->n);
    const char *path = o->key[0];
    for (int i = 1; i < n; i++)
        path = arena_printf(o->arena, "%s.%s", path, o->key[i]);
    return path;
}

// lr where adam's lr is meant: train.optimizer.lr
static bool skips_word(const struct override *o, const struct node *base, int i,
                       const struct step *at)
{
    const char *word = union_word(base, at);
    return i == o->n - 1 && word && strcmp(word, o->key[i]) && union_has_word(at, o->key[i]) &&
           node_get(node_get(base, word), o->key[i]);
}

static struct node *apply_below(const struct override *o, const struct node *base, int e, int i,
                                const struct step *at)
{
    const struct step below = {at, o->key[i]};
    const struct node *child = base->entry[e].value;
    if (i < o->n - 1) {
        struct node *value = override_apply(o, child, i + 1, &below);
        return value ? with_entry(o, base, e, base->entry[e].where, value) : NULL;
    }
    if (node_unset(o->value))
        return with_entry(o, base, e, o->where[i], NULL);
    struct node *value = o->append ? node_extend(o->arena, child, o->value, &below, o->diag)
                                   : node_merge(o->arena, child, o->value, &below, o->diag);
    return value ? with_entry(o, base, e, o->where[i], value) : NULL;
}

// base with segments i… of the path set.
static struct node *override_apply(const struct override *o, const struct node *base, int i,
                                   const struct step *at)
{
    ASSERT(i < o->n);
    base = union_map(o->arena, base, at);
    if (base->kind == NODE_LIST) {
        const int e = index_of(o, base, i);
        return e < 0 ? NULL : apply_below(o, base, e, i, at);
    }
    if (skips_word(o, base, i, at)) {
        fail(o->diag, o->where[i], "'%s' is a parameter of '%s'\nwrite %s.%s.%s=…", o->key[i],
             union_word(base, at), path_text(o, i), union_word(base, at), o->key[i]);
        return NULL;
    }
    if (base->kind == NODE_SCALAR && !union_has_word(at, o->key[i]))
        return fail_no_map(o, base, i);
    const int e = node_index(base, o->key[i]);
    if (e >= 0 && !union_selects(at, o->key[i]))
        return apply_below(o, base, e, i, at);
    if (e < 0 && node_unset(o->value))
        return fail_nothing_to_unset(o, base, i);
    return node_merge(o->arena, base, nested(o, i), at, o->diag);
}

struct node *node_override(struct arena *a, const struct node *root, const struct source *text,
                           struct diag *d)
{
    struct override o = {.arena = a, .diag = d, .source = text};
    return read_override(&o) ? override_apply(&o, root, 0, NULL) : NULL;
}
