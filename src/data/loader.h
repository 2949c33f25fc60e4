// Batches in order, prepared by a thread while the last one is being trained on. The order is a
// function of (seed, source, draw number), so a resumed run sees what the first would have seen:
// draw k is the same whoever asks.
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include "data/dataset.h"

struct loader;

struct batch {
    float *image;   // (batch, C, H, W) plain
    float *label;   // (batch), whole numbers; NULL without labels
    float *index;   // (batch)
};

// stream tells sources of one experiment apart. The loader starts at draw `first` (0, or where a
// resumed run goes on).
struct loader *loader_new(struct arena *a, const struct dataset *s, int64_t batch,
                          enum sampling sampling, uint64_t seed, uint64_t stream, int64_t first);
// The next batch; valid until the next call. NULL when an example could not be read; *error then
// says why.
const struct batch *loader_next(struct loader *l, const char **error);
// Processor time that preparing batches took so far, in seconds.
double loader_seconds(const struct loader *l);
int64_t loader_position(const struct loader *l);   // draws taken so far, counted from draw 0

#endif
