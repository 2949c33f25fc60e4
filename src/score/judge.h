// A protocol with everything it needs: takes the scores that `evaluate:` asks for, of samples and,
// once, of real data.
#ifndef SCORE_JUDGE_H
#define SCORE_JUDGE_H

#include "score/scorer.h"

struct judge {
    struct experiment *experiment;
    struct scorer *scorer;
    struct sampler *sampler;
    struct protocol protocol;
    struct dataset *real;          // the split that real scores are taken of
    // "test", or "train" where the test split has fewer than N images
    const char *real_split;
    const char *preprocess;
    struct taken {
        const struct metric *metric;
        // of metric, scorer, protocol and real data: equal ones are comparable
        const char *fingerprint;
        struct score sample, real; // sample: of the last judge_run
    } *taken;
    int n_taken;
    float *image;                  // own
    double *log_p;
    const volatile sig_atomic_t *stop;
};

// The scores of e->evaluate on the sampler's output, whose weights are read from `slab` at each
// run. The scorer is opened for the source of the first game's real data, else the first source.
// NULL, reported; or *stop became true, unreported.
struct judge *judge_new(struct arena *a, struct experiment *e, float *slab, const char *recipe,
                        const struct scorer_cache *cache, const struct observer *o,
                        const volatile sig_atomic_t *stop, struct diag *d);
// What can be known before training: that the scores exist and that the data has the labels they
// need. False, reported.
bool judge_check(const struct experiment *e, struct diag *d);
// Draws N samples, the same noise each time, and takes every score. False when *stop became true
// meanwhile.
bool judge_run(struct judge *v);

#endif
