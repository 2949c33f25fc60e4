// Fuzzes the parser of IDX files, images and labels, plain and gzipped.
//
//   clang -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_idx.c
//   src/data/idx.c src/base/{arena,file,text}.c -lz
//
// The first byte says what the rest is: bit 0 labels, bit 1 to be gzipped here first, because no
// mutation of a gzip stream keeps its checksum and the sizes inside would never be reached.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t gzip(const uint8_t *data, size_t n, uint8_t *to, size_t room)
{
    z_stream z = {
        .next_in = (uint8_t *)data, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)room};
    deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return z.total_out;
}

// Every byte promised is there, and a refusal says why.
static void parse(enum idx_content content, const uint8_t *file, size_t n)
{
    struct arena *a = arena_new(NULL);
    struct idx idx;
    const char *why = NULL;
    if (idx_parse(a, content, file, n, &idx, &why)) {
        const int64_t size = idx.count * idx.height * idx.width;
        unsigned sum = 0;
        for (int64_t i = 0; i < size; i++)
            sum += idx.byte[i];
        if (idx.byte + size != idx.raw + idx.n_raw || sum > 255 * (uint64_t)size)
            abort();
    } else if (!why || !strlen(why)) {
        abort();
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (!n)
        return 0;
    const enum idx_content content = data[0] & 1 ? IDX_LABELS : IDX_IMAGES;
    uint8_t *copy = malloc(n - 1 ? n - 1 : 1); // its own block, so that one byte too far is seen
    memcpy(copy, data + 1, n - 1);
    parse(content, copy, n - 1);
    if (data[0] & 2) {
        const size_t room = n + 64 + n / 100;
        uint8_t *packed = malloc(room);
        parse(content, packed, gzip(copy, n - 1, packed, room));
        free(packed);
    }
    free(copy);
    return 0;
}
