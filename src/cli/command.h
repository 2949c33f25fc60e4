// A command: one file cmd_NAME.c that ends in a descriptor. Only commands and cli/main.c print.
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

// What the shell sees. 128 + signal after an interrupt that saved a checkpoint.
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,    // a run or the command failed
    EXIT_USAGE = 2,     // usage or configuration
    EXIT_DIVERGED = 3,  // NaN, Inf or the collapse rule
    EXIT_NOT_FOUND = 4, // no such run, or several
    EXIT_REFUSED = 5,   // would overwrite; the run is alive
    EXIT_CHECK_FAILED = 6,
    // 7 is base/arena.h's EXIT_NO_MEMORY
    EXIT_TEMPORARY = 75 // the database is busy
};

enum command_group { GROUP_EXPERIMENT, GROUP_SAMPLES, GROUP_RESULTS, GROUP_TOOLS, COMMAND_GROUPS };
extern const char *const command_group_title[COMMAND_GROUPS];

struct command {
    const char *name; // "ls"
    enum command_group group;
    const char *usage; // what follows the name: "[options] CONFIG [key=value …]"
    const char *help;  // first line: one phrase for the list; the rest is shown by --help only
    const struct option_spec
        *options;             // ends with OPTION_END; --help is understood without being listed
    bool overrides;           // words of the form key=value go to options.override
    int min_words, max_words; // positional; max < 0: any number
    // Returns the exit code. main prints what was left in o->diag, to stderr, afterwards.
    int (*run)(struct options *o);
};

extern const struct command *const commands[];        // NULL-terminated; generated from the files
const struct command *command_find(const char *name); // NULL when absent

#endif
