// The directory itself is the list of checkpoints. A file that names the last one, or the database
// doing so, would be a second truth, and a process killed between the two writes leaves them
// apart; a renamed file is there or it is not.
#include "store/checkpoints.h"

#include "base/arena.h"
#include "base/text.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".safetensors";

// "step-00001200.safetensors" → 1200; others → -1
static int64_t checkpoints_step_of(const char *name)
{
    if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9')
        return -1;
    char *end;
    const int64_t step = strtoll(name + 5, &end, 10);
    return strcmp(end, suffix) ? -1 : step;
}

static int checkpoints_ascending(const void *x, const void *y)
{
    const int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

int64_t *checkpoints_steps(struct arena *a, const char *dir, int *n)
{
    int64_t *steps = NULL;
    *n = 0;
    DIR *folder = opendir(arena_printf(a, "%s/checkpoints", dir));
    for (struct dirent *e; folder && (e = readdir(folder));)
        if (checkpoints_step_of(e->d_name) >= 0)
            APPEND(a, steps, *n, checkpoints_step_of(e->d_name));
    if (folder)
        closedir(folder);
    if (*n)
        qsort(steps, (size_t)*n, sizeof *steps, checkpoints_ascending);
    return steps;
}

const char *checkpoints_path(struct arena *a, const char *dir, int64_t step)
{
    return arena_printf(a, "%s/checkpoints/step-%08" PRId64 "%s", dir, step, suffix);
}

void checkpoints_set_aside(const char *dir, int64_t step)
{
    struct arena *a = arena_new(NULL);
    const char *path = checkpoints_path(a, dir, step);
    rename(path, arena_printf(a, "%s.damaged", path));
    arena_free(a);
}

int64_t checkpoints_forget(const char *dir, int64_t keep)
{
    struct arena *a = arena_new(NULL);
    int n;
    const int64_t *step = checkpoints_steps(a, dir, &n);
    int i = 0;
    while (i < n - keep && !unlink(checkpoints_path(a, dir, step[i])))
        i++;
    const int64_t oldest = i < n ? step[i] : 0;
    arena_free(a);
    return oldest;
}

void checkpoints_remove_partial(const char *dir)
{
    struct arena *a = arena_new(NULL);
    const char *path = arena_printf(a, "%s/checkpoints", dir);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        const size_t n = strlen(e->d_name);
        if (!strncmp(e->d_name, "step-", 5) && n > 4 && !strcmp(e->d_name + n - 4, ".tmp"))
            unlink(arena_printf(a, "%s/%s", path, e->d_name));
    }
    if (folder)
        closedir(folder);
    arena_free(a);
}
