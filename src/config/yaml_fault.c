// libyaml says what its scanner was doing; a person wants to know what to change. Each of its
// complaints is translated here, once; one that is not in the table is passed on as it is.
#include "config/yaml.h"

#include "base/arena.h"

#include <string.h>

static const struct {
    const char *problem, *message, *hint;
} known[] = {
    {"mapping values are not allowed", "unexpected ':'",
     "expected one 'key: value' here; check the indentation of this line and the one above, and "
     "quote a text that contains ': '"},
    {"did not find expected key", "this line does not fit the lines above",
     "expected a key at the same indentation as its neighbours"},
    {"did not find expected '-'", "this line does not fit the list above",
     "expected '- ' at the same indentation as the list's other elements"},
    {"did not find expected ',' or '}'", "the map in { } goes wrong here", "expected ',' or '}'"},
    {"did not find expected ',' or ']'", "the list in [ ] goes wrong here", "expected ',' or ']'"},
    {"did not find expected node content", "a value is missing here", "expected a value"},
    {"did not find expected <document start>", "the document has ended above this",
     "expected nothing more; check the indentation and look for a stray bracket or quote"},
    {"could not find expected ':'", "this key has no ':'", "expected 'key: value'"},
    {"found unexpected end of stream", "the text ends inside a quote",
     "expected the closing quote"},
    {"found unexpected document indicator", "'---' or '...' inside a quote",
     "expected the closing quote"},
    {"found a tab character", "a tab in the indentation",
     "expected blanks: YAML takes no tabs here"},
    {"found unknown escape character", "unknown escape in a double-quoted text",
     "write \\\\ for a backslash, or use single quotes"},
    {"found undefined tag handle", "unknown tag", "the only tag is !unset"},
    {"block sequence entries are not allowed", "a list element cannot begin here",
     "expected '- ' on a line of its own, below the list's key"},
    {"block mapping", "a key cannot begin here", "expected a new line"},
    {"mapping keys are not allowed", "a key cannot begin here",
     "expected 'key: value' on a line of its own"},
    {"did not find expected digit or ", "this is no indentation indicator", NULL},
    {"did not find expected comment or line break", "text after '|' or '>'",
     "expected the text on the lines below, indented"},
    {"did not find expected whitespace or line break", "a blank is missing after the tag",
     "expected 'key: !unset' at the end of a line, or '{key: !unset }'"},
    {"found unexpected ':'", "unexpected ':'",
     "expected a blank after ':', or quotes around the text"},
    {"did not find expected alphabetic", "a name is missing after '&' or '*'",
     "quote a text that begins with '*' or '&'"},
    {"control characters are not allowed", "a control character", "expected printable text"},
};

static bool fail_character(struct diag *d, struct place where)
{
    const char *line = where.source->text;
    for (int i = 1; i < where.line; i++)
        line = strchr(line, '\n') + 1;
    const char c = line[where.col - 1];
    if (c == '\t')
        return fail(d, where, "a tab in the indentation\nexpected blanks: YAML takes no tabs here");
    return fail(d, where, "a value cannot begin with '%c'\nquote the text: \"%c…\"", c, c);
}

// What libyaml was in the middle of, as its first character.
static const char *beginning(const char *context)
{
    static const struct {
        const char *context, *name;
    } known_context[] = {
        {"flow sequence", "the '[' is"},         {"flow mapping", "the '{' is"},
        {"quoted scalar", "the quote begins"},   {"block mapping", "the keys above begin"},
        {"block collection", "the list begins"}, {"simple key", "the key is"}};
    for (size_t i = 0; i < LENGTH(known_context); i++)
        if (strstr(context, known_context[i].context))
            return known_context[i].name;
    return "it begins";
}

// Is there nothing but blanks and comments from here on?
static bool is_end(struct place where)
{
    const char *p = where.source->text;
    for (int i = 1; i < where.line; i++)
        p = strchr(p, '\n') + 1;
    p += where.col - 1;
    while (*(p += strspn(p, " \t\r\n")) == '#')
        p += strcspn(p, "\n");
    return !*p;
}

// What was opened and is not closed at the end of the text is shown where it was opened.
static bool fail_unclosed(struct diag *d, const char *context, struct place opened)
{
    if (strstr(context, "quoted scalar"))
        return fail(d, opened, "this quote is not closed\nexpected the closing quote");
    const bool map = strstr(context, "flow mapping");
    return fail(d, opened, "this '%c' is not closed\nexpected '%c'", map ? '{' : '[',
                map ? '}' : ']');
}

bool fail_syntax(struct diag *d, struct place where, const char *problem, const char *context,
                 struct place opened)
{
    const bool encloses = strstr(context, "flow ") || strstr(context, "quoted scalar");
    if (opened.line && encloses && is_end(where))
        return fail_unclosed(d, context, opened);
    if (strstr(problem, "cannot start any token"))
        return fail_character(d, where);
    char begun[64] = "";
    if (opened.line && opened.line != where.line && *context)
        snprintf(begun, sizeof begun, "\n%s in line %d", beginning(context), opened.line);
    for (size_t i = 0; i < LENGTH(known); i++)
        if (strstr(problem, known[i].problem))
            return fail(d, where, "%s%s%s%s", known[i].message, known[i].hint ? "\n" : "",
                        known[i].hint ? known[i].hint : "", begun);
    return fail(d, where, "%s%s", problem, begun);
}
