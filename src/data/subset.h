// A data set of which only the first examples of each class are known: the labelled part of a
// semi-supervised experiment.
#ifndef DATA_SUBSET_H
#define DATA_SUBSET_H

#include "data/dataset.h"

// Only the first `per_class` examples of each class of `of`, all where it has fewer, in their
// order. NULL, reported at `where`, without labels or where an example cannot be read.
struct dataset *subset_open(struct arena *a, const struct dataset *of, int64_t per_class,
                            struct place where, struct diag *d);

#endif
