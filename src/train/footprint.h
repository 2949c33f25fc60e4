// What a training takes of memory, against what there is: known when a program is through its passes,
// before anything of its size is allocated.
#ifndef TRAIN_FOOTPRINT_H
#define TRAIN_FOOTPRINT_H

#include "program/program.h"

// Whether all slots of the experiment and all values of g, which is through all passes, find room
// beside what is taken already; g NULL: the slots alone. False, reported at the layer that takes the
// most: what it takes, what all take, what there is.
bool footprint_fits(const struct experiment *e, const struct graph *g, struct diag *d);
// The same for every phase from `phase` on and for what is drawn of samples, each built and thrown
// away.
bool footprint_fits_from(struct experiment *e, int phase, struct diag *d);

#endif
