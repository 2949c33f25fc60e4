// A file that is opened and filled is empty for a moment, and after a power cut for ever. rename(2)
// is one step, but its new name may reach the disk before the bytes do: hence both syncs.
#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/diag.h"

char *temporary_beside(const char *path)
{
    uint64_t random[2];
    char *name;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        BUG("getrandom: %s", strerror(errno));
    const int n = asprintf(&name, "%s.%016llx%016llx.tmp", path, (unsigned long long)random[0],
                           (unsigned long long)random[1]);
    return n < 0 ? NULL : name;
}

bool file_write_bytes(int fd, const void *bytes, size_t n)
{
    for (const char *p = bytes; n;) {
        const ssize_t w = write(fd, p, n < (1u << 30) ? n : (1u << 30));
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

// Some file systems sync nothing, or no folder: they say so, and there is no more to do.
bool file_sync(int fd)
{
    return !fsync(fd) || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS;
}

bool file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    const int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    if (fd < 0)
        return false;
    const bool ok = file_sync(fd);
    const int why = errno;
    close(fd);
    errno = why;
    return ok;
}

static bool write_synced(const char *path, const void *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool ok = file_write_bytes(fd, bytes, n) && file_sync(fd);
    const int why = errno;
    ok = !close(fd) && ok;
    if (!ok && why)
        errno = why;
    return ok;
}

bool file_replace(const char *path, const void *bytes, size_t n)
{
    char *temporary = temporary_beside(path);
    if (!temporary)
        return false;
    const bool ok = write_synced(temporary, bytes, n) && !rename(temporary, path) &&
                    file_sync_folder(path);
    const int why = errno;
    if (!ok)
        unlink(temporary);
    free(temporary);
    errno = why;
    return ok;
}

bool file_is_blank(const char *path)
{
    FILE *f = fopen(path, "rbe");
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
