// Fuzzes the parser of .npy files: every number promised is there and a refusal says why.
//
//   clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_npy.c
//   src/data/npy.c src/base/arena.c
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "data/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1); // its own block, so that one byte too far is seen
    memcpy(copy, data, n);
    struct arena *a = arena_new(NULL);
    struct npy x;
    const char *why = NULL;
    volatile double sum = 0;
    if (npy_parse(a, copy, n, &x, &why))
        for (int64_t i = 0; i < x.count; i++)
            sum += npy_number(&x, i);
    else if (!why || !*why)
        abort();
    arena_free(a);
    free(copy);
    return 0;
}
