// Parameters are flat so that SQL can ask for them: a path is a column of sorts. Stored as a tree,
// as the config is, every question would begin by walking one.
#include "store/run_params.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/param.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void add_param(struct arena *a, const char *key, const struct node *node,
                      struct run_param **list, int *n)
{
    const struct place w = node->where;
    const bool cli = w.source && !strcmp(w.source->name, "command line");
    const char *origin = cli        ? "command line"
                         : w.source ? arena_printf(a, "%s:%d", w.source->name, w.line)
                                    : "default";
    struct run_param p = {.key = key, .type = "str", .num = NAN, .origin = origin};
    struct text flow;
    text_init(&flow);
    if (node->kind == NODE_SCALAR)
        text_add(&flow, node->text);
    else
        node_write_flow(node, &flow);
    p.text = arena_strdup(a, flow.s);
    text_release(&flow);
    struct diag *quiet = diag_new(a);
    int64_t whole;
    if (node->kind == NODE_LIST)
        p.type = "list";
    else if (node->kind == NODE_NULL)
        p.type = "null";
    else if (!node->quoted && scalar_int(node, key, INT64_MIN, INT64_MAX, &whole, quiet))
        p.type = "int", p.num = (double)whole;
    else if (!node->quoted && scalar_float(node, key, -DBL_MAX, DBL_MAX, &p.num, quiet))
        p.type = "float";
    else if (!strcmp(p.text, "true") || !strcmp(p.text, "false"))
        p.type = "bool", p.num = p.text[0] == 't';
    APPEND(a, *list, *n, p);
}

static bool only_scalars(const struct node *list)
{
    for (int i = 0; i < list->n; i++)
        if (list->entry[i].value->kind == NODE_MAP || list->entry[i].value->kind == NODE_LIST)
            return false;
    return true;
}

// What a node leaves out and its table fills in. A scalar stands for the first parameter.
static void add_defaults(struct arena *a, const char *path, const struct node *node,
                         struct run_param **list, int *n)
{
    const struct param *p = node->table;
    const bool shorthand = node->kind != NODE_MAP && node->kind != NODE_NULL;
    for (p = shorthand && p && p->name ? p + 1 : p; p && p->name; p++) {
        if (!p->fallback || !*p->fallback || node_get(node, p->name))
            continue;
        struct node own = {.kind = NODE_SCALAR, .text = p->fallback};
        add_param(a, *path ? arena_printf(a, "%s.%s", path, p->name) : p->name, &own, list, n);
    }
}

static void run_params_add_params(struct arena *a, const char *path, const struct node *node,
                                  struct run_param **list, int *n)
{
    add_defaults(a, path, node, list, n);
    if ((node->kind != NODE_MAP && node->kind != NODE_LIST) ||
        (node->kind == NODE_LIST && only_scalars(node))) {
        add_param(a, path, node, list, n);
        return;
    }
    for (int i = 0; i < node->n; i++) {
        if (!*path &&
            (!strcmp(node->entry[i].key, "about") || !strcmp(node->entry[i].key, "paper")))
            continue; // prose
        const char *key = node->kind == NODE_MAP ? node->entry[i].key : arena_printf(a, "%d", i);
        run_params_add_params(a, *path ? arena_printf(a, "%s.%s", path, key) : key,
                              node->entry[i].value, list, n);
    }
}

struct run_param *run_params(struct arena *a, const struct node *root, int *n)
{
    struct run_param *list = NULL;
    *n = 0;
    run_params_add_params(a, "", root, &list, n);
    return list;
}
