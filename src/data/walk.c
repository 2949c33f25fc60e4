// What a folder holds is decided from names before any file is opened: a hundred thousand pictures are
// listed in the time that decoding a few takes. A name's kind comes with the name where the file
// system gives it; asking for each costs more than all the rest.
#include "data/walk.h"

#include <dirent.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/hash_map.h"

enum { WALK_DEPTH_MAX = 64 };

struct walker {
    struct arena *arena;
    const char *root, *failed;
    struct hash_map entered, endings; // by device and inode; by ending, the place in other, from 1
    struct walked *out;
};

static bool walk_is_folder(const struct dirent *e, const char *path)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN && e->d_type != DT_LNK)
        return e->d_type == DT_DIR;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool is_picture(const char *name)
{
    static const char *const ending[] = {".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".webp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < LENGTH(ending); i++)
        if (!strcasecmp(dot, ending[i]))
            return true;
    return false;
}

static void count_other(struct walker *w, const char *name)
{
    const char *dot = strrchr(name, '.');
    char *ending = arena_strdup(w->arena, dot ? dot : "");
    for (char *p = ending; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    uintptr_t at = (uintptr_t)hash_map_get(&w->endings, ending);
    if (!at) {
        const struct other_files new = {ending, 0};
        APPEND(w->arena, w->out->other, w->out->n_other, new);
        at = (uintptr_t)w->out->n_other;
        hash_map_set(&w->endings, ending, (void *)at);
    }
    w->out->other[at - 1].n++;
}

// False where it was entered before.
static bool enter(struct walker *w, DIR *dir)
{
    struct stat st;
    if (fstat(dirfd(dir), &st))
        return true;
    const char *key = arena_printf(w->arena, "%ju %ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    if (hash_map_get(&w->entered, key))
        return false;
    hash_map_set(&w->entered, key, w);
    return true;
}

static int walk_by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool walk_below(struct walker *w, const char *name, int depth);

// Sub-folders in order, so that one that two ways lead to has the same name everywhere.
static bool enter_all(struct walker *w, const char **folder, int n, int depth)
{
    if (n)
        qsort(folder, (size_t)n, sizeof *folder, walk_by_text);
    for (int i = 0; i < n; i++)
        if (!walk_below(w, folder[i], depth + 1))
            return false;
    return true;
}

static void walk_sort_in(struct walker *w, const char *name, const struct dirent *e,
                         const char ***folder, int *n)
{
    const char *below = *name ? arena_printf(w->arena, "%s/%s", name, e->d_name)
                              : arena_strdup(w->arena, e->d_name);
    const bool maybe = e->d_type != DT_REG;
    if (maybe && walk_is_folder(e, arena_printf(w->arena, "%s/%s", w->root, below)))
        APPEND(w->arena, *folder, *n, below);
    else if (is_picture(e->d_name))
        APPEND(w->arena, w->out->picture, w->out->n, below);
    else
        count_other(w, e->d_name);
}

// `name` from the root on, "" for the root.
static bool walk_below(struct walker *w, const char *name, int depth)
{
    const char *path = *name ? arena_printf(w->arena, "%s/%s", w->root, name) : w->root;
    const char **folder = NULL;
    int n = 0;
    DIR *dir = depth < WALK_DEPTH_MAX ? opendir(path) : (errno = ELOOP, NULL);
    if (!dir) {
        w->failed = path;
        return false;
    }
    const bool new = enter(w, dir);
    for (struct dirent *e; new && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            walk_sort_in(w, name, e, &folder, &n);
    closedir(dir);
    return enter_all(w, folder, n, depth);
}

static int most_first(const void *a, const void *b)
{
    const struct other_files *p = a, *q = b;
    return p->n != q->n ? (p->n < q->n) - (p->n > q->n) : strcmp(p->ending, q->ending);
}

bool walk(struct arena *a, const char **path, struct walked *out)
{
    struct walker w = {.arena = a, .root = *path, .out = out};
    hash_map_init(&w.entered, a);
    hash_map_init(&w.endings, a);
    *out = (struct walked){0};
    if (!walk_below(&w, "", 0)) {
        *path = w.failed;
        return false;
    }
    if (out->n)
        qsort(out->picture, (size_t)out->n, sizeof *out->picture, walk_by_text);
    if (out->n_other)
        qsort(out->other, (size_t)out->n_other, sizeof *out->other, most_first);
    return true;
}
