// libyaml says what its scanner was doing; a person wants to know what to change. Each of its
// complaints is translated here, once; one that is not in the table is passed on as it is.
#include "config/yaml.h"

#include "base/arena.h"

#include <string.h>

static const struct {
    const char *problem, *message, *hint;
} known[] = {
    {"mapping values are not allowed", "unexpected ':'",
     "expected one 'key: value' here; check the indentation of this line and the one above, and quote a "
     "text that contains ': '"},
    {"did not find expected key", "this line does not fit the lines above",
     "expected a key at the same indentation as its neighbours"},
    {"did not find expected '-'", "this line does not fit the list above",
     "expected '- ' at the same indentation as the list's other elements"},
    {"did not find expected ',' or '}'", "this '{' list of keys goes wrong here", "expected ',' or '}'"},
    {"did not find expected ',' or ']'", "this '[' list goes wrong here", "expected ',' or ']'"},
    {"did not find expected node content", "a value is missing here", "expected a value"},
    {"did not find expected <document start>", "the document has ended above this",
     "expected nothing more; check the indentation and look for a stray bracket or quote"},
    {"could not find expected ':'", "this key has no ':'", "expected 'key: value'"},
    {"found unexpected end of stream", "the text ends inside a quote", "expected the closing quote"},
    {"found unexpected document indicator", "'---' or '...' inside a quote", "expected the closing quote"},
    {"found a tab character", "a tab in the indentation", "expected blanks: YAML takes no tabs here"},
    {"found unknown escape character", "unknown escape in a double-quoted text",
     "write \\\\ for a backslash, or use single quotes"},
    {"found undefined tag handle", "unknown tag", "the only tag is !unset"},
    {"block sequence entries are not allowed", "a list element cannot begin here",
     "expected '- ' on a line of its own, below the list's key"},
    {"block mapping", "a key cannot begin here", "expected a new line"},
    {"mapping keys are not allowed", "a key cannot begin here", "expected 'key: value' on a line of its own"},
    {"did not find expected digit or ", "this is no indentation indicator", NULL},
    {"did not find expected comment or line break", "text after '|' or '>'",
     "expected the text on the lines below, indented"},
    {"found unexpected ':'", "unexpected ':'", "expected a blank after ':', or quotes around the text"},
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

bool fail_syntax(struct diag *d, struct place where, const char *problem, const char *context,
                 struct place opened)
{
    if (strstr(problem, "cannot start any token"))
        return fail_character(d, where);
    char begun[80] = "";
    if (opened.line && opened.line != where.line && *context)
        snprintf(begun, sizeof begun, "\n%.40s that began in line %d",
                 strncmp(context, "while ", 6) ? context : context + 6, opened.line);
    for (size_t i = 0; i < LENGTH(known); i++)
        if (strstr(problem, known[i].problem))
            return fail(d, where, "%s%s%s%s", known[i].message, known[i].hint ? "\n" : "",
                        known[i].hint ? known[i].hint : "", begun);
    return fail(d, where, "%s%s", problem, begun);
}
