// A word's parameters are a table, and the table is the only place that knows them: it parses,
// checks, gives defaults and prints help. Reading each parameter by hand in each word's code was
// the simpler idea; then the checks differ from word to word and the help is wrong after the first
// change.
#include "config/param.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/range.h"
#include "config/tree.h"

#include <ctype.h>
#include <string.h>

struct param_reader {
    const struct param *table;
    const char *what;
    struct place where;
    char *into;
    struct arena *arena;
    struct diag *diag;
};

static size_t table_length(const struct param *table)
{
    size_t n = 0;
    while (table && table[n].name)
        n++;
    return n;
}

const struct param *param_find(const struct param *table, const char *name)
{
    for (const struct param *p = table; p && p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

bool param_is_number(enum param_type type)
{
    return type == PARAM_INT || type == PARAM_FLOAT || type == PARAM_INTS || type == PARAM_DURATION;
}

static struct range range_of(const struct param *p) { return (struct range){p->min, p->max}; }

static const char *param_what(const struct param_reader *r, const struct param *p)
{
    return arena_printf(r->arena, "'%s' of %s", p->name, r->what);
}

static size_t word_count(const struct param *p)
{
    size_t n = 0;
    while (p->words[n])
        n++;
    return n;
}

// --- one value -----------------------------------------------------------------------------------

static bool param_read_word(const struct param_reader *r, const struct param *p,
                            const struct node *node, int *out)
{
    if (node->kind != NODE_SCALAR)
        return fail(r->diag, node->where, "%s is %s\nexpected a word", param_what(r, p),
                    node_text(node));
    ASSERT(p->words && *p->words);
    const size_t n = word_count(p);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(p->words[i], node->text)) {
            *out = (int)i;
            return true;
        }
    return fail_unknown(r->diag, node->where, p->name, node->text, p->words, n);
}

// The elements of "5,9", each at its own column.
static struct node *param_split(const struct param_reader *r, const struct node *node)
{
    struct node *list = node_new(r->arena, NODE_LIST, node->where);
    for (const char *p = node->text;; p++) {
        p += strspn(p, " ");
        const size_t length = strcspn(p, ",");
        struct place where = node->where;
        if (!node->quoted && where.length == (int)strlen(node->text)) {
            where.col += (int)(p - node->text);
            where.length = (int)length;
        }
        struct node *element = node_new(r->arena, NODE_SCALAR, where);
        size_t end = length;
        while (end && p[end - 1] == ' ')
            end--;
        element->text = arena_strndup(r->arena, p, end);
        node_append(r->arena, list, NULL, where, element);
        p += length;
        if (!*p)
            return list;
    }
}

static bool read_ints(const struct param_reader *r, const struct param *p, const struct node *node,
                      struct ints *out)
{
    if (node->kind == NODE_MAP || node->kind == NODE_NULL)
        return fail(r->diag, node->where, "%s is %s\nexpected a list of whole numbers",
                    param_what(r, p), node_text(node));
    const struct node *list = node->kind == NODE_LIST ? node : param_split(r, node);
    if (list->n > INTS_MAX)
        return fail(r->diag, node->where, "%s has %d numbers\nexpected at most %d",
                    param_what(r, p), list->n, INTS_MAX);
    struct ints x = {.n = list->n};
    bool good = true;
    for (int i = 0; i < list->n; i++)
        good &= read_int(list->entry[i].value, param_what(r, p), range_of(p), &x.v[i], r->diag);
    if (good)
        *out = x;
    return good;
}

static bool read_text(const struct param_reader *r, const struct param *p, const struct node *node,
                      const char **out)
{
    if (node->kind != NODE_SCALAR)
        return fail(r->diag, node->where, "%s is %s\nexpected a text", param_what(r, p),
                    node_text(node));
    *out = node->text;
    return true;
}

static bool read_value(const struct param_reader *r, const struct param *p, const struct node *node)
{
    ASSERT(node->kind != NODE_NULL && (!param_is_number(p->type) || p->min < p->max));
    void *field = r->into + p->offset;
    const char *what = param_what(r, p);
    switch (p->type) {
    case PARAM_INT: return read_int(node, what, range_of(p), field, r->diag);
    case PARAM_FLOAT: return read_float(node, what, range_of(p), field, r->diag);
    case PARAM_DURATION: return read_duration(node, what, range_of(p), field, r->diag);
    case PARAM_BOOL: return scalar_bool(node, what, field, r->diag);
    case PARAM_TEXT:
    case PARAM_PATH: return read_text(r, p, node, field);
    case PARAM_WORD: return param_read_word(r, p, node, field);
    case PARAM_INTS: return read_ints(r, p, node, field);
    case PARAM_NODE:
    case PARAM_TENSOR:
    case PARAM_NAMES:
    case PARAM_LABEL: *(const struct node **)field = node; return true;
    }
    BUG("parameter '%s' has no type", p->name);
}

// --- defaults ------------------------------------------------------------------------------------

static const char *type_name(enum param_type type)
{
    static const char *const name[] = {[PARAM_INT] = "whole number",
                                       [PARAM_FLOAT] = "number",
                                       [PARAM_BOOL] = "true or false",
                                       [PARAM_TEXT] = "text",
                                       [PARAM_PATH] = "path",
                                       [PARAM_WORD] = "word",
                                       [PARAM_INTS] = "whole numbers",
                                       [PARAM_DURATION] = "duration",
                                       [PARAM_NODE] = "YAML",
                                       [PARAM_TENSOR] = "expression",
                                       [PARAM_LABEL] = "expression of a class",
                                       [PARAM_NAMES] = "name, or list"};
    ASSERT(type < LENGTH(name) && name[type]);
    return name[type];
}

static void write_type(const struct param *p, struct text *out)
{
    if (p->type == PARAM_WORD) {
        for (size_t i = 0; p->words[i]; i++)
            text_addf(out, "%s%s", i ? " | " : "", p->words[i]);
        return;
    }
    text_add(out, p->takes ? p->takes : type_name(p->type));
    range_write(range_of(p), out);
}

static bool param_fail_missing(const struct param_reader *r, const struct param *p)
{
    struct text type;
    text_init(&type);
    write_type(p, &type);
    fail(r->diag, r->where, "%s needs '%s'\n%s: %s%s%s", r->what, p->name, p->name, type.s,
         p->help ? "; " : "", p->help ? p->help : "");
    text_release(&type);
    return false;
}

static bool take_default(const struct param_reader *r, const struct param *p)
{
    if (!p->fallback)
        return param_fail_missing(r, p);
    if (!*p->fallback)
        return true;
    struct source *source = NEW(r->arena, struct source);
    *source = (struct source){"default", p->fallback};
    const struct node *node = node_parse(r->arena, source, r->diag);
    const bool good = node && read_value(r, p, node);
    if (!good)
        BUG("%s: the default '%s' of '%s' is not valid", r->what, p->fallback, p->name);
    return good;
}

// --- tables --------------------------------------------------------------------------------------

static bool fail_no_param(const struct param_reader *r, const struct entry *e)
{
    const size_t n = diag_full(r->diag) ? 0 : table_length(r->table);
    if (!n)
        return fail(r->diag, e->where, "%s has no parameter '%s'\nit takes none", r->what, e->key);
    const char **known = NEW_ARRAY(r->arena, const char *, n);
    struct text list;
    text_init(&list);
    for (size_t i = 0; i < n; i++) {
        known[i] = r->table[i].name;
        text_addf(&list, "%s%s", i ? ", " : "", known[i]);
    }
    const char *near = nearest_word(e->key, known, n);
    if (near)
        fail(r->diag, e->where, "%s has no parameter '%s'\ndid you mean '%s'?", r->what, e->key,
             near);
    else
        fail(r->diag, e->where, "%s has no parameter '%s'\nexpected one of %s", r->what, e->key,
             list.s);
    text_release(&list);
    return false;
}

static bool param_check_keys(const struct param_reader *r, const struct node *map)
{
    bool good = true;
    for (int i = 0; i < map->n; i++) {
        if (!param_find(r->table, map->entry[i].key))
            good = fail_no_param(r, &map->entry[i]);
    }
    return good;
}

// The node a parameter is read from: its key of a map, or all of a value given to the first.
static const struct node *node_for(const struct param_reader *r, const struct param *p,
                                   const struct node *node)
{
    const struct node *own = !node || node->kind == NODE_NULL ? NULL
                             : node->kind == NODE_MAP         ? node_get(node, p->name)
                             : p == r->table                  ? node
                                                              : NULL;
    return own && own->kind != NODE_NULL ? own : NULL;
}

bool param_read(const struct param *table, const struct node *node, struct place where,
                const char *what, void *into, struct arena *a, struct diag *d)
{
    const struct param_reader r = {table, what, where, into, a, d};
    bool good = true;
    ASSERT(a && d && (into || !table_length(table)));
    if (node) // the one thing that reading a tree leaves in it
        ((struct node *)(uintptr_t)node)->table = table;
    if (node && node->kind == NODE_MAP)
        good = param_check_keys(&r, node);
    else if (node && node->kind != NODE_NULL && !table_length(table))
        return fail(d, node->where, "%s takes no parameters\nexpected nothing here", what);
    for (const struct param *p = table; p && p->name; p++) {
        const struct node *own = node_for(&r, p, node);
        good &= own ? read_value(&r, p, own) : take_default(&r, p);
    }
    return good;
}

void param_kind(const struct param *p, struct text *out)
{
    write_type(p, out);
    if (!p->fallback)
        text_add(out, ", required");
    else if (*p->fallback)
        text_addf(out, ", default %s", p->fallback);
}

static int param_larger(int a, size_t b) { return a > (int)b ? a : (int)b; }

void param_help(const struct param *table, struct text *out)
{
    int name = 0, kind = 0;
    struct text t;
    text_init(&t);
    for (const struct param *p = table; p && p->name; p++) {
        text_clear(&t);
        param_kind(p, &t);
        name = param_larger(name, strlen(p->name));
        kind = param_larger(kind, t.n);
    }
    for (const struct param *p = table; p && p->name; p++) {
        text_clear(&t);
        param_kind(p, &t);
        text_addf(out, "%-*s  %-*s  %s\n", name, p->name, kind, t.s, p->help ? p->help : "");
    }
    text_release(&t);
}
