// Data sets of MNIST's kind: one IDX file of 28 × 28 images and one of labels for each split.
#ifndef DATA_IDX_SET_H
#define DATA_IDX_SET_H

#include "data/dataset.h"

struct idx_params {
    const char *path;
    int64_t size;
};

extern const struct param idx_params[];

bool idx_set_open(struct dataset *s, enum split split, const void *params, struct place where,
                  struct arena *a, struct diag *d);
bool idx_set_get(const struct dataset *s, int64_t index, float *image, int32_t *label);

#endif
