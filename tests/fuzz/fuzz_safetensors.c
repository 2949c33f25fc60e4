// clang -g -O1 -std=gnu11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Isrc
// tests/fuzz/fuzz_safetensors.c src/store/safetensors.c
//     src/base/{arena,diag,file,printable,text}.c -ljansson -o
//     fuzz_safetensors && ./fuzz_safetensors -max_total_time=60
// The input is a file's header and data; the header's length is made right most of the time, so
// that the header is reached.
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "store/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n);

static double touch(const struct safetensors *s)
{
    double sum = 0;
    for (int i = 0; i < s->n; i++) {
        const struct tensor *t = safetensors_find(s, s->tensor[i].name);
        for (int64_t k = 0; k < tensor_elements(t); k++)
            sum += t->type == TENSOR_F32 ? ((const float *)t->data)[k]
                                         : (double)((const int64_t *)t->data)[k];
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t n)
{
    struct arena *a = arena_new(NULL);
    uint8_t *file = arena_alloc(a, n + 8);
    const uint8_t *end = n ? memrchr(input, '}', n) : NULL;
    const uint64_t length = end ? (uint64_t)(end + 1 - input) : n;
    const bool raw = n && input[0] != '{';
    memcpy(file, &length, 8);
    memcpy(file + (raw ? 0 : 8), input, n);
    const struct safetensors *s = safetensors_parse(a, "input", file, raw ? n : n + 8, diag_new(a));
    volatile double sum = s ? touch(s) : 0;
    (void)sum;
    arena_free(a);
    return 0;
}
