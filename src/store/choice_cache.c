// A text file, because it is small, is read once at the start of every run, and can be looked at
// and deleted. A table in results.db would be one a project and travel with results to other
// machines; what it says is true of this machine only, and of all projects on it.
#include "store/choice_cache.h"

#include "base/arena.h"
#include "base/map.h"
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

struct choice_cache {
    struct arena *arena;
    const char *path, *machine, *notice;
    struct map line; // "machine\tkey" → answer
    int lock;        // -1: not held
};

const char *choice_cache_path(struct arena *a)
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

static bool read_all(const char *path, struct text *t)
{
    char block[4096];
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        text_add_n(t, block, n);
    fclose(f);
    return true;
}

// Puts machine, key and answer of a line into the map; false when it is no such line.
static bool read_line(struct choice_cache *c, char *line)
{
    char *first = strchr(line, '\t'), *second = first ? strchr(first + 1, '\t') : NULL;
    if (!second || second[strspn(second, "\t -0123456789")] || !second[1])
        return false;
    *second = '\0';
    map_set(&c->line, line, arena_strdup(c->arena, second + 1));
    return true;
}

// Whole lines behind the title, to the last byte.
static bool read_lines(struct choice_cache *c, struct text *t)
{
    char *at = t->s, *end;
    if (strncmp(t->s, title, sizeof title - 1) != 0 || strlen(t->s) != t->n)
        return false;
    for (at += sizeof title - 1; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        if (!read_line(c, at))
            return false;
    }
    return !*at;
}

static void load(struct choice_cache *c)
{
    struct text t;
    text_init(&t);
    map_init(&c->line, c->arena);
    if (c->path && read_all(c->path, &t) && !read_lines(c, &t)) {
        map_init(&c->line, c->arena);
        c->notice = arena_printf(c->arena, "%s is damaged and will be written anew", c->path);
    }
    text_release(&t);
}

struct choice_cache *choice_cache_open(struct arena *a, const char *path, const char *machine)
{
    struct choice_cache *c = NEW(a, struct choice_cache);
    *c = (struct choice_cache){.arena = a, .path = path, .machine = machine, .lock = -1};
    load(c);
    return c;
}

const char *choice_cache_get(struct choice_cache *c, const char *key)
{
    return map_get(&c->line, arena_printf(c->arena, "%s\t%s", c->machine, key));
}

// --- writing -------------------------------------------------------------------------------------

static bool take_lock(struct choice_cache *c)
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

static void drop_lock(struct choice_cache *c)
{
    close(c->lock);
    c->lock = -1;
}

bool choice_cache_recall(struct choice_cache *c, const char *key, const char **answer)
{
    *answer = choice_cache_get(c, key);
    if (*answer)
        return true;
    if (!take_lock(c)) {
        c->notice = arena_printf(c->arena, "nothing is measured, since %s cannot be written%s%s",
                                 c->path ? c->path : "a cache (no $HOME)", c->path ? ": " : "",
                                 c->path ? strerror(errno) : "");
        return false;
    }
    load(c);
    *answer = choice_cache_get(c, key);
    if (*answer)
        drop_lock(c);
    return true;
}

void choice_cache_keep(struct choice_cache *c, const char *key, const char *answer)
{
    struct text t;
    const char *temporary = arena_printf(c->arena, "%s.%ld.tmp", c->path, (long)getpid());
    map_set(&c->line, arena_printf(c->arena, "%s\t%s", c->machine, key),
            arena_strdup(c->arena, answer));
    text_init(&t);
    text_add(&t, title);
    for (size_t i = 0; i < c->line.n; i++)
        text_addf(&t, "%s\t%s\n", c->line.item[i].key, (const char *)c->line.item[i].value);
    if (!file_write(temporary, t.s) || rename(temporary, c->path)) {
        c->notice = arena_printf(c->arena, "what was measured is not remembered: %s: %s", c->path,
                                 strerror(errno));
        unlink(temporary);
    }
    text_release(&t);
    drop_lock(c);
}

const char *choice_cache_notice(const struct choice_cache *c) { return c->notice; }
