// Whole files in memory.
#ifndef DATA_FILE_H
#define DATA_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum { FILE_BYTES_MAX = 1 << 30 }; // larger files are refused

struct bytes {
    const uint8_t *byte;
    size_t n; // at least 1
};

// The bytes live as long as the arena. False when the path is no plain file, empty, too large or
// cannot be read; *why says which, to follow the path: "is empty".
bool file_read(struct arena *a, const char *path, struct bytes *out, const char **why);

#endif
