// NumPy's array files, .npy.
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum { NPY_RANK_MAX = 4 };
enum npy_type { NPY_BOOL, NPY_U1, NPY_I1, NPY_U2, NPY_I4, NPY_I8, NPY_F4, NPY_F8 };

struct npy {
    enum npy_type type;
    int rank;
    int64_t dim[NPY_RANK_MAX];
    int64_t count;       // the product of the dims
    const uint8_t *byte; // of the first number, in the file's bytes; aligned to nothing
};

// A whole file of n bytes, versions 1 to 3, little-endian, in C's order. Allocates for messages
// only. False when it is damaged or holds what is not read; *why says which, to follow the name:
// "is cut short: …".
bool npy_parse(struct arena *a, const uint8_t *byte, size_t n, struct npy *out, const char **why);
double npy_number(const struct npy *x, int64_t i);

#endif
