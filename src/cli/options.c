// One small parser for all commands, over the table a command declares. getopt_long is not used
// because it permutes argv, keeps its state in globals and prints its own messages; here a mistake
// is a message like any other, with the nearest option, and the same table prints the help.
#include "cli/options.h"

#include "base/arena.h"
#include "cli/command.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static const struct place nowhere;

static int n_specs(const struct command *c)
{
    int n = 0;
    while (c->options && c->options[n].name)
        n++;
    return n;
}

static int options_find(const struct command *c, const char *name, size_t length)
{
    for (int i = 0; i < n_specs(c); i++)
        if (strlen(c->options[i].name) == length && !strncmp(c->options[i].name, name, length))
            return i;
    return -1;
}

static int find_letter(const struct command *c, char letter)
{
    for (int i = 0; i < n_specs(c); i++)
        if (c->options[i].letter == letter)
            return i;
    return -1;
}

static bool fail_option(struct options *o, const char *name, size_t length)
{
    const struct command *c = o->command;
    const int n = n_specs(c);
    const char **known = NEW_ARRAY(o->arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        known[i] = c->options[i].name;
    const char *given = arena_strndup(o->arena, name, length),
               *near = nearest_word(given, known, (size_t)n);
    if (near)
        return fail(o->diag, nowhere, "unknown option '--%s'\ndid you mean '--%s'?", given, near);
    return fail(o->diag, nowhere, "unknown option '--%s'\n`ganexp %s --help` lists the options",
                given, c->name);
}

// Takes `value`, or the next word, as the argument of option i.
static bool options_take(struct options *o, int i, const char *value, int *at)
{
    ASSERT(i >= 0 && i < n_specs(o->command));
    const struct option_spec *spec = &o->command->options[i];
    if (!spec->arg && value)
        return fail(o->diag, nowhere, "option '--%s' takes no argument", spec->name);
    if (spec->arg && !value && *at + 1 >= o->argc)
        return fail(o->diag, nowhere, "option '--%s' needs an argument\nexpected --%s %s",
                    spec->name, spec->name, spec->arg);
    const char *before = spec->several ? o->value[i] : NULL;
    o->value[i] = !spec->arg ? "" : value ? value : o->argv[++*at];
    if (before)
        o->value[i] = arena_printf(o->arena, "%s,%s", before, o->value[i]);
    return true;
}

static bool read_long(struct options *o, const char *word, int *at)
{
    const size_t length = strcspn(word, "=");
    const int i = options_find(o->command, word, length);
    if (i < 0)
        return fail_option(o, word, length);
    return options_take(o, i, word[length] ? word + length + 1 : NULL, at);
}

// -j, -n NAME, -nNAME, -qj
static bool read_short(struct options *o, const char *word, int *at)
{
    for (; *word; word++) {
        const int i = find_letter(o->command, *word);
        if (i < 0)
            return fail(o->diag, nowhere,
                        "unknown option '-%c'\n`ganexp %s --help` lists the options", *word,
                        o->command->name);
        if (o->command->options[i].arg)
            return options_take(o, i, word[1] ? word + 1 : NULL, at);
        o->value[i] = "";
    }
    return true;
}

// key=value, a.b+=x
static bool is_override(const char *word)
{
    if (!isalpha((unsigned char)*word) && *word != '_')
        return false;
    while (isalnum((unsigned char)*word) || strchr("_.-", *word)) {
        if (!*word++)
            return false;
    }
    return *word == '=' || (word[0] == '+' && word[1] == '=');
}

static void options_read_word(struct options *o, const char *word)
{
    if (o->command->overrides && is_override(word))
        o->override[o->n_override++] = word;
    else
        o->word[o->n_word++] = word;
}

static bool count_words(struct options *o)
{
    const struct command *c = o->command;
    if (o->n_word < c->min_words)
        return fail(o->diag, nowhere, "`ganexp %s` needs more words\nusage: ganexp %s %s", c->name,
                    c->name, c->usage);
    if (c->max_words >= 0 && o->n_word > c->max_words)
        return fail(o->diag, nowhere, "`ganexp %s` does not take '%s'\nusage: ganexp %s %s",
                    c->name, o->word[c->max_words], c->name, c->usage);
    return true;
}

static bool wants_help(const struct options *o)
{
    for (int at = 2; at < o->argc && strcmp(o->argv[at], "--"); at++)
        if (!strcmp(o->argv[at], "--help") ||
            (!strcmp(o->argv[at], "-h") && find_letter(o->command, 'h') < 0))
            return true;
    return false;
}

bool options_read(struct options *o, bool *help)
{
    ASSERT(o->command && o->arena && o->argc >= 2);
    o->value = NEW_ARRAY(o->arena, const char *, n_specs(o->command) + 1);
    o->word = NEW_ARRAY(o->arena, const char *, o->argc + 1);
    o->override = NEW_ARRAY(o->arena, const char *, o->argc + 1);
    *help = wants_help(o);
    if (*help)
        return true;
    bool ok = true, words_only = false;
    for (int at = 2; at < o->argc; at++) {
        const char *word = o->argv[at];
        if (words_only || word[0] != '-' || !word[1])
            options_read_word(o, word);
        else if (!strcmp(word, "--"))
            words_only = true;
        else if (word[1] == '-')
            ok &= read_long(o, word + 2, &at);
        else
            ok &= read_short(o, word + 1, &at);
    }
    return ok && count_words(o);
}

static const char *value_of(const struct options *o, const char *name)
{
    const int i = options_find(o->command, name, strlen(name));
    if (i < 0)
        BUG("command '%s' asks for option '%s', which its table does not have", o->command->name,
            name);
    return o->value[i];
}

bool option_known(const struct options *o, const char *name)
{
    return options_find(o->command, name, strlen(name)) >= 0;
}

bool option_given(const struct options *o, const char *name) { return value_of(o, name) != NULL; }

const char *option_text(const struct options *o, const char *name, const char *otherwise)
{
    const char *value = value_of(o, name);
    return value ? value : otherwise;
}

bool option_int(const struct options *o, const char *name, int64_t min, int64_t max, int64_t *out)
{
    ASSERT(min <= max);
    const char *value = value_of(o, name);
    if (!value)
        return true;
    char *end;
    errno = 0;
    const long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno || number < min || number > max)
        return fail(o->diag, nowhere, "option '--%s': '%s' is not a whole number from %lld to %lld",
                    name, value, (long long)min, (long long)max);
    *out = number;
    return true;
}

const char *options_db(const struct options *o)
{
    const char *from_environment = getenv("GANEXP_DB");
    const bool set = from_environment && *from_environment;
    return option_text(o, "db", set ? from_environment : "results/results.db");
}

void options_help(const struct command *c, FILE *to)
{
    fprintf(to, "usage: ganexp %s %s\n\n%s\n", c->name, c->usage, c->help);
    const int n = n_specs(c);
    if (n)
        fputs("\noptions:\n", to);
    for (int i = 0; i < n; i++) {
        const struct option_spec *s = &c->options[i];
        char letter[8] = "    ", name[64];
        if (s->letter)
            snprintf(letter, sizeof letter, "-%c, ", s->letter);
        snprintf(name, sizeof name, "--%s%s%s", s->name, s->arg ? " " : "", s->arg ? s->arg : "");
        fprintf(to, "  %s%-22s  %s\n", letter, name, s->help);
    }
}
