// Scores: numbers about samples, or about what a network makes of examples. One file a score,
// metric_NAME.c, ending in its descriptor, which says what the score looks at; the evaluator
// (evaluator.h) provides that.
#ifndef EVAL_METRIC_H
#define EVAL_METRIC_H

#include "data/dataset.h"

// How a score is taken: the same protocol on samples and on real data makes the two comparable.
struct protocol {
    int64_t samples; // N
    int64_t splits;
    uint64_t shuffle_seed; // images are put in a random order before they are split
};

// What the scorer says about n images: logarithms of class probabilities, (n, classes), by a
// float64 log-softmax.
struct predictions {
    int64_t n;
    int classes;
    const double *log_p;
};

// n rows of numbers: samples, or what an expression makes of examples.
struct rows {
    int64_t n, size;
    const float *x;       // (n, size)
    const int32_t *label; // (n); NULL of samples
};

enum metric_looks_at {
    // At what `of:` makes of the first N labelled examples of the test split. Without this, at N
    // samples; and then once, under the same protocol, at real data in their place.
    METRIC_EXAMPLES = 1,
    METRIC_TRAINING = 2, // with METRIC_EXAMPLES: at the first N of the training split too
    METRIC_SCORER = 4,   // at what the scorer says of samples, not at their numbers
    METRIC_SPLITS = 8,   // at N samples in protocol.splits parts
    METRIC_MODES = 16,   // at samples of a data set whose modes are known
    // At the scorer's features of N samples, and of the first N examples of the training split.
    // What real data have in the place of samples is then the test split.
    METRIC_FEATURES = 32,
    METRIC_NUMBERS =
        64, // at the numbers of N samples: what looks at nothing else (metric_looks_at)
};

struct evidence {
    struct rows of, training;
    struct predictions said;
    struct rows features, reference; // METRIC_FEATURES: of samples, of the training split
    const struct dataset *data;      // the split of real data that belongs to it
    const struct protocol *protocol;
};

struct score {
    double value, std; // std over splits, population; NAN when there is none
};

struct metric {
    struct word word;
    const char *direction; // "max" or "min"
    // changes when the definition does; part of the evaluator's fingerprint
    const char *version;
    unsigned looks_at; // enum metric_looks_at
    struct score (*compute)(const struct evidence *e, const void *params);
};

extern const struct vocabulary metrics; // generated from the folder
const struct metric *metric_find(const char *name);
bool asks_scorer(const struct metric *m);
// looks_at, and METRIC_NUMBERS where the score is of the numbers of samples themselves.
unsigned metric_looks_at(const struct metric *m);

// ln softmax of n rows of logits, in float64: no exponent is taken of anything above 0.
void log_softmax_rows(const float *logits, int64_t n, int classes, double *log_p);

#endif
