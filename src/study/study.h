// A study: one question, asked of a base config in several variations and seeds. Trials are runs in
// results.db, known by the hash of their config, so running a study again runs what is missing.
//
//     question: Which loss, on one network?
//     base: ../../configs/dcgan.yaml
//     set: [train.steps=1500]
//     seeds: [0, 1, 2]
//     vary:
//       log:
//       hinge: games.0.loss=hinge
#ifndef STUDY_STUDY_H
#define STUDY_STUDY_H

#include <signal.h>

#include "config/param.h"
#include "store/query.h"

enum trial_state {
    TRIAL_MISSING,
    TRIAL_BROKEN_OFF, // begun, and nobody is at it: interrupted, lost, failed at the machine's hand
    TRIAL_RUNNING,    // by another process
    TRIAL_DONE,
    TRIAL_DIVERGED    // an answer too: it counts as such, and is not tried again
};

struct trial {
    int variation;
    int64_t seed;
    const char **override; // everything that makes it of the base
    int n_override;
    const char *config_hash;
    enum trial_state state;
    const char *run;   // uid; NULL while missing
    int64_t pid;       // of the worker at it; 0: none
};

struct study {
    const char *name;  // the folder's
    const char *question, *base, *score;
    const char **variation;
    int n_variation;
    struct trial *trial; // by variation, then seed
    int n_trial;
};

// Reads study.yaml (path, or the folder that holds it) and checks every variation as `ganexp check`
// would. NULL, reported.
struct study *study_read(struct arena *a, const char *path, struct diag *d);
// What the database knows of each trial; without a database nothing is known.
void study_look(struct study *s, struct arena *a, const char *db);
// A row a variation: seeds done, diverged, mean, standard deviation, best, steps and seconds of the
// score at the end of the runs. Trials whose evaluators differ are not averaged: the fingerprint is
// a column, and a variation has a row for each.
struct table *study_table(const struct study *s, struct arena *a, const char *db, struct diag *d);

struct study_workers {
    const char *program, *db;
    int jobs, threads;        // processes at once; cores for each
    const char *logs;         // directory: VARIATION-SEED.log
    const volatile sig_atomic_t *stop;
    void *context;
    void (*told)(void *context, const struct study *s, const struct trial *t, const char *what);
};
// Runs or resumes what is not done, `jobs` at a time, until nothing is left or *stop. Returns how
// many trials ended otherwise than done or diverged.
int study_run(struct study *s, struct arena *a, const struct study_workers *w);

#endif
