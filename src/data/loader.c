// The stream of a source is one endless row of examples: in each epoch all of them once, in an
// order of that epoch's own, epoch after epoch; draw k is examples k·B to k·B + B − 1 of the row.
// So every batch is full, an epoch need not be a whole number of batches, and where a run stands is
// one number. Dropping or shortening an epoch's last batch fails: the first never shows some
// examples and the second gives the planned graph a batch it was not planned for.
//
// One thread fills a ring of batches ahead of the reader. It alone knows the order of the current
// epoch and touches no state of the run, so it can be stopped at any time and nothing is lost: the
// position counts what the reader took, not what was prepared. Batches drawn by the reader itself
// when it wants them would cost the same work while the cores wait.
#include "data/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/philox.h"

enum { RING = 4 };  // one with the reader, the others ahead of it

struct slot {
    struct batch batch;
    char error[160];  // empty when the batch is good
};

struct loader {
    const struct dataset *dataset;
    int64_t batch;
    enum sampling sampling;
    uint64_t key;
    float *image;
    struct slot slot[RING];

    // The filling thread's own.
    uint32_t *order;    // of epoch `epoch`; NULL when drawing with replacement
    int64_t epoch;

    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    // Under the lock: draws filled, draws the reader has asked for (the last of them it may still
    // be reading), both from draw 0.
    int64_t n_filled, n_taken;
    bool stop;
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
    return l->order[position % l->dataset->count];
}

static void fill(struct loader *l, int64_t draw)
{
    const struct dataset *s = l->dataset;
    struct slot *slot = &l->slot[draw % RING];
    const int64_t pixels = s->channels * s->height * s->width;
    for (int64_t i = 0; i < l->batch; i++) {
        const int64_t index = example_at(l, draw * l->batch + i);
        int32_t label = 0;
        if (!s->kind->get(s, index, slot->batch.image + i * pixels, &label)) {
            snprintf(slot->error, sizeof slot->error, "example %lld of data set '%s' is damaged",
                     (long long)index, s->kind->name);
            return;
        }
        slot->batch.index[i] = (float)index;
        if (slot->batch.label)
            slot->batch.label[i] = (float)label;
    }
}

static void *fill_ahead(void *arg)
{
    struct loader *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        const int64_t draw = l->n_filled;
        if (draw - l->n_taken >= RING - 1) {
            pthread_cond_wait(&l->freed, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        fill(l, draw);
        pthread_mutex_lock(&l->lock);
        l->n_filled = draw + 1;
        pthread_cond_signal(&l->filled);
        if (l->slot[draw % RING].error[0])
            break;
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static void loader_stop(void *arg)
{
    struct loader *l = arg;
    if (l->threaded) {
        pthread_mutex_lock(&l->lock);
        l->stop = true;
        pthread_cond_signal(&l->freed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    pthread_cond_destroy(&l->filled);
    pthread_cond_destroy(&l->freed);
    pthread_mutex_destroy(&l->lock);
}

// Signals are for the thread that runs the loop. Without a thread the reader fills for itself.
static void start(struct loader *l)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    l->threaded = !pthread_create(&l->thread, NULL, fill_ahead, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void give_room(struct arena *a, struct loader *l)
{
    const struct dataset *s = l->dataset;
    const int64_t pixels = s->channels * s->height * s->width;
    for (int i = 0; i < RING; i++) {
        struct batch *b = &l->slot[i].batch;
        b->image = NEW_ARRAY(a, float, l->batch * pixels);
        b->index = NEW_ARRAY(a, float, l->batch);
        b->label = s->classes ? NEW_ARRAY(a, float, l->batch) : NULL;
    }
    if (l->sampling == SAMPLING_SHUFFLE)
        l->order = NEW_ARRAY(a, uint32_t, s->count);
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
                         .n_filled = first,
                         .n_taken = first};
    give_room(a, l);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->filled, NULL);
    pthread_cond_init(&l->freed, NULL);
    start(l);
    arena_defer(a, loader_stop, l);
    return l;
}

// The slot of draw n_taken, filled; while it is being waited for, the one before it is free.
static struct slot *wait_for_next(struct loader *l)
{
    struct slot *slot = &l->slot[l->n_taken % RING];
    if (!l->threaded) {
        fill(l, l->n_taken);
        return slot;
    }
    pthread_mutex_lock(&l->lock);
    while (l->n_filled <= l->n_taken)
        pthread_cond_wait(&l->filled, &l->lock);
    pthread_mutex_unlock(&l->lock);
    return slot;
}

static void take(struct loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->n_taken++;
    pthread_cond_signal(&l->freed);
    pthread_mutex_unlock(&l->lock);
}

const struct batch *loader_next(struct loader *l, const char **error)
{
    const struct slot *slot = wait_for_next(l);
    if (slot->error[0]) {
        *error = slot->error;
        return NULL;
    }
    take(l);
    return &slot->batch;
}

double loader_seconds(const struct loader *l)
{
    return l->threaded ? clock_of_thread(l->thread) : 0;
}

int64_t loader_position(const struct loader *l)
{
    return l->n_taken;
}
