// Examples that were drawn once, kept without loss in little memory: most of their pixels are −1,
// as paper is, and many others have all the same value, as ink has.
#ifndef DATA_SAMPLE_CACHE_H
#define DATA_SAMPLE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct sample_cache;

// Room for `count` examples of so many pixels, as far as `bytes` go; memory is taken as they come.
struct sample_cache *sample_cache_new(struct arena *a, int64_t count, int64_t pixels,
                                      int64_t bytes);
// Both thread-safe. What there is no room for, or has an index beyond, is not kept and not had.
bool sample_cache_get(const struct sample_cache *k, int64_t index, float *image, int32_t *label);
void sample_cache_put(struct sample_cache *k, int64_t index, const float *image, int32_t label);

#endif
