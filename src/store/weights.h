// Weights from elsewhere: what `load: FILE` of a network means.
#ifndef STORE_WEIGHTS_H
#define STORE_WEIGHTS_H

#include "nn/network.h"

// Fills the parameters and buffers of every network that says `load:`, and their averages, from its
// safetensors file. Tensors are found under the slot's name ("generator.0.weight") or under that
// without the network's ("0.weight", as the state_dict of the nn.Sequential has it); others in the
// file are left alone. To be called after experiment_fill. False, reported at the word; the slab is
// touched only when all is well. NULL: the files are looked at, and nothing is filled.
bool weights_load(struct network *const *net, int n, const struct slots *slots, float *slab,
                  struct diag *d);

#endif
