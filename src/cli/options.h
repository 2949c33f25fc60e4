// The command line after the command's name: flags, options with an argument, words, and key=value
// overrides.
// `--name ARG`, `--name=ARG`, `-n ARG`, `-nARG`; options may follow words; `--` ends them.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/diag.h"

struct arena;
struct command;

struct option_spec {
    const char *name; // "json", without the dashes
    char letter;      // 'j', or 0
    const char *arg;  // "PATH": it takes an argument; NULL: a flag
    const char *help;
    bool several; // given more than once, its arguments are joined by ','
};
#define OPTION_DB                                                                 \
    {                                                                             \
        "db", 0, "PATH", "the database; else $GANEXP_DB, else results/results.db" \
    }
#define OPTION_JSON                                \
    {                                              \
        "json", 0, NULL, "JSON on standard output" \
    }
#define OPTION_WARN                                                                             \
    {                                                                                           \
        "warn", 'W', "WHICH", "no-NAME: without that warning; error: warnings are errors", true \
    }
#define OPTION_END \
    {              \
        0          \
    }

struct options {
    const struct command *command;
    struct arena *arena; // dies with the command
    struct diag *diag;
    int argc; // the whole command line, program's name included, for the record
    char **argv;
    const char **word; // positional
    int n_word;
    const char **override; // "key=value", "key+=x", "key=!unset"; in order
    int n_override;
    const char **value; // by index in command->options; cli/options.c's
};

// Reads o->argv[2…]. False after a usage error, reported. *help: --help was there (and nothing else
// is checked).
bool options_read(struct options *o, bool *help);
bool option_known(const struct options *o, const char *name); // the command's table has it
bool option_given(const struct options *o, const char *name);
const char *option_text(const struct options *o, const char *name, const char *otherwise);
// A whole number in [min, max]; false and reported when it is none. *out keeps its value when the
// option is absent.
bool option_int(const struct options *o, const char *name, int64_t min, int64_t max, int64_t *out);
// --db, else $GANEXP_DB, else results/results.db under the current directory.
const char *options_db(const struct options *o);
void options_help(const struct command *command, FILE *to);

#endif
