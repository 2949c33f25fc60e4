// Mixtures of Gaussians in the plane, all equally likely: what `ring` and `grid` share.
#ifndef DATA_MIXTURE_H
#define DATA_MIXTURE_H

#include "data/dataset.h"

struct mode {
    float x, y;
};

struct mixture_options {
    int64_t n;     // of modes, or along a side
    double length; // the radius, or from one to the next
    double deviation;
};

// Fills what is left of `s`: `modes` Gaussians, the k-th at place(o, k). The names of the data set
// and of its length go into the fingerprint.
bool mixture_open(struct dataset *s, enum split split, const struct mixture_options *o,
                  int64_t modes, struct mode (*place)(const struct mixture_options *o, int64_t k),
                  const char *name, const char *length, struct arena *a);
// A point is (2, 1, 1), its label the mode it was drawn from.
bool mixture_get(const struct dataset *s, int64_t index, float *image, int32_t *label);

// Where the modes of a data set are. False when it is no mixture.
struct modes {
    const struct mode *at;
    int n;
    double deviation;
};
bool mixture_modes(const struct dataset *s, struct modes *out);
// The mode nearest to a point of two numbers where that is no further than `within` deviations,
// else -1.
int mixture_near(const struct modes *m, const float *point, double within);

#endif
