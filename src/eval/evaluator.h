// A protocol with everything it needs: takes the scores that `evaluate:` asks for, of samples and,
// once, of real data, or of what networks make of examples.
#ifndef EVAL_EVALUATOR_H
#define EVAL_EVALUATOR_H

#include "eval/subject.h"

// One score that is asked for.
struct taken {
    const char *name;
    const struct metric *metric;
    const void *params;
    const struct data_source *source; // as subject_source says
    struct subject *subject;
    // What measured it: equal fingerprints are comparable. `evaluator` tells a person of it.
    const char *fingerprint, *evaluator;
    const struct dataset *data; // the split it is measured on
    // "test"; "train" where the test split has fewer than N, and where features are held against it
    const char *split;
    int64_t n_real, n_fake;
    struct score sample; // of the last evaluator_run
    bool scored;         // false: what it looks at held NaN or Inf, and the score is none
    bool has_real;
    struct score real;               // the same of real data,
    const struct dataset *real_data; // these
};

struct evaluator {
    struct experiment *experiment;
    struct scorer *scorer; // NULL where no score asks it
    struct protocol protocol;
    const char *preprocess; // of what the scorer sees
    struct taken *taken;
    int n_taken;
    struct rows reference;    // METRIC_FEATURES: of the training split; x NULL: not wanted
    struct subject **subject; // own
    int n_subject;
    struct look look;
};

// The scores of e->evaluate on what their expressions give, whose weights are read from `slab` at
// each run. Where a score asks a scorer, it is opened for the source of the first game's real data,
// else the first source. NULL, reported; or *stop became true, unreported.
struct evaluator *evaluator_new(struct arena *a, struct experiment *e, float *slab,
                                const char *recipe, const struct scorer_cache *cache,
                                const struct observer *o, const volatile sig_atomic_t *stop,
                                struct diag *d);
// What can be known before training: that the scores exist, that what they look at is of the right
// shape, and that the data have what they need. False, reported.
bool evaluator_check(struct experiment *e, struct diag *d);
// Draws N samples, the same noise each time, and takes every score. False when *stop became true
// meanwhile, or an example could not be read, which is reported.
bool evaluator_run(struct evaluator *v);
// How many numbers that makes: scores and real data's.
int evaluator_numbers(const struct experiment *e);
// "inception_score 9.846 ± 0.024 (real data 9.956 ± 0.011)"; "inception_score not scored: …"
const char *evaluator_text(struct arena *a, const struct taken *t);

#endif
