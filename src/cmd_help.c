// Every word of the language explains itself: the text is its own table. Without a word, all words
// by kind.
#include "base/arena.h"
#include "base/text.h"
#include "command.h"
#include "data/dataset.h"
#include "losses/losses.h"
#include "model/layer.h"
#include "score/metric.h"

#include <string.h>

static const struct option_spec option[] = {OPTION_END};

struct entry_text {
    const char *kind, *name, *help, *formula;
    const struct param *params;
};

static int gather_words(struct arena *a, struct entry_text **out)
{
    struct entry_text *list = NULL;
    int n = 0;
    for (int i = 0; layers[i]; i++)
        APPEND(a, list, n,
               ((struct entry_text){"layer", layers[i]->name, layers[i]->help, NULL,
                                    layers[i]->params}));
    for (int i = 0; losses[i]; i++)
        APPEND(a, list, n,
               ((struct entry_text){"loss", losses[i]->name, losses[i]->help, losses[i]->formula,
                                    losses[i]->params}));
    for (int i = 0; penalties[i]; i++)
        APPEND(a, list, n,
               ((struct entry_text){"penalty", penalties[i]->name, penalties[i]->help,
                                    penalties[i]->formula, penalties[i]->params}));
    for (int i = 0; terms[i]; i++)
        APPEND(a, list, n,
               ((struct entry_text){"term", terms[i]->name, terms[i]->help, terms[i]->formula,
                                    terms[i]->params}));
    for (int i = 0; dataset_kinds[i]; i++)
        APPEND(a, list, n,
               ((struct entry_text){"data set", dataset_kinds[i]->name, dataset_kinds[i]->help,
                                    NULL, dataset_kinds[i]->params}));
    for (int i = 0; metrics[i]; i++)
        APPEND(
            a, list, n,
            ((struct entry_text){"score", metrics[i]->name, metrics[i]->help,
                                 "of: EXPRESSION, what is looked at; as evaluate.of, unless said\n"
                                 "  as: NAME, what its number is called",
                                 metrics[i]->params}));
    *out = list;
    return n;
}

static void print_all(const struct entry_text *list, int n)
{
    for (int i = 0; i < n; i++) {
        if (!i || strcmp(list[i].kind, list[i - 1].kind))
            printf("%s%s\n", i ? "\n" : "", list[i].kind);
        printf("  %-24s %.*s\n", list[i].name, (int)strcspn(list[i].help, "\n"), list[i].help);
    }
}

static void print_one(const struct entry_text *e)
{
    printf("%s (%s)\n  %s\n", e->name, e->kind, e->help);
    if (e->formula)
        printf("\n  %s\n", e->formula);
    if (e->params && e->params->name) {
        struct text t;
        text_init(&t);
        param_help(e->params, &t);
        printf("\n%s", t.s);
        text_release(&t);
    }
}

static int run(struct options *o)
{
    struct entry_text *list;
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
    .usage = "[LAYER|LOSS|PENALTY|TERM|DATA SET|SCORE]",
    .help = "explain a word of the language, or list all",
    .options = option,
    .max_words = 1,
    .run = run,
};
