// Which plan a command takes: the one recorded with a run, the one that measuring found on this
// machine, or the one of the passes' rules.
#ifndef TUNING_H
#define TUNING_H

#include "laboratory.h"

#define OPTION_NO_TUNE                                                                   \
    {                                                                                    \
        "no-tune", 0, NULL, "plan by rules alone, whatever was measured on this machine" \
    }

enum tuning {
    TUNING_MEASURE,    // what is not known yet is measured, and remembered
    TUNING_REMEMBERED, // what is not known is left to rules
    TUNING_RULES
};

// Before the trainer is made. For a machine with this many threads; $GANEXP_NO_TUNE is --no-tune.
void tuning_open(struct laboratory *lab, enum tuning how, int threads);
// The plan that a run was recorded with; rules decide what it does not say.
bool tuning_replay(struct laboratory *lab, const struct stored_run *run);
// Prints what the user should know of the cache, once the trainer is made.
void tuning_tell(struct laboratory *lab);
// What was chosen for all phases: a parameter "plan.KEY" each.
void tuning_params(struct laboratory *lab, struct run_param **list, int *n);

#endif
