// What a name leads to is looked at before it is opened, since opening some devices does something,
// and again afterwards, so that what is looked at is what is read. Opening does not wait, so that a
// pipe in a file's place is refused and not read for ever. Mapping a data set would save the copy,
// but a file cut short under a running experiment would then kill it.
//
// A file is written beside its place under a random name and renamed into it: a process killed while
// overwriting its only checkpoint has none, and a process id is no name of one's own, since two
// containers on one disk have the same. Renaming onto a device would replace its node by a file,
// with the right to, so what is no plain file is written into; a link is followed first.
#include "base/file.h"

#include "base/arena.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

// --- reading -------------------------------------------------------------------------------------

// Whoever starts the program chose what its descriptors are.
static bool is_handed(const char *path)
{
    static const char *const folder[] = {"/dev/fd/", "/proc/self/fd/"};
    for (size_t i = 0; i < LENGTH(folder); i++)
        if (!strncmp(path, folder[i], strlen(folder[i])))
            return true;
    return !strcmp(path, "/dev/stdin");
}

// What stands where a plain file should; NULL for nothing.
static const char *file_kind_fault(const char *path, mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder where a file is expected";
    if (S_ISREG(mode) || is_handed(path))
        return NULL;
    return S_ISFIFO(mode)   ? "a pipe where a file is expected"
           : S_ISSOCK(mode) ? "a socket where a file is expected"
                            : "a device where a file is expected";
}

int file_open(const char *path, const char **why)
{
    struct stat st;
    int fd = -1;
    *why = NULL;
    if (!stat(path, &st) && !(*why = file_kind_fault(path, st.st_mode)))
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && !fstat(fd, &st) && !(*why = file_kind_fault(path, st.st_mode))) {
        fcntl(fd, F_SETFL, 0); // what was handed over may be waited for
        return fd;
    }
    const int error = *why ? 0 : errno;
    if (fd >= 0)
        close(fd);
    if (!*why)
        *why = strerror(error);
    errno = error;
    return -1;
}

FILE *file_stream(const char *path)
{
    const char *why;
    const int fd = file_open(path, &why);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    if (fd >= 0 && !f)
        close(fd);
    return f;
}

static bool file_check_size(const struct stat *st, const char **why)
{
    *why = !S_ISREG(st->st_mode)          ? "is no plain file"
           : st->st_size == 0             ? "is empty"
           : st->st_size > FILE_BYTES_MAX ? "is larger than 1 GiB"
                                          : NULL;
    return !*why;
}

