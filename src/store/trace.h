// What N training iterations read, drew, computed and left behind, as one safetensors file: enough
// for another program to do the same iterations and compare.
#ifndef STORE_TRACE_H
#define STORE_TRACE_H

#include "train/grid.h"
#include "train/trainer.h"

// Float32, or int64 for labels and indices, in PyTorch's layouts. K counts iterations from 0, U
// updates as listed, R an update's repetitions, D draws: 0 is the iteration's own, a repetition or
// an update with `fresh:` takes the next.
//   param/NAME@K                     parameters and buffers before iteration K, and after the last
//   ema/NAME@K                       averages of parameters, where the experiment keeps them
//   data/SOURCE.FIELD@K.D            what the data sets gave
//   noise/NAME@K.D  hyper/U@K.R      what was drawn; optimizer_numbers' four
//   loss/U@K.R  loss/U/PART@K.R  grad/U/PARAM@K.R  value/U/NAME@K.R  random/U/WHERE.I@K.R
// the last line as program/program.h has it, for traced programs. Metadata: config, config_hash,
// seed, steps.
//
// Runs `steps` iterations of a fresh start, or as many as the experiment has. False, reported.
bool trace_write(struct trainer *t, int64_t steps, const char *path, struct diag *d);
// What a grid shows, and what it was drawn from: noise/NAME, data/SOURCE.FIELD, and sample (rows ·
// columns, …); sample.2 and so on of further expressions.
bool trace_grid(const struct grid *g, const char *path, struct diag *d);

#endif
