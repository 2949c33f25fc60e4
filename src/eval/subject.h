// What is scored: an expression, and the numbers it gives for samples or for examples. Scores of
// the same expression look at the same draw.
#ifndef EVAL_SUBJECT_H
#define EVAL_SUBJECT_H

#include "eval/scorer.h"

struct subject {
    const struct expression *of;
    unsigned looks_at;                // of every score that looks at it
    const struct data_source *source; // METRIC_EXAMPLES: whose examples; else the real data's
    struct sampler *sampler;
    struct evidence evidence; // of the last look
    bool finite;              // all that it saw
    // own
    float *x, *training_x, *feature;
    double *log_p;
};

// What a look needs beside the subject.
struct look {
    struct scorer *scorer; // NULL where no score asks it
    const struct protocol *protocol;
    const volatile sig_atomic_t *stop;
    struct diag *d;
};

// Where the expression's score is measured: source of the examples it reads, or the source of the
// first game's real data (else the first source) for samples. NULL, reported, when the data cannot
// give this score.
const struct data_source *subject_source(struct experiment *e, const struct scored *asked,
                                         const struct metric *m, struct diag *d);
// Room and sampler for all that `looks_at` says. NULL, reported.
struct subject *subject_new(struct arena *a, struct experiment *e, float *slab,
                            const struct expression *of, unsigned looks_at,
                            const struct data_source *source, const struct look *look);
// Fill `evidence`; false when *stop became true or an example could not be read, which is reported.
bool subject_look(struct subject *s, const struct look *look);
bool subject_look_at_real(struct subject *s, const struct dataset *real, const struct look *look);

#endif
