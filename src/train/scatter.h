// Points in the plane, drawn: what `samples: scatter:` lists, from fixed draws and the test split,
// so that pictures of different steps can be laid beside each other.
#ifndef TRAIN_SCATTER_H
#define TRAIN_SCATTER_H

#include "train/sampler.h"

struct scatter;

// NULL after errors, and without one where nothing is listed or not all of it is two numbers.
struct scatter *scatter_new(struct arena *a, struct experiment *e, float *slab, struct diag *d);
// All but the last in grey, beneath; the last coloured by the classes of the data it reads, else in
// one colour. Written as PNG. False: an example could not be read (reported), or errno.
bool scatter_write(struct scatter *s, const char *path, struct arena *scratch, struct diag *d);
// Whether all that the last scatter_write drew was finite.
bool scatter_finite(const struct scatter *s);

#endif
