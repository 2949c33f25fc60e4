// A config as a run's parameters: its leaves by path, with where each was said.
#ifndef STORE_RUN_PARAMS_H
#define STORE_RUN_PARAMS_H

#include "config/node.h"
#include "store/recorder.h"

// Leaves by path: "train.optimizer.adam.lr", "games.0.loss"; a list of scalars is a leaf. What
// nodes leave out and their tables fill in is there too, its origin `default`; prose is not. *n of
// them.
struct run_param *run_params(struct arena *a, const struct node *root, int *n);

#endif
