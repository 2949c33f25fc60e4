// A sampling program, compiled: rows of grids, samples for scores, and whatever expression one
// wants to look at.
#ifndef TRAIN_SAMPLER_H
#define TRAIN_SAMPLER_H

#include "program/program.h"

struct sampler {
    struct experiment *experiment;
    struct arena *arena;
    struct program *program;
    struct plan *plan;
    int64_t batch;
    struct signature is;  // of one sample
    const float *sample;  // (batch, …) after sampler_draw
    bool finite;          // all of it
    uint64_t draw;        // what layers that draw (bernoulli, gaussian) count by
    struct dataset **set; // own: what is open, by split and source
};

// The slab's weights are read each time. expression NULL: what is scored, evaluate.of or the first
// of samples.of. NULL after errors.
struct sampler *sampler_new(struct arena *a, struct experiment *e, float *slab, int64_t batch,
                            const char *expression, bool ema, struct diag *d);
struct sampler *sampler_new_of(struct arena *a, struct experiment *e, float *slab, int64_t batch,
                               const struct expression *is, bool ema, struct diag *d);
// Where an input goes, "z" or "real.image"; NULL when the expression does not depend on it.
float *sampler_input(struct sampler *s, const char *name);
// Fills every noise input from draw number `draw` of `seed`.
void sampler_noise(struct sampler *s, uint64_t seed, uint64_t draw);
const float *sampler_draw(struct sampler *s);

// Fills every data input with the split's examples from number `from` on, over and over where it
// has fewer. False, reported, where they cannot be read.
bool sampler_data(struct sampler *s, enum split split, int64_t from, struct diag *d);
// The split that these come from. NULL, reported.
const struct dataset *sampler_split(struct sampler *s, const struct data_source *source,
                                    enum split split, struct diag *d);

#endif
