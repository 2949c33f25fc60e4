// Files by the names that a user gives, or that anybody may have put in the way of one. Reading
// takes plain files only and never waits; writing puts a whole file in place, or nothing.
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;

enum { FILE_BYTES_MAX = 1 << 30 }; // file_read refuses larger ones

struct bytes {
    const uint8_t *byte;
    size_t n; // at least 1
};

// A plain file, opened to be read; −1 where it is none or cannot be opened. *why then says what it
// is, "a pipe where a file is expected" (errno is 0), or the system's reason (errno). A descriptor
// that was handed to the program (/dev/stdin, /dev/fd/N) may be anything but a folder.
int file_open(const char *path, const char **why);
FILE *file_stream(const char *path); // the same, or NULL

// All of a file. The bytes live as long as the arena. False when the path is no plain file, empty,
// too large or cannot be read; *why says which, to follow the path: "is empty".
bool file_read(struct arena *a, const char *path, struct bytes *out, const char **why);

// A file as text, with a '\0' behind its *n bytes; one byte more than `most` where it is longer.
// NULL with *why and errno as of file_open.
char *file_text(struct arena *a, const char *path, size_t most, size_t *n, const char **why);

bool file_write_bytes(int fd, const void *bytes, size_t n); // false with errno
bool file_sync(int fd); // false with errno; true where the file system syncs nothing
// Whether there is nothing in it but blanks and zeros, or it is not there: what a power cut leaves of
// a file that was not synced.
bool file_is_blank(const char *path);

// Writes what `fill` puts into a descriptor beside `path`, syncs it and renames it into place: the
// path has the old content or the new, also after a power cut. What the path leads to and is no
// plain file (a device, a pipe) is never replaced but written into. `fill` returns false with
// errno, and so does this; nothing is left of a file that failed.
bool file_replace_by(const char *path, bool (*fill)(int fd, void *context), void *context);
bool file_replace(const char *path, const void *bytes, size_t n);

// For what is put in place by other means than a rename. "PATH.0c5f…e1.tmp", 32 letters, to be freed;
// NULL with errno.
char *temporary_beside(const char *path);
// The folder that a name lies in, to be freed: "." for a bare name.
char *file_folder(const char *path);
// Makes the names in a file's folder durable, where its file system can. False with errno.
bool file_sync_folder(const char *path);

#endif
