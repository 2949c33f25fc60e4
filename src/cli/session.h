// What the commands that train, sample and score share: a run opened from a config or from its
// directory, with everything that watches it. Here run, score, store and view are tied together;
// none of them knows the others.
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "train/grid.h"
#include "train/scatter.h"
#include "train/trainer.h"
#include "eval/evaluator.h"
#include "store/checkpoint.h"
#include "store/checkpoints.h"
#include "store/query.h"
#include "store/recorder.h"
#include "view/progress.h"

struct tuner_cache;
struct tuner;

struct laboratory {
    struct options *options;
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    struct experiment *experiment;
    struct tuner *tuner;       // NULL: rules decide
    struct tuner_cache *cache; // NULL: nothing is remembered
    struct trainer *trainer;
    struct grid *grid;           // NULL when what is sampled is no picture
    struct scatter *scatter;     // NULL when nothing is drawn as points
    struct evaluator *evaluator; // made when the first score is due
    struct recorder *recorder;   // NULL: nothing is recorded
    struct progress *progress;
    struct stored_run stored; // uid NULL: a new run
    const char *dir;          // of the run
    int64_t images;           // real images a step
    // of the last laboratory_evaluate: each of samples, then of real data
    struct evaluation *score;
    int n_score;
    bool unsaved, undrawn; // the last checkpoint, picture could not be written
    double seconds;        // of training, scores and pictures left out
};

// The scorer's recipe, configs/scorer.yaml, as built into the program.
extern const char scorer_recipe[];

// Loads and checks the config. Word 0 of the command line is a file; overrides are applied. False,
// reported.
bool laboratory_open(struct laboratory *lab, struct options *o);
// The same for a stored run: its resolved config, its directory. EXIT_DONE, else the exit code;
// reported.
int laboratory_open_run(struct laboratory *lab, struct options *o, const char *name);
// A run's newest checkpoint that is sound.
struct last_checkpoint {
    const char *path; // NULL: none is there
    int64_t *damaged; // steps of newer ones that cannot be used, newest first
    int n_damaged;
};
// What is wrong with newer ones is said at once. False where all are damaged; reported.
bool laboratory_last_checkpoint(struct laboratory *lab, struct last_checkpoint *last);
// Puts it into the trainer, whose step is then its; false, reported, where there is none.
bool laboratory_restore_last(struct laboratory *lab);
// --threads; unless told `usual`, or for 0 as many as the machine has.
bool laboratory_threads(struct options *o, int usual, int *threads);
// From here on the first SIGINT, SIGTERM or SIGHUP stops laboratory_train after its step; the
// second ends the process.
void laboratory_catch_signals(void);
// Trains from where the trainer stands, recording; returns the exit code. recorder is set.
int laboratory_train(struct laboratory *lab);
// Takes all scores of the trainer's weights into lab->score. False, reported; or a signal came.
bool laboratory_evaluate(struct laboratory *lab);
// Leaf by leaf, what the config says now and a stored text did not; *n of them.
struct change {
    const char *key, *before, *after;
};
struct change *laboratory_changes(struct laboratory *lab, const char *yaml, int *n);
// What a run is, for the recorder.
struct run_description laboratory_describe(struct laboratory *lab, int threads);

#endif
