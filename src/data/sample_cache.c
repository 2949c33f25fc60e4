// An example is a label, the largest value, a bit for each pixel that is not −1, a bit for each of
// these that has the largest value, and the rest as they are: 0.6 KB where floats are 3. Bytes, as
// files have them, would be no less, and other pictures.
//
// Examples lie one behind the other as they come, and where one lies is told when it is whole. Two
// threads that draw the same one at once both put it down, and either is right.
#include "data/sample_cache.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"

enum { WORD = 64 };

struct example {
    int32_t label;
    float full;      // the largest
    uint64_t mask[]; // inked, filled; then floats
};

struct sample_cache {
    int64_t count, pixels;
    int64_t words; // of a mask
    int64_t room;  // in words, as all below
    _Atomic int64_t used;
    _Atomic uint32_t *at; // where each example begins; 0 before it is there
    uint64_t *store;
};

struct sample_cache *sample_cache_new(struct arena *a, int64_t count, int64_t pixels, int64_t bytes)
{
    ASSERT(count > 0 && pixels > 0 && bytes / (int64_t)sizeof(uint64_t) <= UINT32_MAX);
    struct sample_cache *k = NEW(a, struct sample_cache);
    k->count = count;
    k->pixels = pixels;
    k->words = (pixels + WORD - 1) / WORD;
    k->room = bytes / (int64_t)sizeof *k->store;
    k->used = 1; // 0 is nowhere
    k->at = NEW_ARRAY(a, _Atomic uint32_t, count);
    k->store = arena_room(a, sizeof *k->store * (size_t)k->room);
    return k;
}

static float sample_cache_largest(const float *image, int64_t n)
{
    float most = image[0];
    for (int64_t i = 1; i < n; i++)
        most = image[i] > most ? image[i] : most;
    return most;
}

static bool sample_cache_same(float x, float y) { return !memcmp(&x, &y, sizeof x); }

// Both masks of n pixels; returns how many are neither −1 nor the largest.
static int64_t sample_cache_sort(const float *image, int64_t n, float full, uint64_t *inked,
                                 uint64_t *filled)
{
    int64_t others = 0;
    for (int64_t from = 0; from < n; from += WORD, image += WORD) {
        const int here = n - from < WORD ? (int)(n - from) : WORD;
        uint64_t ink = 0, whole = 0;
        for (int i = 0; i < here; i++) {
            ink |= (uint64_t)!sample_cache_same(image[i], -1) << i;
            whole |= (uint64_t)sample_cache_same(image[i], full) << i;
        }
        *inked++ = ink;
        *filled++ = whole & ink;
        others += __builtin_popcountll(ink & ~whole);
    }
    return others;
}

void sample_cache_put(struct sample_cache *k, int64_t index, const float *image, int32_t label)
{
    uint64_t inked[k->words], filled[k->words];
    const float full = sample_cache_largest(image, k->pixels);
    const int64_t others = sample_cache_sort(image, k->pixels, full, inked, filled);
    const int64_t size = 1 + 2 * k->words + (others + 1) / 2;
    const int64_t begin = atomic_fetch_add(&k->used, size);
    if (begin + size > k->room || index >= k->count)
        return;
    struct example *e = (struct example *)(k->store + begin);
    e->label = label;
    e->full = full;
    memcpy(e->mask, inked, sizeof inked);
    memcpy(e->mask + k->words, filled, sizeof filled);
    float *other = (float *)(e->mask + 2 * k->words);
    for (int64_t w = 0; w < k->words; w++)
        for (uint64_t left = inked[w] & ~filled[w]; left; left &= left - 1)
            *other++ = image[w * WORD + __builtin_ctzll(left)];
    ASSERT(other - (float *)(e->mask + 2 * k->words) == others && begin > 0);
    atomic_store_explicit(&k->at[index], (uint32_t)begin, memory_order_release);
}

bool sample_cache_get(const struct sample_cache *k, int64_t index, float *image, int32_t *label)
{
    ASSERT(index >= 0);
    const uint32_t begin = index < k->count
                               ? atomic_load_explicit(&k->at[index], memory_order_acquire)
                               : 0;
    if (!begin)
        return false;
    const struct example *e = (const struct example *)(k->store + begin);
    const float *other = (const float *)(e->mask + 2 * k->words);
    *label = e->label;
    for (int64_t i = 0; i < k->pixels; i++)
        image[i] = -1;
    for (int64_t w = 0; w < k->words; w++)
        for (uint64_t ink = e->mask[w]; ink; ink &= ink - 1) {
            const int bit = __builtin_ctzll(ink);
            const bool whole = e->mask[k->words + w] >> bit & 1;
            image[w * WORD + bit] = whole ? e->full : *other;
            other += !whole;
        }
    return true;
}
