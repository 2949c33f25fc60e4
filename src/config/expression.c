// Recursive descent, a function a line of the grammar. Places are exact because the text of a plain
// scalar stands in the file as it is; where it does not (quotes with escapes, folded lines) every
// node gets the scalar's place, which is less and never wrong. Depth and size are limited here
// once, so that what walks a tree may recurse.
#include "config/expression.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/number.h"

#include <ctype.h>
#include <string.h>

enum { NESTED_MAX = 64, SIZE_MAX_NODES = 1000 };

struct expression_reader {
    struct arena *arena;
    struct diag *diag;
    const char *text, *at;
    struct place scalar; // of the whole text
    bool exact;          // text stands in the source, at begin
    struct place begin;
    int depth, size;
};

// --- places --------------------------------------------------------------------------------------

static void locate(struct expression_reader *r, const struct node *node)
{
    r->scalar = r->begin = node->where;
    r->begin.col += node->quoted ? 1 : 0;
    r->exact = node->verbatim;
}

// A length of 0 is one column, which may be the one after the end.
static struct place place_of(const struct expression_reader *r, const char *p, size_t length)
{
    if (!r->exact)
        return r->scalar;
    ASSERT(p >= r->text && p + length <= r->text + strlen(r->text));
    struct place where = r->begin;
    where.col += (int)(p - r->text);
    where.length = length ? (int)length : 1;
    return where;
}

// --- tokens --------------------------------------------------------------------------------------

static char peek(struct expression_reader *r)
{
    r->at += strspn(r->at, " \t\r\n");
    return *r->at;
}

static size_t name_length(const char *p)
{
    size_t n = 0;
    if (isalpha((unsigned char)*p) || *p == '_')
        while (isalnum((unsigned char)p[n]) || p[n] == '_')
            n++;
    return n;
}

