// What the shells' completions ask (src/cli/completion/). Everything is found from the tables that
// the commands themselves are read by, so a new command, option or key is completed without a line
// here or in a script. Nothing is ever reported: a config with a mistake completes as none.
#include "base/arena.h"
#include "cli/config_keys.h"
#include "cli/command.h"
#include "codegen/compile.h"
#include "config/param.h"
#include "program/program.h"
#include "store/query.h"
#include "view/table.h"

#include <string.h>

static const struct option_spec option[] = {OPTION_END};

enum { RUNS_OFFERED = 50 };

// The line so far, read as far as completion needs it.
struct completion {
    struct arena *arena;
    const struct command *command;
    const char *last;     // the word that is being written; "" before its first letter
    const char *expected; // the argument's name, when an option waits for one; else NULL
    const char *config;   // the first word after the command
    const char *db;       // --db
    int n_word;           // words after the command that are no options, `last` left out
    bool words_only;      // after "--"
};

static void offer(const struct completion *c, const char *word, const char *end)
{
    if (!strncmp(word, c->last, strlen(c->last)))
        printf("%s%s\n", word, end);
}

static const struct option_spec *option_named(const struct command *c, const char *word)
{
    for (const struct option_spec *s = c->options; s && s->name; s++)
        if ((word[0] == '-' && word[1] == '-' && !strcmp(word + 2, s->name)) ||
            (word[0] == '-' && s->letter && word[1] == s->letter && !word[2]))
            return s;
    return NULL;
}

static void read_words(struct completion *c, const char *const *word, int n)
{
    for (int i = 0; i < n; i++) {
        const bool is_option = !c->words_only && word[i][0] == '-';
        const struct option_spec *s = is_option ? option_named(c->command, word[i]) : NULL;
        if (s && s->arg && i + 1 == n) {
            c->expected = s->arg;
        } else if (s && s->arg) {
            c->db = strcmp(s->name, "db") ? c->db : word[i + 1];
            i++;
        } else if (is_option) {
            c->words_only = !strcmp(word[i], "--");
        } else if (!strchr(word[i], '=')) {
            c->config = c->n_word++ ? c->config : word[i];
        }
    }
}

// "[options] RUN [key=value …]" takes runs; the one after --replay is an option's.
static bool takes_runs(const struct command *c)
{
    for (const char *at = strstr(c->usage, "RUN"); at; at = strstr(at + 1, "RUN"))
        if (at - c->usage < 9 || strncmp(at - 9, "--replay ", 9))
            return true;
    return false;
}

static void offer_runs(const struct completion *c)
{
    const char *from_environment = getenv("GANEXP_DB");
    const bool set = from_environment && *from_environment;
    const char *db = c->db ? c->db : set ? from_environment : "results/results.db";
    struct reader *r = reader_open(c->arena, db, true, diag_new(c->arena));
    if (!r)
        return;
    offer(c, "@last", "");
    const struct table *t = query_runs(r, &(struct run_filter){.limit = RUNS_OFFERED});
    const int id = table_find(t, "run");
    ASSERT(id >= 0);
    for (int i = 0; i < table_rows(t); i++)
        offer(c, table_at(t, i, id)->text, "");
}

static void offer_stages(const struct completion *c)
{
    offer(c, "graph", "");
    for (int i = 0; compile_pass(i); i++)
        offer(c, compile_pass(i)->name, "");
    offer(c, "plan", "");
}

static const struct node *read_config(const struct completion *c)
{
    struct diag *quiet = diag_new(c->arena);
    struct config *config = c->config ? config_load(c->arena, c->config, NULL, 0, quiet) : NULL;
    if (config)
        config->looking = true;
    return config && experiment_read(c->arena, config, quiet) ? config->root : NULL;
}

static void offer_value(const struct completion *c, const struct config_key *key)
{
    static const char *const truth[] = {"true", "false", NULL};
    const struct param *p = key->param;
    const char *const *word = !p ? NULL : p->type == PARAM_BOOL ? truth : p->words;
    for (; word && *word; word++)
        offer(c, arena_printf(c->arena, "%s=%s", key->path, *word), "");
}

static void offer_keys(const struct completion *c)
{
    const size_t named = strcspn(c->last, "=");
    int n;
    const struct config_key *key = config_keys(c->arena, read_config(c), &n);
    for (int i = 0; i < n; i++) {
        if (!c->last[named])
            offer(c, key[i].path, "=");
        else if (strlen(key[i].path) == named && !strncmp(key[i].path, c->last, named))
            offer_value(c, &key[i]);
    }
}

static void offer_commands(const struct completion *c)
{
    for (const struct command *const *each = commands; *each; each++)
        offer(c, (*each)->name, "");
}

static void offer_options(const struct completion *c)
{
    for (const struct option_spec *s = c->command->options; s && s->name; s++)
        offer(c, arena_printf(c->arena, "--%s", s->name), "");
    offer(c, "--help", "");
}

static void offer_words(const struct completion *c)
{
    if (c->expected) {
        if (!strcmp(c->expected, "RUN"))
            offer_runs(c);
        else if (!strcmp(c->expected, "STAGE"))
            offer_stages(c);
        return;
    }
    if (!c->words_only && c->last[0] == '-') {
        offer_options(c);
        return;
    }
    if (!strcmp(c->command->name, "help"))
        offer_commands(c);
    if (takes_runs(c->command) && (c->command->max_words < 0 || c->n_word < c->command->max_words))
        offer_runs(c);
    if (c->command->overrides)
        offer_keys(c);
}

static int cmd_complete_run(struct options *o)
{
    const int n = o->n_word;
    struct completion c = {.arena = o->arena, .last = n ? o->word[n - 1] : ""};
    if (n < 2) {
        offer_commands(&c);
        offer(&c, "--help", "");
        offer(&c, "--version", "");
        return EXIT_DONE;
    }
    c.command = command_find(o->word[0]);
    if (!c.command)
        return EXIT_DONE;
    read_words(&c, o->word + 1, n - 2);
    offer_words(&c);
    return EXIT_DONE;
}

const struct command cmd_complete = {
    .name = "complete",
    .group = GROUP_TOOLS,
    .usage = "-- [WORD…]",
    .help =
        "print what the last word of a command line may become, for shells\n"
        "WORDs are those after `ganexp`, the last one as far as it is written; `--` stands before "
        "them. A line for\n"
        "each candidate: commands, options, runs, keys of the config that the line names. "
        "`meson install` puts scripts\n"
        "for bash and zsh that ask it.",
    .options = option,
    .max_words = -1,
    .run = cmd_complete_run,
};
