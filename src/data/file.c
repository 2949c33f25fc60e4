// Opened without waiting, so that a pipe under a data set's name is refused and not read for ever,
// and measured after it was opened, so that what is measured is what is read. Mapping the file
// would save the copy, but a file cut short under a running experiment would then kill it.
#include "data/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

static bool file_check_file(const struct stat *st, const char **why)
{
    *why = S_ISDIR(st->st_mode)           ? "is a folder where a file is expected"
           : !S_ISREG(st->st_mode)        ? "is no plain file"
           : st->st_size == 0             ? "is empty"
           : st->st_size > FILE_BYTES_MAX ? "is larger than 1 GiB"
                                          : NULL;
    return !*why;
}

static bool file_read_all(struct arena *a, int fd, uint8_t *p, size_t n, const char **why)
{
    for (size_t at = 0; at < n;) {
        const ssize_t got = read(fd, p + at, n - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            *why = got ? arena_printf(a, "cannot be read: %s", strerror(errno))
                       : "became shorter while it was read";
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

static bool read_open(struct arena *a, int fd, struct bytes *out, const char **why)
{
    struct stat st;
    if (fstat(fd, &st)) {
        *why = arena_printf(a, "cannot be read: %s", strerror(errno));
        return false;
    }
    if (!file_check_file(&st, why))
        return false;
    uint8_t *p = malloc((size_t)st.st_size);
    if (!p)
        out_of_memory((size_t)st.st_size);
    arena_defer(a, free, p);
    *out = (struct bytes){p, (size_t)st.st_size};
    return file_read_all(a, fd, p, out->n, why);
}

bool file_read(struct arena *a, const char *path, struct bytes *out, const char **why)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *why = arena_printf(a, "cannot be opened: %s", strerror(errno));
        return false;
    }
    const bool good = read_open(a, fd, out, why);
    close(fd);
    return good;
}
