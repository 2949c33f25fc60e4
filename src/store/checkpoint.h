// A checkpoint: all slots of an experiment as safetensors, under PyTorch's names and layouts.
// Averages are named "ema/…", moments "adam.m/…". Draws need no saving: noise and data are
// functions of (seed, step).
#ifndef STORE_CHECKPOINT_H
#define STORE_CHECKPOINT_H

#include "lang/experiment.h"
#include "store/safetensors.h"

struct checkpoint {
    int64_t step;
    const char *config_hash;
};

// Atomic. `extra` metadata is added to step, seed, config hash, the resolved config and, as "data",
// what its data are (data_remember). False, reported.
bool checkpoint_write(const char *path, const struct experiment *e, const float *slab, int64_t step,
                      const struct metadata *extra, int n_extra, struct diag *d);
// Whether the file is whole and without NaN and Inf, says its step and config, and is what was recorded: `sha256` of the
// database, NULL where it has none. False, reported.
bool checkpoint_sound(struct arena *a, const char *path, const char *sha256, struct diag *d);
// Fills the slab. Every slot must be there in its shape, finite, and nothing else; the slab is touched only
// when all is well. NULL file or wrong content: reported, false.
bool checkpoint_read(struct arena *a, const char *path, const struct experiment *e, float *slab,
                     struct checkpoint *out, struct diag *d);

#endif
