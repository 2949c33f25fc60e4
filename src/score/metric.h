// Scores: numbers about samples. One file a score, metric_NAME.c, ending in its descriptor.
#ifndef SCORE_METRIC_H
#define SCORE_METRIC_H

#include <stdint.h>

#include "config/param.h"

// What the scorer says about n images: logarithms of class probabilities, (n, classes), by a
// float64 log-softmax.
struct predictions {
    int64_t n;
    int classes;
    const double *log_p;
};

// How a score is taken: the same protocol on samples and on real data makes the two comparable.
struct protocol {
    int64_t samples;        // N
    int64_t splits;
    uint64_t shuffle_seed;  // images are put in a random order before they are split
};

struct score {
    double value, std;      // std over splits, population; NAN when there is none
};

struct metric {
    const char *name, *help;
    const char *direction;  // "max" or "min"
    // changes when the definition does; part of the fingerprint of the evaluator fingerprint
    const char *version;
    struct score (*compute)(const struct predictions *p, const struct protocol *protocol);
};

extern const struct metric *const metrics[];   // NULL-terminated; generated from the folder
const struct metric *metric_find(const char *name);

// ln softmax of n rows of logits, in float64: no exponent is taken of anything above 0.
void log_softmax_rows(const float *logits, int64_t n, int classes, double *log_p);

#endif
