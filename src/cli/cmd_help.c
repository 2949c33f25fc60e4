// Every word of the language explains itself: the text is its own table. Without a word, all words by kind. A key explains itself
// for each word whose key it is.
#include "base/arena.h"
#include "base/text.h"
#include "cli/command.h"
#include "data/dataset.h"
#include "eval/metric.h"
#include "lang/function.h"
#include "lang/sections.h"
#include "lang/silence.h"
#include "losses/augmentation.h"
#include "losses/losses.h"
#include "nn/init.h"
#include "nn/layer.h"
#include "optimizers/optimizer.h"

#include <ctype.h>
#include <string.h>

static const struct option_spec option[] = {
    {"markdown", 0, NULL, "all words as the tables of configs/README.md"}, OPTION_END};

// All kinds of words; `beside` are the keys that every word of the kind takes beside its own.
static const struct kind {
    const struct vocabulary *of;
    const struct param *beside;
} kinds[] = {
    {&layers, beside_layer},  {&losses, NULL},          {&penalties, NULL},
    {&augmentations, NULL},   {&terms, term_params},    {&dataset_kinds, source_params},
    {&metrics, beside_score}, {&sections, NULL},        {&noises, NULL},
    {&functions, NULL},       {&initialisations, NULL}, {&optimizers, NULL},
    {&schedules, NULL},       {&warnings, NULL},
};

#define EACH_WORD(k, w)                                                \
    for (const struct kind *k = kinds; k < kinds + LENGTH(kinds); k++) \
        for (const struct word *const *w = k->of->word; *w; w++)

static void print_line(const struct kind *k, const struct word *is)
{
    printf("  %-24s %s\n", k->of == &functions ? is->usage : is->name, is->help);
}

static void print_all(void)
{
    EACH_WORD(k, w)
    {
        if (w == k->of->word)
            printf("%s%s\n", k == kinds ? "" : "\n", k->of->kind);
        print_line(k, *w);
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

// --- keys ----------------------------------------------------------------------------------------

// A key of a word, or of every word of a kind.
struct help_key {
    const char *of;
    const struct param *is;
};

static struct help_key *find_keys(struct arena *a, const char *name, int *n)
{
    struct help_key *key = NULL;
    *n = 0;
    EACH_WORD(k, w)
    {
        const struct param *own = param_find((*w)->params, name);
        const struct param *beside = w == k->of->word ? param_find(k->beside, name) : NULL;
        if (beside)
            APPEND(a, key, *n,
                   ((struct help_key){arena_printf(a, "every %s", k->of->kind), beside}));
        if (own && k->of == &sections)
            APPEND(a, key, *n, ((struct help_key){(*w)->name, own}));
        else if (own)
            APPEND(a, key, *n,
                   ((struct help_key){arena_printf(a, "%s %s", k->of->kind, (*w)->name), own}));
    }
    return key;
}

static const char *kind_of(struct arena *a, const struct param *p)
{
    struct text t;
    text_init(&t);
    param_kind(p, &t);
    const char *kind = arena_strdup(a, t.s);
    text_release(&t);
    return kind;
}

static int print_keys(struct arena *a, const char *name, bool after)
{
    int n, of = 0, kind = 0;
    const struct help_key *key = find_keys(a, name, &n);
    if (n)
        printf("%s%s (key)\n", after ? "\n" : "", name);
    for (int i = 0; i < n; i++) {
        const int of_i = (int)strlen(key[i].of), kind_i = (int)strlen(kind_of(a, key[i].is));
        of = of_i > of ? of_i : of;
        kind = kind_i > kind ? kind_i : kind;
    }
    for (int i = 0; i < n; i++)
        printf("  of %-*s  %-*s  %s\n", of, key[i].of, kind, kind_of(a, key[i].is),
               key[i].is->help);
    return n;
}

// `help layer`: all layers.
static int print_kind(const char *name, bool after)
{
    int n = 0;
    EACH_WORD(k, w)
    if (!strcmp(k->of->kind, name)) {
        if (!n++)
            printf("%s%s\n", after ? "\n" : "", name);
        print_line(k, *w);
    }
    return n;
}

static int fail_word(struct options *o)
{
    const char **known = NULL;
    size_t n = 0;
    EACH_WORD(k, w)
    {
        APPEND(o->arena, known, n, (*w)->name);
        for (const struct param *p = (*w)->params; p && p->name; p++)
            APPEND(o->arena, known, n, p->name);
        for (const struct param *p = k->beside; p && p->name; p++)
            APPEND(o->arena, known, n, p->name);
    }
    const char *near = nearest_word(o->word[0], known, n);
    fail(o->diag, (struct place){0}, "no word '%s'%s%s", o->word[0],
         near ? "\ndid you mean " : "\n`ganexp help` lists all words", near ? near : "");
    return EXIT_USAGE;
}

// --- tables for the manual -----------------------------------------------------------------------

// A cell of a table: | ends it.
static void print_cell(const char *s)
{
    for (; *s; s++)
        printf(*s == '|' ? "\\|" : "%c", *s);
}

static void print_cells(struct arena *a, const struct param *table)
{
    for (const struct param *p = table; p && p->name; p++) {
        printf("%s`%s` (", p == table ? "" : "; ", p->name);
        print_cell(kind_of(a, p));
        printf("): ");
        print_cell(p->help);
    }
}

static void print_markdown(struct arena *a)
{
    EACH_WORD(k, w)
    {
        if (w == k->of->word) {
            printf("%s### %c%s\n\n", k == kinds ? "" : "\n", toupper((unsigned char)*k->of->kind),
                   k->of->kind + 1);
            if (k->beside)
                printf("Every %s takes ", k->of->kind), print_cells(a, k->beside), puts(".\n");
            puts("| word | | keys |\n|---|---|---|");
        }
        printf("| `%s` | ", k->of == &functions ? (*w)->usage : (*w)->name);
        print_cell((*w)->help);
        if ((*w)->usage && k->of != &functions)
            printf(": `"), print_cell((*w)->usage), putchar('`');
        printf(" | ");
        print_cells(a, (*w)->params);
        puts(" |");
    }
}

static int cmd_help_run(struct options *o)
{
    if (option_given(o, "markdown"))
        return print_markdown(o->arena), EXIT_DONE;
    if (!o->n_word)
        return print_all(), EXIT_DONE;
    int n = print_words(o->word[0]);
    n += print_keys(o->arena, o->word[0], n);
    n += print_kind(o->word[0], n);
    return n ? EXIT_DONE : fail_word(o);
}

const struct command cmd_help = {
    .name = "help",
    .group = GROUP_TOOLS,
    .usage = "[--markdown] [WORD]",
    .help = "explain a word or a key of the language, or list all",
    .options = option,
    .max_words = 1,
    .run = cmd_help_run,
};
