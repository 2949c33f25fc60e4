// Names within a network: inputs, and results that `as:` names.
#include "nn/body.h"

#include "base/arena.h"

#include <ctype.h>
#include <string.h>

bool is_name(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    while (isalnum((unsigned char)*s) || *s == '_')
        s++;
    return !*s;
}

static const struct scoped *find_in_scope(const struct scope *s, const char *name)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->name[i].name, name))
            return &s->name[i];
    return NULL;
}

bool scope_add(struct network_reader *r, struct scope *s, const char *name, int source,
               struct place where)
{
    if (!is_name(name))
        return fail(r->diag, where,
                    "'%s' is not a name\nexpected letters, digits and _, beginning with no digit",
                    name);
    const struct scoped *old = find_in_scope(s, name);
    if (old)
        return fail(r->diag, where, "the name '%s' is taken by line %d\nexpected another name",
                    name, old->where.line);
    ASSERT(source == SOURCE_NONE || source < r->body->n_stage);
    struct scoped new = {name, source, where};
    APPEND(r->arena, s->name, s->n, new);
    return true;
}

void scope_mark(struct body *body, int source)
{
    ASSERT(source == SOURCE_NONE || source < body->n_stage);
    if (source >= 0)
        body->stage[source]->read = true;
    else if (source != SOURCE_NONE)
        body->input_read[~source] = true;
}

static int fail_name(struct network_reader *r, const struct scope *scope, const struct node *name)
{
    const char **known = NULL;
    size_t n = 0;
    for (const struct scope *s = scope; s; s = s->outer)
        for (int i = 0; i < s->n; i++)
            APPEND(r->arena, known, n, s->name[i].name);
    fail_unknown(r->diag, name->where, "input or layer", name->text, known, n);
    return SOURCE_NONE;
}

int scope_find(struct network_reader *r, const struct scope *scope, const struct node *name)
{
    if (name->kind != NODE_SCALAR) {
        fail(r->diag, name->where,
             "a name is missing here\nexpected the name of an input or of a layer above");
        return SOURCE_NONE;
    }
    for (const struct scope *s = scope; s; s = s->outer) {
        const struct scoped *found = find_in_scope(s, name->text);
        if (found) {
            scope_mark(r->body, found->source);
            return found->source;
        }
    }
    return fail_name(r, scope, name);
}
