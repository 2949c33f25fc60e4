// Reading results.db, and with it what journals of runs have and it has not (a run that could not
// write it, one on a network file system): then a copy in memory is read that has both. Opens
// read-only, never writes DDL; liveness is looked up, not stored: a run
// that says "running" and whose lock is free is shown as "lost".
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "store/sql_table.h"

struct arena;
struct db;
struct reader;
struct run_param;

// The connection closes with the arena. newer: a newer schema is fine too. NULL, reported.
struct reader *reader_open(struct arena *a, const char *db, bool newer, struct diag *d);
// The same to ask for one run: where that is a directory, there need be no database.
struct reader *reader_open_run(struct arena *a, const char *db, const char *run, struct diag *d);

struct stored_run {
    int64_t id, seed, step, total_steps;
    int threads;                                       // of its first attempt; 0: not known
    const char *uid, *name, *model, *dataset, *status; // status as shown
    const char *dir;                                   // a path that can be opened
    const char *config_yaml, *config_hash;
    bool apart; // the reader has it from journals, wholly or in part
};
// A run by a beginning of its short id or uid, by name (the newest of several), as @last, @last~2, or
// by its directory, whose journal is enough. False, reported.
bool reader_find(struct reader *r, const char *run, struct stored_run *out, struct diag *d);
// The newest checkpoint that is stored and still there: a path that can be opened, *step. NULL when
// there is none.
const char *reader_checkpoint(struct reader *r, const struct stored_run *run, int64_t *step);

// The SHA-256 recorded of a file of the run's directory; NULL when there is none.
const char *reader_sha256(struct reader *r, const struct stored_run *run, const char *path);

// The folder that a run was begun in, which its relative paths are from; NULL where it is not known.
const char *reader_began_in(struct reader *r, const struct stored_run *run);

// How many scores of n_fake samples, or of none, are stored for a step of a run.
int64_t reader_scores(struct reader *r, const struct stored_run *run, int64_t step, int64_t n_fake);

// The parameters of a run whose keys begin with a prefix, in order; *n of them.
struct run_param *reader_params(struct reader *r, const struct stored_run *run, const char *prefix,
                                int *n);

struct run_filter {
    const char *model, *dataset, *status, *experiment; // NULL: any
    int64_t limit;                                     // 0: all
};
// Newest first: short id, name, model, dataset, seed, status, step, of, started, time, and the best
// value of each score.
struct table *query_runs(struct reader *r, const struct run_filter *filter);

// About one run: "run", "environment", "params", "metrics", "evaluations", "artifacts", "attempts",
// "events".
enum { RUN_TABLES = 8 };
void query_run(struct reader *r, const struct stored_run *run, struct table *out[RUN_TABLES]);

// "params": the keys in which the runs differ (all: every key; else of plan.… those that several
// have), a column a run; "scores": best
// scores side by side, one row a score and evaluator, `comparable` says whether all runs have it
// from that one evaluator; "metrics": last values.
enum { COMPARE_TABLES = 3 };
void query_compare(struct reader *r, const struct stored_run *run, int n, bool all,
                   struct table *out[COMPARE_TABLES]);

// Mean, standard deviation and number of seeds per data set, score, evaluator and configuration.
// NULL: any.
struct table *query_leaderboard(struct reader *r, const char *metric, const char *dataset);

struct curve_point {
    int64_t step;
    double value; // NaN where NaN was
};
// Any SELECT; the connection cannot write. NULL, reported with the SQL and a caret.
struct table *query_sql(struct reader *r, const char *sql, struct diag *d);
// A metric's points, (step, value), in order; *n of them.
struct curve_point *query_curve(struct reader *r, const struct stored_run *run, const char *metric,
                                int64_t *n);

#endif
