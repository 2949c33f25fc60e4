// An experiment that a command has open: read from a config or from the directory of a run, with the
// plan it is to take and, once made, its trainer. What is recorded, scored and shown while it trains
// is in cli/session_train.h and cli/session_score.h.
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "store/query.h"
#include "train/trainer.h"

struct tuner;
struct tuner_cache;

struct session {
    struct options *options;
    struct arena *arena;
    struct diag *diag;
    struct config *config;
    struct experiment *experiment;
    struct tuner *tuner;                // NULL: rules decide
    struct tuner_cache *cache;          // NULL: nothing is remembered
    struct trainer *trainer;            // NULL until the command makes it
    struct stored_run stored;           // uid NULL: a new run
    struct reader *reader;              // that knows it; NULL for a new run
    const char *dir;                    // of the run
    const struct last_checkpoint *last; // NULL: not looked for yet
};

// Loads and checks the config. Word 0 of the command line is a file; overrides are applied. False,
// reported.
bool session_open(struct session *s, struct options *o);
// The same for a command that computes nothing of data.
bool session_look(struct session *s, struct options *o);
// The same for a stored run: its resolved config, its directory. EXIT_DONE, else the exit code;
// reported.
int session_open_run(struct session *s, struct options *o, const char *name);
// The same to draw from it: where a checkpoint says what the data were, they are not opened. An
// expression that reads data opens its own.
int session_open_trained(struct session *s, struct options *o, const char *name);
// Reports each file or folder that data of the stored run should come from and that is not there.
void session_tell_moved(struct session *s);
// --threads; unless told `usual`, or for 0 as many as the machine has.
bool session_threads(struct options *o, int usual, int *threads);
// A run's newest checkpoint that is sound.
struct last_checkpoint {
    const char *path; // NULL: none is there
    int64_t *damaged; // steps of newer ones that cannot be used, newest first
    int n_damaged;
};
// What is wrong with newer ones is printed at once. False where all are damaged; reported.
bool session_last_checkpoint(struct session *s, struct last_checkpoint *last);
// Puts it into the trainer, whose step is then its; false, reported, where there is none.
bool session_restore_last(struct session *s);

#endif
