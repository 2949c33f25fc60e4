// The scores of what a session trains.
#ifndef CLI_SESSION_SCORE_H
#define CLI_SESSION_SCORE_H

#include "eval/evaluator.h"
#include "store/recorder.h"
#include "view/progress.h"

struct session;

struct scoring {
    struct session *session;
    struct progress *progress;   // notes of the scorer's training go above it
    struct evaluator *evaluator; // made when the first score is due
    struct evaluation *score;    // of the last scoring_run: each of samples, then of real data
    int n_score;
};

// "scorer 1f0c…, 99.21 % of the test split right, trained with 2 threads, …"
const char *scorer_text(struct arena *a, const struct scorer *s);
// Takes all scores of the trainer's weights. False, reported; or a signal came.
bool scoring_run(struct scoring *scoring);

#endif
