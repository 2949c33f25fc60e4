// The loop: feeds draws and learning rates to the plan, runs it, and tells an observer what is due.
// Knows neither scores nor databases.
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <signal.h>
#include <stdio.h>

#include "program/program.h"

enum outcome {
    OUTCOME_DONE,        // all steps
    OUTCOME_INTERRUPTED, // *stop was set; the last step is complete
    OUTCOME_DIVERGED,    // NaN or Inf; the culprit is reported to diag at its layer's place
    OUTCOME_FAILED       // data could not be read; reported
};

// A number per step: "loss/discriminator", "loss/discriminator/cross_entropy", named after what is
// trained.
struct measure {
    const char *name;
    const float *at; // where the plan leaves it
};

enum trainer_purpose {
    TRAINER_TRAINS,
    // Can be looked into: after a step, plan_output of a phase's plan has the roots that
    // program/program.h lists for traced programs.
    TRAINER_TRACES,
    // Is not to run: no weight is filled.
    TRAINER_EXPLAINS
};

struct trainer {
    struct arena *arena;
    struct experiment *experiment;
    struct diag *diag;
    float *slab;                 // all slots
    int64_t step;                // complete steps
    int64_t steps;               // of all phases
    struct trainer_stage *stage; // one a phase, its own
    struct measure *measure;     // of the current phase
    int n_measure;
    // Where trainer_run may keep a slab of the past, to find where a divergence began: open for
    // reading and writing. NULL: it is not looked for.
    FILE *past;
    int64_t past_step; // own
    double past_due;   // own
    enum trainer_purpose purpose;
    bool timed; // trainer_timing is to know each step of the plan
};

struct cost {
    double held, beside; // seconds
};

// What happens between steps. Each may be NULL. `step` is the number of complete steps.
struct observer {
    void *context;
    void (*progress)(void *context, struct trainer *t); // after every step
    // every log_every, and the first and last step
    void (*metrics)(void *context, struct trainer *t);
    // every samples.every, and at the end
    void (*samples)(void *context, struct trainer *t);
    // every checkpoint.every, at the end and when interrupted, of a slab without NaN and Inf; false:
    // give up
    bool (*checkpoint)(void *context, struct trainer *t);
    // every evaluate.every, and at the end, but not when interrupted; of such a slab, too; false:
    // could not
    bool (*evaluate)(void *context, struct trainer *t);
    // after a divergence in step number `diverged`: the steps since t->step are made again
    void (*replay)(void *context, struct trainer *t, int64_t diverged);
    // What recording has cost so far: of the loop's time, and processor time beside it.
    struct cost (*recording)(void *context);
};

// Where the time of a phase's iterations went, in seconds over all of them; the first, which
// touches memory for the first time, is left out where there are others.
struct timing {
    int64_t n;        // iterations
    double *step;     // each step of the phase's plan, where trainer.timed
    double batches;   // made, by all cores
    double recording; // held up by the recorder
    double observer;  // what else happens between steps
    double all;
    double recorder; // processor time of its thread, beside the loop
    double median;   // of an iteration without what happens between steps
};

// Compiles the first phase, and asks the chooser all that later phases will. The slab is filled for a
// fresh start. NULL after errors; one of them is that memory does not suffice.
struct trainer *trainer_new(struct arena *parent, struct experiment *e,
                            enum trainer_purpose purpose, struct diag *d);
// Trains from t->step (0, or what a checkpoint restored) to the end.
enum outcome trainer_run(struct trainer *t, const struct observer *o,
                         const volatile sig_atomic_t *stop);
// Whether scores belong to this step. A resumed run takes them first where they are missing.
bool trainer_evaluation_due(const struct trainer *t);
// The plan of a phase, for `explain` and `bench`.
struct plan *trainer_plan(struct trainer *t, int phase);
// NULL before the phase has run.
const struct timing *trainer_timing(const struct trainer *t, int phase);
// What that plan computes; NULL before the phase is compiled.
const struct program *trainer_program(const struct trainer *t, int phase);

#endif
