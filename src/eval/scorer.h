// The feature network of scores for data with labels: a small CNN that is trained once on the data
// set's own training split, by a recipe that is a config like any other. Scores are comparable where
// recipe and data are the same: `key`. Other threads and instruction sets round the training
// differently; that moves scores by what configs/README.md says, is told with them, and keeps none
// from another.
#ifndef EVAL_SCORER_H
#define EVAL_SCORER_H

#include "train/sampler.h"
#include "train/trainer.h"
#include "eval/metric.h"

// What is known of a training beside its weights.
struct scorer_record {
    double accuracy;    // on the data set's test split
    const char *origin; // "2 threads, avx512_core, oneDNN 2.6.3, host n1"
};

// Where trained scorers are kept between processes. `key` names recipe and data; both return false
// when there is none, or it could not be kept.
struct scorer_cache {
    void *context;
    bool (*load)(void *context, const char *key, const struct experiment *e, float *slab,
                 struct scorer_record *record);
    bool (*save)(void *context, const char *key, const struct experiment *e, const float *slab,
                 const struct scorer_record *record);
};

struct scorer {
    const char *key;    // SHA-256 of the resolved recipe and the data's fingerprint
    const char *sha256; // of the trained weights
    struct scorer_record record;
    int classes;
    int64_t features; // how many numbers its last hidden layer has
    int64_t batch;
    const struct data_source *source; // its training split
    struct dataset *test;
    struct sampler *output; // own: logits, then features
};

// The scorer for the data of `source` (a data source of the experiment that is to be scored).
// Trains when the cache has none, telling `o` of each step. NULL, reported, when the data has no
// labels or training fails; unreported, when *stop became true. It runs in `workspace`, and never
// while what is scored does.
struct scorer *scorer_open(struct arena *a, const char *recipe, const struct data_source *source,
                           struct workspace *workspace, const struct scorer_cache *cache,
                           const struct observer *o, const volatile sig_atomic_t *stop,
                           struct diag *d);
// Images (n, C, H, W) in [-1, 1], rounded to bytes first, to log-probabilities (n, classes) and
// features (n, features); NULL for what is not wanted.
void scorer_look(struct scorer *s, const float *image, int64_t n, double *log_p, float *feature);
// Features of the first N examples of the training split, or of all. False, reported.
bool scorer_reference(struct arena *a, struct scorer *s, int64_t N, struct rows *out,
                      struct diag *d);

#endif
