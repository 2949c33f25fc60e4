// The stream of a source is one endless row of examples: in each epoch all of them once, in an
// order of that epoch's own, epoch after epoch; draw k is examples k·B to k·B + B − 1 of the row.
// So every batch is full, an epoch need not be a whole number of batches, and where a run stands is
// one number. Dropping or shortening an epoch's last batch fails: the first never shows some
// examples and the second gives the planned graph a batch it was not planned for.
//
// A batch is made when it is wanted, where it is wanted, by the cores that train on it. A thread
// that prepares batches meanwhile has no core of its own: it takes one from a loop that is shared
// evenly among all of them, so that the others wait for it; and to be woken, to keep batches and to
// have them copied costs more than to gather a batch of bytes.
#include "data/loader.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/philox.h"

struct loader {
    const struct dataset *dataset;
    int64_t batch;
    enum sampling sampling;
    uint64_t key;
    int64_t n_taken; // draws, from draw 0
    uint32_t *order; // of epoch `epoch`; NULL when drawing with replacement
    int64_t epoch;
    int64_t *index;  // of the batch being made
    float *unwanted; // images that nobody asked for
    char error[160];
};

// A key for this source's draws, apart from all else that the seed is used for.
static uint64_t stream_key(uint64_t seed, uint64_t stream)
{
    const struct philox p = philox(seed, 0x6C6F61646572u, stream);
    return (uint64_t)p.word[1] << 32 | p.word[0];
}

// Fisher and Yates: order[i] changes places with one of order[0..i].
static void shuffle(struct loader *l, int64_t epoch)
{
    const uint32_t n = (uint32_t)l->dataset->count;
    struct rng r;
    rng_init(&r, l->key, (uint64_t)epoch);
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t j = rng_below(&r, i + 1);
        l->order[i] = l->order[j];
        l->order[j] = i;
    }
    l->epoch = epoch;
}

// index = ⌊count · u⌋ for 64 random bits u: off from uniform by less than count / 2^64
static int64_t any_example(const struct loader *l, int64_t position)
{
    const struct philox p = philox(l->key, 1, (uint64_t)position);
    const uint64_t u = (uint64_t)p.word[1] << 32 | p.word[0];
    return (int64_t)((unsigned __int128)u * (uint64_t)l->dataset->count >> 64);
}

static int64_t example_at(struct loader *l, int64_t position)
{
    if (l->sampling == SAMPLING_REPLACE)
        return any_example(l, position);
    const int64_t epoch = position / l->dataset->count;
    if (epoch != l->epoch)
        shuffle(l, epoch);
    ASSERT(position >= 0 && l->order);
    return l->order[position % l->dataset->count];
}

// The first of the batch that is damaged, or the batch's size.
static int64_t loader_fill(const struct loader *l, struct batch to)
{
    const struct dataset *s = l->dataset;
    const int64_t pixels = s->channels * s->height * s->width;
    const int fields = dataset_fields(s);
    int64_t damaged = l->batch, size[FIELDS_MAX];
    for (int k = 0; k < fields; k++)
        size[k] = dataset_field_size(s, k);
#pragma omp parallel for schedule(dynamic, 4) reduction(min : damaged)
    for (int64_t i = 0; i < l->batch; i++) {
        float *at[FIELDS_MAX] = {NULL};
        for (int k = 0; k < fields; k++)
            at[k] = to.field[k] ? to.field[k] + i * size[k] : NULL;
        if (!dataset_get(s, l->index[i], at, l->unwanted + i * pixels))
            damaged = i < damaged ? i : damaged;
    }
    return damaged;
}

struct loader *loader_new(struct arena *a, const struct dataset *s, int64_t batch,
                          enum sampling sampling, uint64_t seed, uint64_t stream, int64_t first)
{
    if (batch < 1 || s->count < 1 || s->count > UINT32_MAX || first < 0)
        BUG("a loader of %lld examples, batch %lld, from draw %lld", (long long)s->count,
            (long long)batch, (long long)first);
    struct loader *l = NEW(a, struct loader);
    *l = (struct loader){.dataset = s,
                         .batch = batch,
                         .sampling = sampling,
                         .key = stream_key(seed, stream),
                         .epoch = -1,
                         .n_taken = first,
                         .index = NEW_ARRAY(a, int64_t, batch)};
    const int64_t pixels = s->channels * s->height * s->width;
    l->unwanted = arena_room(a, sizeof(float) * (size_t)(batch * pixels));
    if (sampling == SAMPLING_SHUFFLE)
        l->order = NEW_ARRAY(a, uint32_t, s->count);
    return l;
}

bool loader_next(struct loader *l, struct batch to, const char **error)
{
    for (int64_t i = 0; i < l->batch; i++)
        l->index[i] = example_at(l, l->n_taken * l->batch + i);
    const int64_t damaged = loader_fill(l, to);
    if (damaged < l->batch) {
        snprintf(l->error, sizeof l->error, "example %lld of data set '%s' is damaged",
                 (long long)l->index[damaged], l->dataset->kind->word.name);
        *error = l->error;
        return false;
    }
    ASSERT(damaged == l->batch);
    l->n_taken++;
    return true;
}

int64_t loader_position(const struct loader *l) { return l->n_taken; }