// Up to n bytes; fewer at the end of the file. −1 with errno.
static ssize_t file_take(int fd, void *to, size_t n)
{
    size_t at = 0;
    while (at < n) {
        const ssize_t got = read(fd, (char *)to + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        at += (size_t)got;
    }
    return (ssize_t)at;
}

static bool file_read_open(struct arena *a, int fd, struct bytes *out, const char **why)
{
    struct stat st;
    if (fstat(fd, &st)) {
        *why = arena_printf(a, "cannot be read: %s", strerror(errno));
        return false;
    }
    if (!file_check_size(&st, why))
        return false;
    const size_t n = (size_t)st.st_size;
    uint8_t *p = arena_room(a, n);
    *out = (struct bytes){p, n};
    const ssize_t got = file_take(fd, p, n);
    if (got < 0)
        *why = arena_printf(a, "cannot be read: %s", strerror(errno));
    else if (got < st.st_size)
        *why = "became shorter while it was read";
    return got == st.st_size;
}

bool file_read(struct arena *a, const char *path, struct bytes *out, const char **why)
{
    const int fd = file_open(path, why);
    if (fd < 0) {
        *why = arena_printf(a, errno ? "cannot be opened: %s" : "is %s", *why);
        return false;
    }
    const bool good = file_read_open(a, fd, out, why);
    close(fd);
    return good;
}

static bool file_add(int fd, size_t most, struct text *to)
{
    char part[1 << 16];
    while (to->n < most) {
        const size_t room = most - to->n < sizeof part ? most - to->n : sizeof part;
        const ssize_t got = file_take(fd, part, room);
        if (got < 0)
            return false;
        text_add_n(to, part, (size_t)got);
        if ((size_t)got < room)
            return true;
    }
    return true;
}

char *file_text(struct arena *a, const char *path, size_t most, size_t *n, const char **why)
{
    const int fd = file_open(path, why);
    if (fd < 0)
        return NULL;
    struct text all;
    text_init(&all);
    const bool good = file_add(fd, most + 1, &all);
    const int error = errno;
    close(fd);
    *n = all.n;
    char *kept = good ? memcpy(arena_alloc(a, all.n + 1), all.s, all.n) : NULL;
    text_release(&all);
    if (!good)
        *why = strerror(error);
    errno = error;
    return kept;
}

bool file_is_blank(const char *path)
{
    FILE *f = file_stream(path);
    int c = EOF;
    if (!f)
        return errno == ENOENT;
    do
        c = fgetc(f);
    while (c == 0 || c == ' ' || c == '\n' || c == '\r' || c == '\t');
    const bool blank = c == EOF && !ferror(f);
    fclose(f);
    return blank;
}

// --- writing -------------------------------------------------------------------------------------

bool file_write_bytes(int fd, const void *bytes, size_t n)
{
    for (const char *p = bytes; n;) {
        const ssize_t done = write(fd, p, n < (1u << 30) ? n : 1u << 30);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

// Some file systems sync nothing, or no folder, and no pipe can be synced: they say so, and there is
// no more to do.
bool file_sync(int fd)
{
    return !fsync(fd) || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
}

static bool file_fill(int fd, bool (*fill)(int fd, void *context), void *context)
{
    const bool good = fill(fd, context) && file_sync(fd);
    const int why = errno;
    const bool closed = !close(fd);
    if (!good)
        errno = why;
    return good && closed;
}

static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

char *file_folder(const char *path)
{
    const size_t n = parent_length(path);
    char *folder = n ? strndup(path, n > 1 ? n - 1 : 1) : strdup(".");
    return must_have(folder, n);
}

// The folder too, or the name may not outlive a power cut. One that may be written but not read
// cannot be synced.
bool file_sync_folder(const char *path)
{
    char *folder = file_folder(path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd < 0 ? errno == EACCES : file_sync(fd);
    const int why = errno;
    if (fd >= 0)
        close(fd);
    free(folder);
    errno = why;
    return good;
}

// A name of its own in the folder of `path`, however long the name.
char *temporary_beside(const char *path)
{
    uint64_t random[2];
    char *name;
    const size_t parent = parent_length(path);
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return NULL;
    return asprintf(&name, "%.*s%.200s.%016llx%016llx.tmp", (int)parent, path, path + parent,
                    (unsigned long long)random[0], (unsigned long long)random[1]) < 0
               ? NULL
               : name;
}

static bool replace_plain(const char *path, bool (*fill)(int fd, void *context), void *context)
{
    char *temporary = temporary_beside(path);
    const int fd = temporary ? open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    bool good = fd >= 0 && file_fill(fd, fill, context) && !rename(temporary, path);
    const int why = errno;
    if (fd >= 0 && !good)
        unlink(temporary);
    free(temporary);
    errno = why;
    return good && file_sync_folder(path);
}

// A pipe that nobody reads says ENXIO.
static bool write_into(const char *path, bool (*fill)(int fd, void *context), void *context)
{
    const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
              fd = open(path, flags, 0666);
    if (fd >= 0)
        fcntl(fd, F_SETFL, 0);
    return fd >= 0 && file_fill(fd, fill, context);
}

bool file_replace_by(const char *path, bool (*fill)(int fd, void *context), void *context)
{
    char *target = realpath(path, NULL);
    struct stat st;
    const bool there = !lstat(target ? target : path, &st),
               good = there && !S_ISREG(st.st_mode)
                          ? write_into(path, fill, context)
                          : replace_plain(target ? target : path, fill, context);
    const int why = errno;
    free(target);
    errno = why;
    return good;
}

static bool fill_bytes(int fd, void *context)
{
    const struct bytes *all = context;
    return file_write_bytes(fd, all->byte, all->n);
}

bool file_replace(const char *path, const void *bytes, size_t n)
{
    struct bytes all = {bytes, n};
    return file_replace_by(path, fill_bytes, &all);
}
