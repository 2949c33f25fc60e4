// Batches in order. The order is a function of (seed, source, draw number), so a resumed run sees
// what the first would have seen: draw k is the same whatever asks.
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include "data/dataset.h"

struct loader;

// Where a batch is wanted; NULL for what is not.
struct batch {
    // by number: images (batch, C, H, W), labels (batch) as whole numbers, 0 without labels
    float *field[FIELDS_MAX];
};

// stream tells sources of one experiment apart. The loader starts at draw `first` (0, or where a
// resumed run goes on).
struct loader *loader_new(struct arena *a, const struct dataset *s, int64_t batch,
                          enum sampling sampling, uint64_t seed, uint64_t stream, int64_t first);
// Puts the next batch there, by all threads of OpenMP. False when an example could not be read;
// *error then says why, and the same batch is next.
bool loader_next(struct loader *l, struct batch to, const char **error);
int64_t loader_position(const struct loader *l); // draws taken so far, counted from draw 0

#endif
