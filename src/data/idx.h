// IDX, the format of MNIST and its kin: a magic number, the sizes, then bytes. Plain or gzipped,
// whatever the name says.
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum idx_content { IDX_IMAGES, IDX_LABELS };

struct idx {
    int64_t count, height, width; // labels are 1 × 1
    const uint8_t *byte;          // (count, height, width)
    const uint8_t *raw;           // the whole file, unpacked
    size_t n_raw;
};

// Takes apart the n bytes of a file, which must outlive the result unless they are gzipped.
// Allocates no more than twice what the file really holds, whatever its header claims. False after
// damage; *why says which, as "is cut short: …".
bool idx_parse(struct arena *a, enum idx_content content, const uint8_t *file, size_t n,
               struct idx *out, const char **why);
// The same from a file.
bool idx_read(struct arena *a, enum idx_content content, const char *path, struct idx *out,
              const char **why);

#endif
