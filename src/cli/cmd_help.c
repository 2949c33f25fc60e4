// Every word of the language explains itself: the text is its own table. Without a word, all words by kind. A key explains itself
// for each word whose key it is.
#include "base/arena.h"
#include "base/text.h"
#include "cli/command.h"
#include "data/dataset.h"
#include "eval/metric.h"
#include "lang/function.h"
#include "lang/sections.h"
#include "lang/vocabulary.h"
#include "losses/losses.h"
#include "nn/init.h"
#include "nn/layer.h"
#include "optimizers/optimizer.h"

#include <string.h>

static const struct option_spec option[] = {OPTION_END};

// All kinds of words; `beside` are the keys that every word of the kind takes beside its own.
static const struct kind {
    const struct vocabulary *of;
    const struct param *beside;
} kinds[] = {
    {&layers, beside_layer},
    {&losses, NULL},
    {&penalties, NULL},
    {&terms, term_params},
    {&dataset_kinds, source_params},
    {&metrics, beside_score},
    {&sections, NULL},
    {&noises, NULL},
    {&functions, NULL},
    {&initialisations, NULL},
    {&optimizers, NULL},
    {&schedules, NULL},
};

#define EACH_WORD(k, w)                                                \
    for (const struct kind *k = kinds; k < kinds + LENGTH(kinds); k++) \
        for (const struct word *const *w = k->of->word; *w; w++)

static void print_all(void)
{
    EACH_WORD(k, w)
    {
        const struct word *is = *w;
        if (w == k->of->word)
            printf("%s%s\n", k == kinds ? "" : "\n", k->of->kind);
        printf("  %-24s %.*s\n", k->of == &functions ? is->usage : is->name,
               (int)strcspn(is->help, "\n"), is->help);
    }
}

static void print_table(const struct param *table)
{
    struct text t;
    text_init(&t);
    param_help(table, &t);
    printf("%s", t.s);
    text_release(&t);
}

static void print_word(const struct kind *k, const struct word *is)
{
    printf("%s (%s)\n  %s\n", is->name, k->of->kind, is->help);
    if (is->usage)
        printf("\n  %s\n", is->usage);
    if (is->params && is->params->name)
        putchar('\n'), print_table(is->params);
    if (k->beside)
        printf("\nas every %s\n", k->of->kind), print_table(k->beside);
}

static int print_words(const char *name)
{
    int n = 0;
    EACH_WORD(k, w)
    if (!strcmp((*w)->name, name)) {
        if (n++)
            putchar('\n');
        print_word(k, *w);
    }
    return n;
}

static int fail_word(struct options *o)
{
    const char **known = NULL;
    size_t n = 0;
    EACH_WORD(k, w)
    APPEND(o->arena, known, n, (*w)->name);
    const char *near = nearest_word(o->word[0], known, n);
    fail(o->diag, (struct place){0}, "no word '%s'%s%s", o->word[0],
         near ? "\ndid you mean " : "\n`ganexp help` lists all words", near ? near : "");
    return EXIT_USAGE;
}

static int cmd_help_run(struct options *o)
{
    if (!o->n_word)
        return print_all(), EXIT_DONE;
    return print_words(o->word[0]) ? EXIT_DONE : fail_word(o);
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
