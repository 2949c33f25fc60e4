// A text file, because it is small, is read once at the start of every run, and can be looked at
// and deleted. A table in results.db would be one a project and travel with results to other
// machines; what it says is true of this machine only, and of all projects on it.
#include "store/tuner_cache.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/hash_map.h"
#include "base/text.h"
#include "store/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char title[] = "ganexp choices 1\n";

struct tuner_cache {
    struct arena *arena;
    const char *path, *machine, *notice;
    struct hash_map line; // "machine\tkey" → answer
    int lock;             // -1: not held
};

const char *tuner_cache_path(struct arena *a)
{
    const char *own = getenv("GANEXP_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (own && *own)
        return arena_printf(a, "%s/choices", own);
    if (xdg && *xdg == '/')
        return arena_printf(a, "%s/ganexp/choices", xdg);
    return home && *home ? arena_printf(a, "%s/.cache/ganexp/choices", home) : NULL;
}

// --- reading -------------------------------------------------------------------------------------

// Puts machine, key and answer of a line into the map; false when it is no such line.
static bool read_line(struct tuner_cache *c, char *line)
{
    char *first = strchr(line, '\t'), *second = first ? strchr(first + 1, '\t') : NULL;
    if (!second || second[strspn(second, "\t -0123456789")] || !second[1])
        return false;
    *second = '\0';
    hash_map_set(&c->line, line, arena_strdup(c->arena, second + 1));
    return true;
}

// Whole lines behind the title, to the last byte.
static bool read_lines(struct tuner_cache *c, char *at, size_t n)
{
    char *end;
    if (strncmp(at, title, sizeof title - 1) != 0 || strlen(at) != n)
        return false;
    for (at += sizeof title - 1; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        if (!read_line(c, at))
            return false;
    }
    return !*at;
}

static void tuner_cache_load(struct tuner_cache *c)
{
    struct arena *scratch = arena_new(NULL);
    size_t n;
    const char *why;
    char *all = c->path ? file_text(scratch, c->path, FILE_BYTES_MAX, &n, &why) : NULL;
    hash_map_init(&c->line, c->arena);
    if (all && !read_lines(c, all, n)) {
        hash_map_init(&c->line, c->arena);
        c->notice = arena_printf(c->arena, "%s is damaged and will be written anew", c->path);
    } else if (c->path && !all && errno != ENOENT) {
        c->notice = arena_printf(c->arena, "%s is not read: %s", c->path, why);
    }
    arena_free(scratch);
}

struct tuner_cache *tuner_cache_open(struct arena *a, const char *path, const char *machine)
{
    struct tuner_cache *c = NEW(a, struct tuner_cache);
    *c = (struct tuner_cache){.arena = a, .path = path, .machine = machine, .lock = -1};
    tuner_cache_load(c);
    return c;
}

const char *tuner_cache_get(struct tuner_cache *c, const char *key)
{
    return hash_map_get(&c->line, arena_printf(c->arena, "%s\t%s", c->machine, key));
}

// --- writing -------------------------------------------------------------------------------------

static bool take_lock(struct tuner_cache *c)
{
    if (!c->path || !path_make(path_parent(c->arena, c->path)))
        return false;
    const char *path = arena_printf(c->arena, "%s.lock", c->path);
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    while (c->lock >= 0 && flock(c->lock, LOCK_EX)) {
        if (errno == EINTR)
            continue;
        close(c->lock);
        c->lock = -1;
    }
    return c->lock >= 0;
}

static void drop_lock(struct tuner_cache *c)
{
    close(c->lock);
    c->lock = -1;
}

bool tuner_cache_recall(struct tuner_cache *c, const char *key, const char **answer)
{
    *answer = tuner_cache_get(c, key);
    if (*answer)
        return true;
    if (!take_lock(c)) {
        c->notice = arena_printf(c->arena, "nothing is measured, since %s cannot be written%s%s",
                                 c->path ? c->path : "a cache (no $HOME)", c->path ? ": " : "",
                                 c->path ? strerror(errno) : "");
        return false;
    }
    tuner_cache_load(c);
    *answer = tuner_cache_get(c, key);
    if (*answer)
        drop_lock(c);
    return true;
}

void tuner_cache_keep(struct tuner_cache *c, const char *key, const char *answer)
{
    ASSERT(c->lock >= 0);
    ASSERT(!strpbrk(key, "\t\n") && !strpbrk(answer, "\t\n"));
    struct text t;
    hash_map_set(&c->line, arena_printf(c->arena, "%s\t%s", c->machine, key),
                 arena_strdup(c->arena, answer));
    text_init(&t);
    text_add(&t, title);
    for (size_t i = 0; i < c->line.n; i++)
        text_addf(&t, "%s\t%s\n", c->line.item[i].key, (const char *)c->line.item[i].value);
    if (!file_replace(c->path, t.s, t.n))
        c->notice = arena_printf(c->arena, "what was measured is not remembered: %s: %s", c->path,
                                 strerror(errno));
    text_release(&t);
    drop_lock(c);
}

const char *tuner_cache_notice(const struct tuner_cache *c) { return c->notice; }
