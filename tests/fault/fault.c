// A system that fails, for LD_PRELOAD. Calls of one kind are counted, and the n-th of them fails. What the environment says:
//
//     FAULT_KIND    open read write sync rename link unlink mmap truncate lock close mkdir; "file" is any of them, "memory" an allocation
//     FAULT_AT      which call fails, from 1; 0: none
//     FAULT_ERROR   the errno it fails with; "kill": the process is killed there; "half": a write takes half of what it is given
//     FAULT_STAYS   if set, all calls after it fail too, as on a disk that stays full
//     FAULT_UNDER   files are those under this folder; calls on others are neither counted nor failed
//     FAULT_COUNT   a file that is told the number of calls when the process ends
//     FAULT_CLOCK   if set, the wall clock goes back by so many seconds whenever it is asked
//
// glibc's own calls of each other (those of stdio) do not come by here, so fopen and fwrite stand in the list too.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { HALF = -2, KILL = -1 };

static struct {
    const char *kind, *under, *count;
    long at;
    int error; // an errno, HALF or KILL
    bool stays, any, ready;
    long back; // seconds
} fault;
static atomic_long calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void prepare(void)
{
    const char *kind = getenv("FAULT_KIND"), *at = getenv("FAULT_AT"),
               *error = getenv("FAULT_ERROR"), *back = getenv("FAULT_CLOCK");
    fault.under = getenv("FAULT_UNDER");
    fault.count = getenv("FAULT_COUNT");
    fault.stays = getenv("FAULT_STAYS") != NULL;
    fault.at = at ? atol(at) : 0;
    fault.back = back ? atol(back) : 0;
    fault.error = !error                   ? EIO
                  : !strcmp(error, "kill") ? KILL
                  : !strcmp(error, "half") ? HALF
                                           : atoi(error);
    fault.any = kind && !strcmp(kind, "file");
    fault.kind = kind;
    fault.ready = kind != NULL;
}

