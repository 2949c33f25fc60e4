// Which plan a command takes: the one recorded with a run, the one that measuring found on this
// machine, or the one of the passes' rules.
#ifndef CLI_TUNING_H
#define CLI_TUNING_H

#include "cli/options.h"

struct run_param;
struct session;
struct stored_run;

#define OPTION_NO_TUNE                                                                   \
    {                                                                                    \
        "no-tune", 0, NULL, "plan by rules alone, whatever was measured on this machine" \
    }
#define OPTION_REPLAY                                                                        \
    {                                                                                        \
        "replay", 0, "RUN", "take config, threads and plan of RUN: what it does, to the bit" \
    }

enum tuning {
    TUNING_MEASURE,    // what is not known yet is measured, and remembered
    TUNING_REMEMBERED, // what is not known is left to rules; nothing is computed of data
    TUNING_RULES
};

// Opens what the command line names: a config, planned as `how` says or by --no-tune, or a run by
// --replay, as if it were a config. Sets the threads. The command has --threads, --replay, --db
// and, where `how` is not TUNING_RULES, --no-tune; $GANEXP_NO_TUNE is that as well. EXIT_DONE, else
// the exit code; reported.
int tuning_open(struct session *s, struct options *o, enum tuning how, int *threads);
// Before the trainer is made: the plan that a run was recorded with; rules decide what it does not
// say.
bool tuning_replay(struct session *s, const struct stored_run *run);
// Prints what the user should know of the cache, once the trainer is made.
void tuning_tell(struct session *s);
// What was chosen for all phases: a parameter "plan.KEY" each.
void tuning_params(struct session *s, struct run_param **list, int *n);

#endif
