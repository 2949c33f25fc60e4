// The pictures that `samples:` describes: fixed draws, so that grids of different steps can be laid
// beside each other.
#ifndef TRAIN_GRID_H
#define TRAIN_GRID_H

#include "train/sampler.h"

struct grid;

// A sampler for each of e->samples.of. NULL after errors, and without one where what is sampled is
// no picture of 1 or 3 channels.
struct grid *grid_new(struct arena *a, struct experiment *e, float *slab, struct diag *d);
// Noise from (seed, draw 0), data from the test split in order; written as PNG. False with errno
// set.
bool grid_write(struct grid *g, const char *path, struct arena *scratch);
// What it draws with: one for each of e->samples.of.
struct sampler *const *grid_samplers(const struct grid *g, int *n);

#endif
