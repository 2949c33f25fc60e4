// What the commands that train, sample and score share: a run opened from a config or from its directory, with everything that
// watches it. Here run, score, store and view are tied together; none of them knows the others.
#ifndef LABORATORY_H
#define LABORATORY_H

#include "command.h"
#include "run/sampler.h"
#include "run/trainer.h"
#include "score/judge.h"
#include "store/checkpoint.h"
#include "store/recorder.h"
#include "view/progress.h"

struct laboratory {
    struct options *options;
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    struct experiment *experiment;
    struct trainer *trainer;
    struct sampler *grid;           // NULL when what is sampled is no picture
    struct judge *judge;            // made when the first score is due
    struct recorder *recorder;      // NULL: nothing is recorded
    struct progress *progress;
    const char *dir;                // of the run
    int64_t images;                 // real images a step
    const char *last_checkpoint;
    double seconds;                 // of training, scores and pictures left out
};

// The scorer's recipe, configs/scorer.yaml, as built into the program.
extern const char scorer_recipe[];

// Loads and checks the config. Word 0 of the command line is a file; overrides are applied. False, reported.
bool laboratory_open(struct laboratory *lab, struct options *o);
// The same for a stored run: its resolved config, its directory.
bool laboratory_open_run(struct laboratory *lab, struct options *o, const char *name, const char *db);
// --threads; as many as the machine has unless told.
bool laboratory_threads(struct options *o, int *threads);
// Trains from where the trainer stands, recording; returns the exit code. recorder is set.
int laboratory_train(struct laboratory *lab);
// Takes all scores at `step` and records them. False, reported.
bool laboratory_evaluate(struct laboratory *lab, int64_t step);
// The newest checkpoint of a run directory, by step; NULL when there is none.
const char *laboratory_checkpoint(struct arena *a, const char *dir);
// What a run is, for the recorder.
struct run_description laboratory_describe(struct laboratory *lab, int threads);

#endif
