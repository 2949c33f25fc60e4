// What `ganexp bench` found, as rows of the table `bench` in results.db.
#ifndef STORE_BENCH_RECORD_H
#define STORE_BENCH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"

struct environment;

struct bench {
    const char *name, *config_hash, *precision;
    const struct environment *environment;
    int threads;
    double iteration_ms, floor_ms;    // of training; of the direct algorithm on this machine
    double gflop;                     // the direct algorithm's, an iteration
    double peak_gflops, bandwidth_gb; // measured, a second
    int64_t activation_bytes, slot_bytes, rss_bytes;
};

// False, reported: the database could not be written.
bool bench_record(const char *db, const struct bench *b, struct diag *d);

#endif
