// A training that is recorded, shown and scored. Here train, eval, store and view are tied together;
// none of them knows the others.
#ifndef CLI_SESSION_TRAIN_H
#define CLI_SESSION_TRAIN_H

#include "cli/session_score.h"
#include "train/grid.h"
#include "train/scatter.h"
#include "train/trainer.h"

struct training {
    struct session *session;
    struct recorder *recorder;
    struct progress *progress;
    struct scoring scoring;
    struct grid *grid;       // NULL when what is sampled is no picture
    struct scatter *scatter; // NULL when nothing is drawn as points
    bool scorer_told;        // which one measures is recorded
    bool unsaved, undrawn;   // the last checkpoint, picture could not be written
};

// Trains from where the session's trainer stands, recording; returns the exit code. From
// signals_catch on, a signal stops it after its step.
int session_train(struct session *s, struct recorder *recorder);

// session_observe.c's, for session_finish.c: what happens between steps.
struct observer training_observer(struct training *t);
bool training_evaluate(struct training *t);
void training_show(struct training *t);        // the step and its losses on the bar
void training_tell_notice(struct training *t); // what the recorder wants the user to know

#endif
