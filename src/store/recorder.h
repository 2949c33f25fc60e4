// What a run writes through. The training thread hands over numbers and goes on; a writer thread
// puts them into RUNDIR/journal.jsonl and results.db, one batch a second. Trouble with the database
// never stops a run: what it cannot take is in the journal and joins the database at the next
// successful write, of this run or another. A database that was deleted or replaced is noticed, and
// gets the whole run from the journal. All calls come from one thread. Nothing allocates in recorder_metric and
// recorder_tick once a metric's name is known.
#ifndef STORE_RECORDER_H
#define STORE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

struct arena;
struct environment;
struct recorder;

// One leaf of the resolved config.
struct run_param {
    const char *key;    // "train.optimizer.adam.lr"
    const char *type;   // "int", "float", "bool", "str", "list", "null"
    const char *text;   // as in the canonical config
    double num;         // of int, float and bool; NAN otherwise
    const char *origin; // "default", "configs/acgan.yaml:12", "command line"
};

struct run_description {
    const char *name;       // short and human: the config's name; also ends the directory's name
    const char *experiment; // NULL: "default"
    const char *model;      // the config's family: what the leaderboard groups under
    const char *dataset;
    const char *note; // NULL: none
    int64_t seed;
    const char *config_yaml, *config_hash, *group_hash;
    int64_t total_steps; // 0: not known
    const char *runs;    // directory for run directories; NULL: runs/ beside the database
    const struct run_param *param;
    int n_param;
    const struct environment *environment;
    int argc;
    char *const *argv;
    int threads;
    int busy_ms; // how long to wait for a busy database; 0: 10 s
};

// One score of one evaluation.
struct evaluation {
    const char *name;      // "fid"
    const char *direction; // "min", "max", or "" when neither is better
    double value, std;     // std: NAN when there is none
    // What makes two numbers comparable. The fingerprint is a hash of everything else here.
    struct evaluator_record {
        const char *fingerprint, *name, *extractor, *extractor_sha256, *real_split,
            *real_stats_sha256;
        int64_t n_real, n_fake;
        const char *preprocess, *version;
    } evaluator;
    const char *weights; // "live" or "ema"
    double seconds;
    int64_t seed;
};

enum run_status { RUN_DONE, RUN_FAILED, RUN_DIVERGED, RUN_PRUNED, RUN_INTERRUPTED, RUN_KILLED };
enum event_level { EVENT_DEBUG, EVENT_INFO, EVENT_WARN, EVENT_ERROR };

// Makes the run directory, takes its lock, writes config.yaml into it and the run into the
// database. NULL, reported, when the directory cannot be made or the database is not ours to write
// (damaged, foreign, of another schema). A database that is only busy, full or read-only is no
// error: see recorder_notice. The recorder dies with the arena; without recorder_end before, as
// failed.
struct recorder *recorder_start(struct arena *a, const char *db, const struct run_description *run,
                                struct diag *d);
// Goes on with a stored run (`run`: as in query.h's reader_find) from its checkpoint: points,
// evaluations and pictures after `step` are removed, an event `rewind` says how many, and a new
// attempt is noted. What the database lacks of the run, all of it perhaps, comes from its journal. Of `now`, environment, argc, argv and threads are read. NULL, reported; also
// when the run is alive.
struct recorder *recorder_resume(struct arena *a, const char *db, const char *run, int64_t step,
                                 const struct run_description *now, struct diag *d);

const char *recorder_id(const struct recorder *r);  // the short id, 8 letters
const char *recorder_dir(const struct recorder *r); // "results/runs/k3v9x0qa-acgan"

// The value of a metric at a step; the same step again replaces it. NaN and ±Inf are values.
void recorder_metric(struct recorder *r, const char *name, int64_t step, double value);
// A step is logged: its wall clock, and how far the run is. Call it after the step's metrics.
void recorder_tick(struct recorder *r, int64_t step, double epoch, int64_t images);
void recorder_evaluation(struct recorder *r, int64_t step, const struct evaluation *e);
// A file that is on disk; path from here or absolute, stored relative to the run directory when
// inside it. It is hashed here. kind: "checkpoint", "samples", "config" …; format: "safetensors",
// "png" …; role: "last", "best" … or "".
void recorder_artifact(struct recorder *r, const char *kind, const char *path, const char *format,
                       int64_t step, const char *role);
// The files of checkpoints before `step` are gone.
void recorder_forget(struct recorder *r, int64_t step);
// code: one word for programs ("nan", "rewind"); step < 0: no particular step.
void recorder_event(struct recorder *r, enum event_level level, const char *code, int64_t step,
                    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
// The run goes on under another config: it replaces the stored one, its params and
// RUNDIR/config.yaml; an event `change` says what differs. False, reported, when the file cannot be
// written.
bool recorder_change(struct recorder *r, const struct run_description *now, const char *what,
                     struct diag *d);
// Everything so far is durable when this returns, in the database or in the journal. Call it before
// the checkpoint is written: points that a resumed run does not make again must be there.
void recorder_checkpoint(struct recorder *r, int64_t step);
// Waits until everything so far is written, without the promise of durability.
void recorder_flush(struct recorder *r);
// The last word: status, reason ("" for none), exit code. Durable when it returns; the lock is
// released.
void recorder_end(struct recorder *r, enum run_status status, const char *reason, int exit_code);

// What it has cost so far: seconds that the caller was held up, and the writer's processor time.
double recorder_held(const struct recorder *r);
double recorder_seconds(const struct recorder *r);

// What the user should be told and was not yet ("results.db is busy: …"); NULL when there is
// nothing. Each is given once.
const char *recorder_notice(struct recorder *r);
// Records that are in the journal and not in the database.
int64_t recorder_logged(struct recorder *r);

#endif
