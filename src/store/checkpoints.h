// The folder RUNDIR/checkpoints: step-00001200.safetensors and its neighbours. Only the process
// that holds the run's lock may call those that change files.
#ifndef STORE_CHECKPOINTS_H
#define STORE_CHECKPOINTS_H

#include <stdint.h>

struct arena;

// The steps of all of them, ascending; *n of them.
int64_t *checkpoints_steps(struct arena *a, const char *dir, int *n);
const char *checkpoints_path(struct arena *a, const char *dir, int64_t step);
// It keeps its name, with .damaged behind, and is no checkpoint any more.
void checkpoints_set_aside(const char *dir, int64_t step);
// Removes all but the newest `keep`; returns the step of the oldest that stays.
int64_t checkpoints_forget(const char *dir, int64_t keep);
// Removes what a killed process left half written.
void checkpoints_remove_partial(const char *dir);

#endif
