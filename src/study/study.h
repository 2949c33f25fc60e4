// A study: one question, asked of a config in several variations and seeds. Trials are runs in
// results.db, known by the hash of their config, so running a study again runs what is missing.
//
//     question: Which loss, on one network?
//     base: ../../configs/dcgan.yaml
//     set: [train.steps=1500]
//     seeds: [0, 1, 2]
//     vary:
//       log:
//       hinge: games.0.loss=hinge
//       penalty: [games.0.loss=wasserstein, games.0.penalty=gradient]
//       another config: {base: ../../configs/wgan_gp.yaml, set: train.steps=300}
#ifndef STUDY_STUDY_H
#define STUDY_STUDY_H

#include <signal.h>

#include "config/param.h"
#include "store/query.h"

enum trial_state {
    TRIAL_MISSING,
    TRIAL_BROKEN_OFF, // begun, and no process works on it: interrupted, lost, failed at the machine's hand
    TRIAL_RUNNING, // by a living process, ours or another
    TRIAL_DONE,
    TRIAL_DIVERGED // an answer too: it counts as such, and is not tried again
};

struct trial {
    int variation;
    int64_t seed;
    const char *base;
    const char **override; // everything that makes it of the base
    int n_override;
    const char *config_hash;
    int64_t steps;
    enum trial_state state;
    int64_t step;    // how far the database knows it
    const char *run; // uid; NULL while missing
    // of this process
    int64_t pid, first; // of the worker at it, 0: none; the step it began at
    double began, seconds;
};

struct study {
    const char *name; // the folder's
    const char *question, *column, *score;
    const char **variation;
    int n_variation;
    struct trial *trial; // by variation, then seed
    int n_trial;
};

// Reads study.yaml (path, or the folder that holds it) and checks every variation as `ganexp check`
// would; the overrides are of every trial, and have the last word. NULL, reported.
struct study *study_read(struct arena *a, const char *path, const char *const *override,
                         int n_override, struct diag *d);
// What the database knows of each trial; without a database nothing is known.
void study_look(struct study *s, struct arena *a, const char *db);
int study_count(const struct study *s, enum trial_state state);

// A row a variation: steps, seeds done, diverged, seconds of a run, then of the score at the end of
// the runs mean, sample standard deviation and best over seeds, and the mean of real data under the
// same protocol; data set and evaluator. Trials whose evaluators differ are not averaged: a
// variation has a row for each.
struct table *study_table(const struct study *s, struct arena *a, const char *db, struct diag *d);
// The same for people: "9.846 ± 0.024" in a cell; columns that say nothing are left out.
struct table *study_show(const struct study *s, const struct table *t);

struct study_workers {
    const char *program, *db;
    int jobs, threads; // processes at once; cores for each
    const char *logs;  // directory: VARIATION-SEED.log
    // the last signal that came, and how many came; each is passed on to the workers
    const volatile sig_atomic_t *stop, *stops;
    void *context;
    // something happened to a trial; trouble: its log says more
    void (*told)(void *context, const struct study *s, const struct trial *t, const char *what,
                 bool trouble);
    // every second or so; left: seconds until all is done, NAN: not known yet
    void (*tick)(void *context, const struct study *s, double left);
};
// Where the worker's own words are.
const char *study_log(struct arena *a, const struct study_workers *w, const struct study *s,
                      const struct trial *t);
// Runs or resumes what is not done, `jobs` at a time, until nothing is left or *stop. Workers end,
// saving, when this process does, however it does. Returns how many trials ended otherwise than
// done or diverged.
int study_run(struct study *s, struct arena *a, const struct study_workers *w);

#endif
