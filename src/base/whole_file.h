// Files that are there whole or not at all: written beside their place, synced, renamed into it.
#ifndef BASE_WHOLE_FILE_H
#define BASE_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>

// "PATH.0c5f…e1.tmp", to be freed. A name from the kernel's random numbers: a pid is the same in two
// containers, and a counter in two processes. NULL with errno.
char *temporary_beside(const char *path);
// All n bytes, or false with errno.
bool file_write_bytes(int fd, const void *bytes, size_t n);
bool file_sync(int fd); // true where the file system syncs nothing
// Makes the names in a file's folder durable. False with errno; true where a folder cannot be synced.
bool file_sync_folder(const char *path);
// Replaces the file, or makes it. False with errno: what was there is as it was, and nothing is left
// beside it.
bool file_replace(const char *path, const void *bytes, size_t n);
// Whether there is nothing in it but blanks and zeros, or it is not there: what a power cut leaves of
// a file that was not synced.
bool file_is_blank(const char *path);

#endif
