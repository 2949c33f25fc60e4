// What is recorded of a stored run apart from its training. The run may be alive: no lock is taken.
#ifndef STORE_LATE_H
#define STORE_LATE_H

#include "store/query.h"
#include "store/recorder.h"

// Scores that were taken afterwards. They go to the run's journal and, in one transaction, to the
// database. False, reported, when neither took them.
bool late_scores(const char *db, const struct stored_run *run, int64_t step,
                 const struct evaluation *e, int n, struct diag *d);
// Replaces the note of a run, in the same way.
bool late_note(const char *db, const struct stored_run *run, const char *note, struct diag *d);

#endif
