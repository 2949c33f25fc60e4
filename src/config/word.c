#include "config/param.h"

#include "base/arena.h"
#include "base/text.h"

#include <string.h>

static const char *article(const char *noun)
{
    return strchr("aeiou", *noun) && *noun ? "an" : "a";
}

// All known words, wrapped into lines of a message.
static void add_known(struct text *out, const char *const *known, size_t n)
{
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t length = strlen(known[i]);
        if (width + length > 84) {
            text_add(out, "\n ");
            width = 0;
        }
        text_addf(out, " %s", known[i]);
        width += length + 1;
    }
}

bool fail_unknown(struct diag *d, struct place where, const char *what, const char *word,
                  const char *const *known, size_t n)
{
    const char *near = nearest_word(word, known, n);
    struct text t;
    text_init(&t);
    text_addf(&t, "unknown %s '%s'\nexpected %s %s", what, word, article(what), what);
    if (near) {
        text_addf(&t, "; did you mean '%s'?", near);
    } else if (n) {
        text_add(&t, ":");
        add_known(&t, known, n);
    } else {
        text_add(&t, ", but none is known");
    }
    fail(d, where, "%s", t.s);
    text_release(&t);
    return false;
}

static bool is_reserved(const char *key, const char *const *reserved)
{
    for (; reserved && *reserved; reserved++)
        if (!strcmp(*reserved, key))
            return true;
    return false;
}

// `- conv2d:` above `filters: 64` at the same indentation is the usual cause.
static bool fail_two_words(struct diag *d, const struct entry *first, const struct entry *second,
                           const char *what)
{
    return fail(d, second->where,
                "'%s' stands beside '%s'\nexpected one word for %s %s; a parameter of '%s' "
                "goes into its braces or is indented below it",
                second->key, first->key, article(what), what, first->key);
}

static bool word_read_map(const struct node *map, const char *const *reserved, const char *what,
                          struct word *out, struct diag *d)
{
    const struct entry *word = NULL;
    for (int i = 0; i < map->n; i++) {
        const struct entry *e = &map->entry[i];
        if (is_reserved(e->key, reserved))
            continue;
        if (word)
            return fail_two_words(d, word, e, what);
        word = e;
    }
    if (!word)
        return fail(d, map->where,
                    "%s %s is missing here\nexpected a word, such as 'word' or "
                    "'word: {parameter: value}'",
                    article(what), what);
    *out = (struct word){word->key, word->where,
                         word->value->kind == NODE_NULL ? NULL : word->value};
    return true;
}

bool word_read(const struct node *node, const char *const *reserved, const char *what,
               struct word *out, struct diag *d)
{
    switch (node->kind) {
    case NODE_SCALAR: *out = (struct word){node->text, node->where, NULL}; return true;
    case NODE_MAP: return word_read_map(node, reserved, what, out, d);
    default:
        return fail(d, node->where,
                    "%s instead of %s %s\nexpected a word or 'word: {parameter: value}'",
                    node->kind == NODE_LIST ? "a list" : "nothing", article(what), what);
    }
}
