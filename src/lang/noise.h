// Noise: what is drawn afresh at every iteration. A kind of noise is one file, words/noise_NAME.c, that ends in its descriptor.
#ifndef LANG_NOISE_H
#define LANG_NOISE_H

#include "base/philox.h"
#include "config/param.h"
#include "ir/build.h"
#include "nn/network.h"

struct dataset;

struct noise { // of an experiment
    const char *name;
    struct place where;
    const struct noise_kind *kind;
    int64_t size[2];     // how many numbers or classes; or a height and a width
    struct signature is; // of one sample
};

struct noise_options {
    struct ints size;
};

struct noise_kind {
    struct word word; // its parameters fill a struct noise_options
    int numbers;      // that `size` has: 1 or 2
    bool classes;     // a sample says a class
    // Sets n->is from n->size. `images`: of the first source, which is called `source`. False after errors, reported.
    bool (*sign)(struct noise *n, const struct dataset *images, const char *source,
                 struct place where, struct diag *d);
    // A batch, (batch, …). A second draw comes from stream + NOISE_SECOND.
    struct value *(*draw)(const struct noise *n, struct graph *g, int64_t batch, int stream);
    // One sample, on the host.
    void (*fill)(const struct noise *n, struct rng *r, float *to);
    // What column c of a grid's row shows of one sample, by its class or by its number `element`; NULL: nothing of it varies.
    void (*vary)(const struct noise *n, int64_t element, int64_t c, int64_t columns, float *sample);
};

enum { NOISE_SECOND = 1 << 15 };

extern const struct vocabulary noises; // generated from the folder

// --- what several kinds share --------------------------------------------------------------------
extern const struct param noise_vector_params[], noise_class_params[];
bool noise_sign_vector(struct noise *n, const struct dataset *images, const char *source,
                       struct place where, struct diag *d);
struct shape noise_shape(const struct noise *n, int64_t batch);
// From −end to end along the columns.
float noise_along(double end, int64_t c, int64_t columns);

#endif