static size_t character_length(const char *p)
{
    size_t n = *p ? 1 : 0;
    while (n && ((unsigned char)p[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static struct expression *unexpected(struct expression_reader *r, const char *expected)
{
    peek(r);
    const size_t n = name_length(r->at) ? name_length(r->at) : character_length(r->at);
    const struct place where = place_of(r, r->at, n);
    if (n)
        fail(r->diag, where, "unexpected '%.*s'\nexpected %s", (int)n, r->at, expected);
    else
        fail(r->diag, where, "the expression ends here\nexpected %s", expected);
    return NULL;
}

static struct expression *expression_make(struct expression_reader *r, enum expression_kind kind,
                                          const char *p, size_t length)
{
    const struct place where = place_of(r, p, length);
    if (++r->size > SIZE_MAX_NODES) {
        fail(r->diag, where,
             "this expression has more than %d parts\nname some of them in "
             "'values:'",
             SIZE_MAX_NODES);
        return NULL;
    }
    struct expression *e = NEW(r->arena, struct expression);
    e->kind = kind;
    e->where = where;
    return e;
}

static void add_arg(struct expression_reader *r, struct expression *e, const char *name,
                    struct expression *arg)
{
    const char **names = arena_grow(r->arena, e->arg_name, (size_t)e->n_arg, sizeof *names);
    names[e->n_arg] = name;
    e->arg_name = names;
    APPEND(r->arena, e->arg, e->n_arg, arg);
}

// --- grammar -------------------------------------------------------------------------------------

static struct expression *parse_sum(struct expression_reader *r);

static bool is_number_part(const char *p, const char *begin)
{
    const bool sign = (*p == '+' || *p == '-') && p > begin && (p[-1] == 'e' || p[-1] == 'E') &&
                      isdigit((unsigned char)p[1]);
    return sign || isalnum((unsigned char)*p) || *p == '_' || *p == '.' || *p == '%';
}

static struct expression *parse_number(struct expression_reader *r)
{
    const char *begin = r->at;
    while (is_number_part(r->at, begin))
        r->at++;
    const size_t length = (size_t)(r->at - begin);
    struct expression *e = expression_make(r, EXPR_NUMBER, begin, length);
    const char *copy = arena_strndup(r->arena, begin, length);
    if (!e || !number_read(copy, &e->number))
        return e;
    fail(r->diag, e->where,
         "'%s' is no number\nexpected a number such as 0.5 or 1e-4; a name does "
         "not begin with a digit",
         copy);
    return NULL;
}

// The argument's name where it is `name = …`; NULL for one by position.
static const char *argument_name(struct expression_reader *r)
{
    peek(r);
    const char *begin = r->at;
    const size_t n = name_length(begin);
    r->at += n;
    if (n && peek(r) == '=' && r->at[1] != '=') {
        r->at++;
        return arena_strndup(r->arena, begin, n);
    }
    r->at = begin;
    return NULL;
}

static bool check_argument(struct expression_reader *r, const struct expression *call,
                           const char *name, const char *p)
{
    const size_t length = name ? strlen(name) : 0;
    if (!name && call->n_arg && call->arg_name[call->n_arg - 1])
        return fail(r->diag, place_of(r, p, 0),
                    "an argument by position follows one by name\n"
                    "expected 'name=…'");
    for (int i = 0; name && i < call->n_arg; i++)
        if (call->arg_name[i] && !strcmp(call->arg_name[i], name))
            return fail(r->diag, place_of(r, p, length), "'%s' is given twice", name);
    return true;
}

static bool parse_argument(struct expression_reader *r, struct expression *call)
{
    peek(r);
    const char *begin = r->at;
    const char *name = argument_name(r);
    if (!check_argument(r, call, name, begin))
        return false;
    struct expression *arg = parse_sum(r);
    if (arg)
        add_arg(r, call, name, arg);
    return arg != NULL;
}

static bool close_paren(struct expression_reader *r, const char *open, const char *expected)
{
    if (peek(r) == ')') {
        r->at++;
        return true;
    }
    if (*r->at)
        return unexpected(r, expected) != NULL;
    return fail(r->diag, place_of(r, open, 1), "'(' is not closed\nexpected %s", expected);
}

static struct expression *parse_call(struct expression_reader *r, const char *name, size_t length)
{
    struct expression *call = expression_make(r, EXPR_CALL, name, length);
    const char *open = r->at++;
    if (!call)
        return NULL;
    call->name = arena_strndup(r->arena, name, length);
    if (peek(r) != ')') {
        if (!parse_argument(r, call))
            return NULL;
        while (peek(r) == ',') {
            r->at++;
            if (!parse_argument(r, call))
                return NULL;
        }
    }
    return close_paren(r, open, "',', an operator or ')'") ? call : NULL;
}

static struct expression *parse_name(struct expression_reader *r, size_t length)
{
    const char *name = r->at;
    r->at += length;
    if (peek(r) == '(')
        return parse_call(r, name, length);
    struct expression *e = expression_make(r, EXPR_NAME, name, length);
    if (e)
        e->name = arena_strndup(r->arena, name, length);
    return e;
}

static struct expression *parse_parens(struct expression_reader *r)
{
    const char *open = r->at++;
    struct expression *e = parse_sum(r);
    return e && close_paren(r, open, "an operator or ')'") ? e : NULL;
}

static struct expression *parse_atom(struct expression_reader *r)
{
    const char c = peek(r);
    const size_t length = name_length(r->at);
    if (length)
        return parse_name(r, length);
    if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)r->at[1])))
        return parse_number(r);
    if (c == '(')
        return parse_parens(r);
    return unexpected(r, "a name, a number or '('");
}

static struct expression *parse_field(struct expression_reader *r)
{
    struct expression *e = parse_atom(r);
    while (e && peek(r) == '.') {
        r->at++;
        peek(r);
        const size_t length = name_length(r->at);
        if (!length)
            return unexpected(r, "the name of a field or output after '.'");
        struct expression *field = expression_make(r, EXPR_FIELD, r->at, length);
        if (!field)
            return NULL;
        field->name = arena_strndup(r->arena, r->at, length);
        add_arg(r, field, NULL, e);
        r->at += length;
        e = field;
    }
    return e;
}

static struct expression *expression_binary(struct expression_reader *r, const char *op,
                                            struct expression *left, struct expression *right)
{
    struct expression *e = left && right ? expression_make(r, EXPR_BINARY, op, 1) : NULL;
    if (!e)
        return NULL;
    e->op = *op;
    add_arg(r, e, NULL, left);
    add_arg(r, e, NULL, right);
    return e;
}