__attribute__((destructor)) static void tell(void)
{
    char line[32];
    const long n = atomic_load(&calls);
    fault.ready = false;
    const int fd = fault.count ? open(fault.count, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;
    if (fd >= 0 && write(fd, line, (size_t)snprintf(line, sizeof line, "%ld\n", n)) > 0)
        close(fd);
}

// Counts a call; true when it is to fail, with errno.
static bool hit(const char *kind)
{
    if (!fault.ready || (strcmp(fault.kind, kind) && !(fault.any && strcmp(kind, "memory"))))
        return false;
    const long n = atomic_fetch_add(&calls, 1) + 1;
    if (!fault.at || n < fault.at || (n > fault.at && !fault.stays))
        return false;
    if (fault.error == KILL)
        kill(getpid(), SIGKILL);
    errno = fault.error;
    return true;
}

static bool is_under(const char *path)
{
    char whole[4096];
    if (!fault.ready || !path)
        return false;
    if (*path != '/') {
        if (!getcwd(whole, sizeof whole / 2))
            return false;
        strncat(whole, "/", 2);
        strncat(whole, path, sizeof whole / 2 - 2);
        path = whole;
    }
    return !fault.under || !strncmp(path, fault.under, strlen(fault.under));
}

static bool is_under_fd(int fd)
{
    char link[64], path[4096];
    if (!fault.ready || fd < 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return n > 0 && is_under(path);
}

static bool path_fails(const char *kind, const char *path) { return is_under(path) && hit(kind); }
static bool fd_fails(const char *kind, int fd) { return is_under_fd(fd) && hit(kind); }

// --- names

#define OPEN(name)                                                            \
    int name(const char *path, int flags, ...)                                \
    {                                                                         \
        va_list ap;                                                           \
        va_start(ap, flags);                                                  \
        const int mode = va_arg(ap, int);                                     \
        va_end(ap);                                                           \
        return path_fails("open", path) ? -1 : REAL(name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

FILE *fopen(const char *path, const char *mode)
{
    return path_fails("open", path) ? NULL : REAL(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode)
{
    return path_fails("open", path) ? NULL : REAL(fopen64)(path, mode);
}
int mkdir(const char *path, mode_t mode)
{
    return path_fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}
int rename(const char *from, const char *to)
{
    return path_fails("rename", to) ? -1 : REAL(rename)(from, to);
}
int link(const char *from, const char *to)
{
    return path_fails("link", to) ? -1 : REAL(link)(from, to);
}
int unlink(const char *path) { return path_fails("unlink", path) ? -1 : REAL(unlink)(path); }

// --- content

// How much a write is to take of n; −1 when it fails.
static ssize_t taken(int fd, size_t n)
{
    if (!fd_fails("write", fd))
        return (ssize_t)n;
    return fault.error == HALF ? (ssize_t)((n + 1) / 2) : -1;
}

ssize_t write(int fd, const void *p, size_t n)
{
    const ssize_t take = taken(fd, n);
    return take < 0 ? -1 : REAL(write)(fd, p, (size_t)take);
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    const ssize_t take = taken(fd, n);
    return take < 0 ? -1 : REAL(pwrite)(fd, p, (size_t)take, at);
}
ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    const ssize_t take = taken(fd, n);
    return take < 0 ? -1 : REAL(pwrite64)(fd, p, (size_t)take, at);
}
size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
    return fd_fails("write", fileno(f)) ? 0 : REAL(fwrite)(p, size, n, f);
}
ssize_t read(int fd, void *p, size_t n) { return fd_fails("read", fd) ? -1 : REAL(read)(fd, p, n); }
ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return fd_fails("read", fd) ? -1 : REAL(pread)(fd, p, n, at);
}
ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    return fd_fails("read", fd) ? -1 : REAL(pread64)(fd, p, n, at);
}
int fsync(int fd) { return fd_fails("sync", fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fd_fails("sync", fd) ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t n) { return fd_fails("truncate", fd) ? -1 : REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n)
{
    return fd_fails("truncate", fd) ? -1 : REAL(ftruncate64)(fd, n);
}
int flock(int fd, int how) { return fd_fails("lock", fd) ? -1 : REAL(flock)(fd, how); }

#define FCNTL(name)                                                                \
    int name(int fd, int what, ...)                                                \
    {                                                                              \
        va_list ap;                                                                \
        va_start(ap, what);                                                        \
        void *argument = va_arg(ap, void *);                                       \
        va_end(ap);                                                                \
        const bool lock = what == F_SETLK || what == F_SETLKW;                     \
        return lock && fd_fails("lock", fd) ? -1 : REAL(name)(fd, what, argument); \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

// The descriptor is closed all the same, as Linux does it.
int close(int fd)
{
    const bool fails = fd_fails("close", fd);
    const int why = errno, done = REAL(close)(fd);
    if (fails)
        errno = why;
    return fails ? -1 : done;
}

// --- memory

static bool map_fails(int fd) { return fd >= 0 ? fd_fails("mmap", fd) : hit("memory"); }

void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t at)
{
    return map_fails(fd) ? MAP_FAILED : REAL(mmap)(where, n, protection, flags, fd, at);
}
void *mmap64(void *where, size_t n, int protection, int flags, int fd, off64_t at)
{
    return map_fails(fd) ? MAP_FAILED : REAL(mmap64)(where, n, protection, flags, fd, at);
}

// dlsym allocates, so glibc's own are called by their other names.
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

void *malloc(size_t n) { return hit("memory") ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return hit("memory") ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return hit("memory") ? NULL : __libc_realloc(p, n); }
void *aligned_alloc(size_t alignment, size_t n)
{
    return hit("memory") ? NULL : __libc_memalign(alignment, n);
}
void *memalign(size_t alignment, size_t n)
{
    return hit("memory") ? NULL : __libc_memalign(alignment, n);
}
int posix_memalign(void **p, size_t alignment, size_t n)
{
    *p = hit("memory") ? NULL : __libc_memalign(alignment, n);
    return *p ? 0 : ENOMEM;
}

// --- time

int clock_gettime(clockid_t clock, struct timespec *t)
{
    static atomic_long asked;
    const int result = REAL(clock_gettime)(clock, t);
    if (fault.back && clock == CLOCK_REALTIME)
        t->tv_sec -= fault.back * atomic_fetch_add(&asked, 1);
    return result;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}
