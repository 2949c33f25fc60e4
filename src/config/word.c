// Words are looked up in lists made from folders, a linear search each: a config says a few hundred words, and the lists have
// up to forty. A hash map of all words would need the kind in its key, since `normal` is a noise and an initialisation.
#include "config/word.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/param.h"

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
    ASSERT(word && (known || !n));
    if (diag_full(d))
        return fail(d, where, "unknown %s '%s'", what, word);
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

// `- conv2d:` above `filters: 64` at the same indentation is the usual cause.
static bool fail_two_words(struct diag *d, const struct entry *first, const struct entry *second,
                           const char *what)
{
    return fail(d, second->where,
                "'%s' stands beside '%s'\nexpected one word for %s %s; a parameter of '%s' "
                "goes into its braces or is indented below it",
                second->key, first->key, article(what), what, first->key);
}

static bool word_read_map(const struct node *map, const struct param *beside, const char *what,
                          struct word_call *out, struct diag *d)
{
    const struct entry *word = NULL;
    for (int i = 0; i < map->n; i++) {
        const struct entry *e = &map->entry[i];
        if (param_find(beside, e->key))
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
    *out = (struct word_call){word->key, word->where,
                              word->value->kind == NODE_NULL ? NULL : word->value};
    return true;
}

bool word_read(const struct node *node, const struct param *beside, const char *what,
               struct word_call *out, struct diag *d)
{
    switch (node->kind) {
    case NODE_SCALAR: *out = (struct word_call){node->text, node->where, NULL}; return true;
    case NODE_MAP: return word_read_map(node, beside, what, out, d);
    default:
        return fail(d, node->where,
                    "%s instead of %s %s\nexpected a word or 'word: {parameter: value}'",
                    node->kind == NODE_LIST ? "a list" : "nothing", article(what), what);
    }
}

const struct word *word_find(const struct vocabulary *of, const char *name)
{
    ASSERT(of->kind && of->word && name);
    for (const struct word *const *w = of->word; *w; w++)
        if (!strcmp((*w)->name, name))
            return *w;
    return NULL;
}

const char **word_names(struct arena *a, const struct vocabulary *of, int *n)
{
    *n = 0;
    while (of->word[*n])
        ++*n;
    const char **name = NEW_ARRAY(a, const char *, *n + 1);
    for (int i = 0; i < *n; i++)
        name[i] = of->word[i]->name;
    return name;
}

const struct word *word_called(const struct vocabulary *of, const struct word_call *call,
                               struct diag *d)
{
    const struct word *word = word_find(of, call->name);
    if (word)
        return word;
    struct arena *a = arena_new(NULL);
    int n;
    const char **known = word_names(a, of, &n);
    fail_unknown(d, call->where, of->kind, call->name, known, (size_t)n);
    arena_free(a);
    return NULL;
}

const struct word *word_choose(const struct vocabulary *of, const struct node *node,
                               const struct param *beside, struct word_call *call, struct diag *d)
{
    return word_read(node, beside, of->kind, call, d) ? word_called(of, call, d) : NULL;
}

void *word_params(const struct vocabulary *of, const struct word *word,
                  const struct word_call *call, struct arena *a, struct diag *d)
{
    ASSERT(word && word_find(of, word->name) == word);
    ASSERT(!word->params || !word->params->name || word->size);
    void *into = arena_alloc(a, word->size + 1);
    const char *what = arena_printf(a, "%s '%s'", of->kind, word->name);
    return param_read(word->params, call->params, call->where, what, into, a, d) ? into : NULL;
}