static struct expression *parse_sign(struct expression_reader *r)
{
    if (peek(r) != '-')
        return parse_field(r);
    const char *minus = r->at++;
    struct expression *zero = expression_make(r, EXPR_NUMBER, minus, 1);
    if (r->depth++ >= NESTED_MAX)
        return fail(r->diag, place_of(r, minus, 1), "nested more than %d deep", NESTED_MAX), NULL;
    struct expression *e = parse_sign(r);
    r->depth--;
    if (!e || e->kind != EXPR_NUMBER)
        return expression_binary(r, minus, zero, e);
    e->number = -e->number;
    e->where = place_of(r, minus, (size_t)(r->at - minus));
    return e;
}

static struct expression *parse_product(struct expression_reader *r)
{
    struct expression *e = parse_sign(r);
    while (e && (peek(r) == '*' || *r->at == '/')) {
        const char *op = r->at++;
        e = expression_binary(r, op, e, parse_sign(r));
    }
    return e;
}

static struct expression *parse_sum(struct expression_reader *r)
{
    if (r->depth++ >= NESTED_MAX)
        return fail(r->diag, place_of(r, r->at, 0), "nested more than %d deep", NESTED_MAX), NULL;
    struct expression *e = parse_product(r);
    while (e && (peek(r) == '+' || *r->at == '-')) {
        const char *op = r->at++;
        e = expression_binary(r, op, e, parse_product(r));
    }
    r->depth--;
    return e;
}

struct expression *expression_parse(struct arena *a, const struct node *node, struct diag *d)
{
    if (node->kind != NODE_SCALAR) {
        const char *is = node->kind == NODE_LIST  ? "a list"
                         : node->kind == NODE_MAP ? "a map"
                                                  : "nothing";
        fail(d, node->where,
             "%s instead of an expression\nexpected an expression such as "
             "real.image or generator(z, y)",
             is);
        return NULL;
    }
    struct expression_reader r = {.arena = a, .diag = d, .text = node->text, .at = node->text};
    locate(&r, node);
    struct expression *e = parse_sum(&r);
    ASSERT(!e || (!r.depth && r.size > 0));
    if (!e || !peek(&r))
        return e;
    return unexpected(&r, *r.at == '=' || *r.at == ':' ? "an operator or the end; arguments are "
                                                         "named inside a call: f(x, label=y)"
                                                       : "an operator or the end");
}

// --- text ----------------------------------------------------------------------------------------

static int precedence(const struct expression *e)
{
    if (e->kind == EXPR_BINARY)
        return e->op == '+' || e->op == '-' ? 1 : 2;
    return e->kind == EXPR_NUMBER ? 3 : 4;
}

static void write_at_least(const struct expression *e, int least, struct text *out)
{
    const bool parens = precedence(e) < least;
    text_add(out, parens ? "(" : "");
    expression_text(e, out);
    text_add(out, parens ? ")" : "");
}

static void write_call(const struct expression *e, struct text *out)
{
    text_addf(out, "%s(", e->name);
    for (int i = 0; i < e->n_arg; i++) {
        text_add(out, i ? ", " : "");
        if (e->arg_name[i])
            text_addf(out, "%s=", e->arg_name[i]);
        expression_text(e->arg[i], out);
    }
    text_add(out, ")");
}

void expression_text(const struct expression *e, struct text *out)
{
    char number[32];
    switch (e->kind) {
    case EXPR_NUMBER:
        number_text(e->number, number);
        text_add(out, number);
        return;
    case EXPR_NAME: text_add(out, e->name); return;
    case EXPR_CALL: write_call(e, out); return;
    case EXPR_FIELD:
        write_at_least(e->arg[0], 4, out);
        text_addf(out, ".%s", e->name);
        return;
    case EXPR_BINARY:
        write_at_least(e->arg[0], precedence(e), out);
        text_addf(out, " %c ", e->op);
        write_at_least(e->arg[1], precedence(e) + 1, out);
    }
}
