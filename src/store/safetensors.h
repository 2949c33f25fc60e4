// Tensors in a file: 8 bytes of header length, a JSON header, then the raw little-endian data. F32
// and I64. Format: https://github.com/huggingface/safetensors
#ifndef STORE_SAFETENSORS_H
#define STORE_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

struct arena;

enum tensor_type { TENSOR_F32, TENSOR_I64 };
enum { TENSOR_RANK_MAX = 8 };

struct tensor {
    const char *name;
    enum tensor_type type;
    int rank;
    int64_t dim[TENSOR_RANK_MAX];
    const void *data; // reading: into the mapped file, aligned to its type
    // Writing, where data is NULL: gives them when it is this tensor's turn, in the arena or not.
    const void *(*load)(const void *context, struct arena *a);
    const void *context;
};

struct metadata { // the header's __metadata__: text by name
    const char *key, *value;
};

// Writes path atomically: a temporary file beside it, fsynced, renamed, the directory fsynced.
// Tensors are laid out by type and name; names must differ. False, reported, when the world says
// no; path is then as it was.
bool safetensors_write(const char *path, const struct tensor *tensor, int n,
                       const struct metadata *metadata, int n_metadata, struct diag *d);

struct safetensors {
    struct tensor *tensor; // sorted by name
    int n;
    struct metadata *metadata;
    int n_metadata;
};

// Maps the file for the life of the arena and checks all of the header: lengths, types, shapes,
// ranges, overlaps. NULL, reported.
struct safetensors *safetensors_open(struct arena *a, const char *path, struct diag *d);
// The same over memory that the caller keeps (aligned to 8); `name` is for messages.
struct safetensors *safetensors_parse(struct arena *a, const char *name, const void *bytes,
                                      size_t n, struct diag *d);
const struct tensor *safetensors_find(const struct safetensors *s,
                                      const char *name);                        // NULL when absent
const char *safetensors_metadata(const struct safetensors *s, const char *key); // NULL when absent
int64_t tensor_elements(const struct tensor *t);

#endif
