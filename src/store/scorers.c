// The lock is flock's: the kernel drops it with the process that trained, however that ends, and
// the next in line trains instead. Where nothing can be locked, on some network file systems, each
// process trains its own, which costs time and nothing else.
//
// A scorer is believed in every number that it gives, so its file's name says the hash of its content.
// A hash inside the file would be changed with it, and results.db does not know a scorer before it has
// measured.
#include "store/scorers.h"

#include "base/arena.h"
#include "store/checkpoint.h"
#include "store/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HASH_SHOWN = 32, KEY_SHOWN = 16 }; // hexadecimal digits in a file's name

// "scorer-KEY", with what a file name goes on with
static const char *path_of(const struct scorers *s, const char *key, const char *rest)
{
    return arena_printf(s->arena, "%s/scorer-%.*s%s", s->dir, KEY_SHOWN, key, rest);
}

static int scorers_ascending(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

// The rests of the names of all kept files of a key, "-HASH.safetensors", in order; *n of them.
static const char **kept_files(const struct scorers *s, const char *key, int *n)
{
    const char *start = arena_printf(s->arena, "scorer-%.*s-", KEY_SHOWN, key), **rest = NULL;
    const size_t length = strlen(start), whole = length + HASH_SHOWN + strlen(".safetensors");
    DIR *folder = opendir(s->dir);
    *n = 0;
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (!strncmp(e->d_name, start, length) && strlen(e->d_name) == whole)
            APPEND(s->arena, rest, *n, arena_strdup(s->arena, e->d_name + length - 1));
    if (folder)
        closedir(folder);
    if (*n)
        qsort(rest, (size_t)*n, sizeof *rest, scorers_ascending);
    return rest;
}

// One that is not what was kept would be believed in every number it gives. It is told and set aside.
static bool unchanged(struct scorers *s, const char *path, const char *rest)
{
    char now[SHA256_DIGEST_STRING_LENGTH];
    if (!SHA256File(path, now))
        return false;
    if (!strncmp(now, rest + 1, HASH_SHOWN))
        return true;
    s->note(s->context, arena_printf(s->arena,
                                     "%s is not the scorer that was trained: its content "
                                     "has changed; it is set aside as %s.changed",
                                     path, path));
    rename(path, arena_printf(s->arena, "%s.changed", path));
    return false;
}

// What is wrong with a kept file is mended by training again.
static bool read_file(struct scorers *s, const char *key, const char *path,
                      const struct experiment *e, float *slab, struct scorer_record *record)
{
    struct diag *quiet = diag_new(s->arena);
    struct checkpoint c;
    struct safetensors *file = safetensors_open(s->arena, path, quiet);
    const char *whole_key = file ? safetensors_metadata(file, "key") : NULL,
               *accuracy = file ? safetensors_metadata(file, "accuracy") : NULL,
               *origin = file ? safetensors_metadata(file, "origin") : NULL;
    if (!accuracy || !origin || !whole_key || strcmp(whole_key, key) ||
        !checkpoint_read(s->arena, path, e, slab, &c, quiet))
        return false;
    *record = (struct scorer_record){strtod(accuracy, NULL), origin};
    return true;
}

static bool read_kept(struct scorers *s, const char *key, const struct experiment *e, float *slab,
                      struct scorer_record *record)
{
    int n;
    const char **rest = kept_files(s, key, &n);
    for (int i = 0; i < n; i++) {
        const char *path = path_of(s, key, rest[i]);
        if (unchanged(s, path, rest[i]) && read_file(s, key, path, e, slab, record))
            return true;
    }
    return false;
}

static void lock(struct scorers *s, const char *key)
{
    bool told = false;
    mkdir(s->dir, 0777);
    s->lock_path = path_of(s, key, ".lock");
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
                         struct scorer_record *record)
{
    struct scorers *s = context;
    if (read_kept(s, key, e, slab, record))
        return true;
    lock(s, key);
    const bool kept = read_kept(s, key, e, slab, record);
    if (kept)
        scorers_end(s);
    return kept;
}

// Under the name that says what is in it.
static bool keep_file(struct scorers *s, const char *key, const char *written)
{
    char hash[SHA256_DIGEST_STRING_LENGTH];
    const char *path = SHA256File(written, hash)
                           ? path_of(s, key,
                                     arena_printf(s->arena, "-%.*s.safetensors", HASH_SHOWN, hash))
                           : NULL;
    if (path && !rename(written, path))
        return true;
    unlink(written);
    return fail(s->diag, (struct place){0}, "cannot keep the scorer in %s: %s", s->dir,
                strerror(errno));
}

static bool scorers_save(void *context, const char *key, const struct experiment *e,
                         const float *slab, const struct scorer_record *record)
{
    struct scorers *s = context;
    uint32_t other = 0; // than another process's, where nothing can be locked
    (void)!getrandom(&other, sizeof other, 0);
    const char *written = path_of(s, key, arena_printf(s->arena, ".%08x.tmp", other));
    const struct metadata extra[] = {{"accuracy", arena_printf(s->arena, "%.6f", record->accuracy)},
                                     {"key", key},
                                     {"origin", record->origin}};
    s->note(s->context, arena_printf(s->arena, "scorer trained: %.2f %% of the test split right",
                                     100 * record->accuracy));
    const bool kept = checkpoint_write(written, e, slab, e->phase[0].steps, extra,
                                       (int)LENGTH(extra), s->diag) &&
                      keep_file(s, key, written);
    scorers_end(s);
    return kept;
}

struct scorer_cache scorers_cache(struct scorers *s)
{
    s->lock = -1;
    return (struct scorer_cache){s, scorers_load, scorers_save};
}
