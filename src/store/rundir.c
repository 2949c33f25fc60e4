// A pid file would do for a lock until the pid is given to another process, and a heartbeat alone
// calls a run dead that merely computes for a long time. flock has neither trouble. Readers ask
// with a shared lock, so that they do not disturb each other; a run that meets a reader's lock by
// chance tries again.
#include "store/rundir.h"

#include "base/arena.h"
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct place nowhere;

enum { TOUCH_S = 60 };

void uid_new(char uid[UID_LENGTH + 1])
{
    static const char letter[] = "0123456789abcdefghjkmnpqrstvwxyz";
    struct timespec now;
    uint8_t random[10];
    clock_gettime(CLOCK_REALTIME, &now);
    if (getrandom(random, sizeof random, 0) != sizeof random)
        BUG("getrandom: %s", strerror(errno));
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 9; i >= 0; i--, ms >>= 5)
        uid[i] = letter[ms & 31];
    for (int i = 0; i < 16; i++) {
        const int bit = i * 5, byte = bit / 8;
        const unsigned pair = (unsigned)random[byte] << 8 | (byte < 9 ? random[byte + 1] : 0);
        uid[10 + i] = letter[(pair >> (11 - bit % 8)) & 31];
    }
    uid[UID_LENGTH] = '\0';
}

const char *uid_short(const char *uid)
{
    ASSERT(strlen(uid) >= SHORT_LENGTH);
    return uid + strlen(uid) - SHORT_LENGTH;
}

static void slug(char *out, size_t room, const char *name)
{
    size_t n = 0;
    for (; *name && n + 1 < room; name++)
        out[n++] = isalnum((unsigned char)*name) || strchr("._-", *name) ? *name : '-';
    out[n] = '\0';
}

bool path_make(const char *path)
{
    if (!mkdir(path, 0777) || errno == EEXIST)
        return true;
    if (errno != ENOENT)
        return false;
    char *parent = file_folder(path); // "." and "/" are there: that ends it
    const bool ok = path_make(parent) && (!mkdir(path, 0777) || errno == EEXIST);
    free(parent);
    return ok;
}

const char *rundir_make(struct arena *a, const char *runs, const char *uid, const char *name,
                        int *lock, struct diag *d)
{
    ASSERT(strlen(uid) == UID_LENGTH);
    char tail[48];
    slug(tail, sizeof tail, name);
    const char *dir = arena_printf(a, "%s/%s-%s", runs, uid_short(uid), tail);
    if (!path_make(runs) || mkdir(dir, 0777))
        return fail(d, nowhere, "cannot make the run directory %s: %s", dir, strerror(errno)), NULL;
    *lock = rundir_lock(dir);
    if (*lock < 0)
        return fail(d, nowhere, "cannot lock %s/lock: %s", dir, strerror(errno)), NULL;
    return dir;
}

static int open_lock(const char *dir, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", dir);
    return open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
}

// Asked only where there are no locks: then a run that has ended says so in the file.
static bool touched_lately(const char *dir, int lock)
{
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s/journal.jsonl", dir);
    const time_t now = time(NULL);
    if (fstat(lock, &st) || st.st_size > 0)
        return false;
    return !stat(path, &st) && st.st_mtime > now - TOUCH_S && st.st_mtime < now + TOUCH_S;
}

// Whether flock has just said that another has the lock; else it has said that there are none.
static bool is_held(void) { return errno == EWOULDBLOCK || errno == EINTR; }

int rundir_lock(const char *dir)
{
    const int fd = open_lock(dir, O_RDWR | O_CREAT);
    for (int tries = 0; fd >= 0 && tries < 20; tries++) {
        if (!flock(fd, LOCK_EX | LOCK_NB) || (!is_held() && !touched_lately(dir, fd)))
            return (void)!ftruncate(fd, 0), fd;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

bool rundir_locked(int lock) { return !flock(lock, LOCK_EX | LOCK_NB) || is_held(); }

void rundir_unlock(int lock)
{
    static const char ended[] = "ended\n";
    if (!rundir_locked(lock) && write(lock, ended, sizeof ended - 1) < 0)
        errno = 0; // a minute of waiting, no more
    close(lock);
}

bool rundir_alive(const char *dir)
{
    const int fd = open_lock(dir, O_RDONLY);
    if (fd < 0)
        return false;
    const bool free = !flock(fd, LOCK_SH | LOCK_NB),
               alive = !free && (is_held() || touched_lately(dir, fd));
    close(fd);
    return alive;
}

const char *path_parent(struct arena *a, const char *path)
{
    char *folder = file_folder(path);
    const char *kept = arena_strdup(a, folder);
    free(folder);
    return kept;
}

const char *path_join(struct arena *a, const char *parent, const char *path)
{
    return *path == '/' || !strcmp(parent, ".") ? path : arena_printf(a, "%s/%s", parent, path);
}

const char *path_inside(struct arena *a, const char *parent, const char *path)
{
    char real_parent[PATH_MAX], real_path[PATH_MAX];
    if (!realpath(parent, real_parent) || !realpath(path, real_path))
        return arena_strdup(a, path);
    const size_t n = strlen(real_parent);
    const bool inside = !strncmp(real_parent, real_path, n) && real_path[n] == '/';
    return arena_strdup(a, inside ? real_path + n + 1 : real_path);
}
