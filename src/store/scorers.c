// The lock is flock's: the kernel drops it with the process that trained, however that ends, and
// the next in line trains instead. Where nothing can be locked, on some network file systems, each
// process trains its own, which costs time and nothing else.
#include "store/scorers.h"

#include "base/arena.h"
#include "store/checkpoint.h"
#include "store/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *path_of(const struct scorers *s, const char *key)
{
    return arena_printf(s->arena, "%s/scorer-%.16s.safetensors", s->dir, key);
}

// What is wrong with a kept file is mended by training again.
static bool read_kept(struct scorers *s, const char *key, const struct experiment *e, float *slab,
                      double *accuracy)
{
    struct diag *quiet = diag_new(s->arena);
    struct checkpoint c;
    const char *path = path_of(s, key);
    struct safetensors *file = access(path, R_OK) ? NULL : safetensors_open(s->arena, path, quiet);
    const char *whole_key = file ? safetensors_metadata(file, "key") : NULL,
               *is = file ? safetensors_metadata(file, "accuracy") : NULL;
    if (!is || !whole_key || strcmp(whole_key, key) ||
        !checkpoint_read(s->arena, path, e, slab, &c, quiet))
        return false;
    *accuracy = strtod(is, NULL);
    return true;
}

static void lock(struct scorers *s, const char *key)
{
    bool told = false;
    mkdir(s->dir, 0777);
    s->lock_path = arena_printf(s->arena, "%s.lock", path_of(s, key));
    s->lock = open(s->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (s->lock >= 0 && !*s->stop && flock(s->lock, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        if (!told)
            s->note(s->context, "another run trains the scorer; waiting for it");
        told = true;
        nanosleep(&(struct timespec){0, 200 * 1000 * 1000}, NULL);
    }
}

// Whoever waits for the file that is removed here finds the scorer when it has the lock.
void scorers_end(struct scorers *s)
{
    if (s->lock < 0)
        return;
    unlink(s->lock_path);
    close(s->lock);
    s->lock = -1;
}

static bool scorers_load(void *context, const char *key, const struct experiment *e, float *slab,
                         double *accuracy)
{
    struct scorers *s = context;
    if (read_kept(s, key, e, slab, accuracy))
        return true;
    lock(s, key);
    const bool kept = read_kept(s, key, e, slab, accuracy);
    if (kept)
        scorers_end(s);
    return kept;
}

static bool scorers_save(void *context, const char *key, const struct experiment *e,
                         const float *slab, double accuracy)
{
    struct scorers *s = context;
    const struct metadata extra[] = {{"accuracy", arena_printf(s->arena, "%.6f", accuracy)},
                                     {"key", key}};
    s->note(s->context, arena_printf(s->arena, "scorer trained: %.2f %% of the test split right",
                                     100 * accuracy));
    const bool kept = checkpoint_write(path_of(s, key), e, slab, e->phase[0].steps, extra, 2,
                                       s->diag);
    scorers_end(s);
    return kept;
}

struct scorer_cache scorers_cache(struct scorers *s)
{
    s->lock = -1;
    return (struct scorer_cache){s, scorers_load, scorers_save};
}
