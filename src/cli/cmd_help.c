// Every word of the language explains itself: the text is its own table. Without a word, all words
// by kind.
#include "base/arena.h"
#include "base/text.h"
#include "cli/command.h"
#include "data/dataset.h"
#include "losses/losses.h"
#include "nn/layer.h"
#include "lang/vocabulary.h"
#include "eval/metric.h"

#include <string.h>

static const struct option_spec option[] = {OPTION_END};

static int gather_words(struct arena *a, struct vocable **out)
{
    static bool (*const list_of[])(size_t, struct vocable *) = {
        section_vocable, noise_vocable,     function_vocable,
        init_vocable,    optimizer_vocable, schedule_vocable};
    struct vocable *list = NULL;
    int n = 0;
#define LIST(kind, registry, usage, params) \
    for (int i = 0; registry[i]; i++)       \
    APPEND(a, list, n,                      \
           ((struct vocable){kind, registry[i]->name, registry[i]->help, usage, params}))
    LIST("layer", layers, NULL, layers[i]->params);
    LIST("loss", losses, losses[i]->formula, losses[i]->params);
    LIST("penalty", penalties, penalties[i]->formula, penalties[i]->params);
    LIST("term", terms, terms[i]->formula, terms[i]->params);
    LIST("data set", dataset_kinds, NULL, dataset_kinds[i]->params);
    LIST("score", metrics,
         "of: EXPRESSION, what is looked at; as evaluate.of, unless said\n"
         "  as: NAME, what its number is called",
         metrics[i]->params);
#undef LIST
    for (size_t k = 0; k < LENGTH(list_of); k++) {
        struct vocable v;
        for (size_t i = 0; list_of[k](i, &v); i++)
            APPEND(a, list, n, v);
    }
    *out = list;
    return n;
}

static void print_all(const struct vocable *list, int n)
{
    for (int i = 0; i < n; i++) {
        if (!i || strcmp(list[i].kind, list[i - 1].kind))
            printf("%s%s\n", i ? "\n" : "", list[i].kind);
        const char *name = strcmp(list[i].kind, "function") ? list[i].name : list[i].usage;
        printf("  %-24s %.*s\n", name, (int)strcspn(list[i].help, "\n"), list[i].help);
    }
}

static void print_one(const struct vocable *e)
{
    printf("%s (%s)\n  %s\n", e->name, e->kind, e->help);
    if (e->usage)
        printf("\n  %s\n", e->usage);
    if (e->params && e->params->name) {
        struct text t;
        text_init(&t);
        param_help(e->params, &t);
        printf("\n%s", t.s);
        text_release(&t);
    }
}

static int cmd_help_run(struct options *o)
{
    struct vocable *list;
    const int n = gather_words(o->arena, &list);
    bool found = false;
    if (!o->n_word) {
        print_all(list, n);
        return EXIT_DONE;
    }
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].name, o->word[0])) {
            if (found)
                putchar('\n');
            print_one(&list[i]);
            found = true;
        }
    if (found)
        return EXIT_DONE;
    const char **known = NEW_ARRAY(o->arena, const char *, n);
    for (int i = 0; i < n; i++)
        known[i] = list[i].name;
    const char *near = nearest_word(o->word[0], known, (size_t)n);
    fail(o->diag, (struct place){0}, "no word '%s'%s%s", o->word[0],
         near ? "\ndid you mean " : "\n`ganexp help` lists all words", near ? near : "");
    return EXIT_USAGE;
}

const struct command cmd_help = {
    .name = "help",
    .group = GROUP_TOOLS,
    .usage = "[WORD]",
    .help = "explain a word of the language, or list all",
    .options = option,
    .max_words = 1,
    .run = cmd_help_run,
};
