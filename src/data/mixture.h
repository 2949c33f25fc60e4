// Mixtures of Gaussians in the plane, all equally likely: what `ring` and `grid` share.
#ifndef DATA_MIXTURE_H
#define DATA_MIXTURE_H

#include "data/dataset.h"

struct mode {
    float x, y;
};

// Fills what is left of `s`; `mode` (n of them) lives as long as `a`. `text` tells all parameters.
void mixture_open(struct dataset *s, enum split split, const struct mode *mode, int n,
                  double deviation, const char *text, struct arena *a);
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
