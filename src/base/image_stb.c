// It trusts a file's word on how much there is to unpack, so a few kilobytes can ask for the whole
// memory: its allocations are counted, and together they may not exceed what a picture of the
// header's size can need. A limit on each allocation alone fails: a file may ask many times. A JPEG
// may use a table that it never defined: blocks are zeroed, so that such a table is empty and not
// what was left in memory.
//
// Its arithmetic overflows when a damaged JPEG wants it to, which C leaves undefined: sums of
// coefficients pass 2³¹, and where the bits run out before a marker, a byte is shifted by more than
// its word has. So this file is built by itself, with sums that wrap; and the sanitizers do not
// look at its shifts, since what is shifted too far is always zero.
#include "base/image_stb.h"

#include <stdlib.h>
#include <string.h>

#include "base/image.h"

// Before each block stands its size, in as many bytes as keep it aligned.
enum { HEAD = 16 };

static _Thread_local size_t left;

static void *counted_malloc(size_t n)
{
    if (n > left)
        return NULL;
    char *p = calloc(1, HEAD + n);
    if (!p)
        return NULL;
    left -= n;
    memcpy(p, &n, sizeof n);
    return p + HEAD;
}

void stb_free(void *block)
{
    if (!block)
        return;
    size_t n;
    memcpy(&n, (char *)block - HEAD, sizeof n);
    left += n;
    free((char *)block - HEAD);
}

static void *counted_realloc(void *block, size_t n)
{
    void *p = counted_malloc(n);
    size_t before = 0;
    if (!p)
        return NULL;
    if (block)
        memcpy(&before, (char *)block - HEAD, sizeof before);
    if (before)
        memcpy(p, block, before < n ? before : n);
    stb_free(block);
    return p;
}

#define STBI_MALLOC(n) counted_malloc(n)
#define STBI_REALLOC(p, n) counted_realloc(p, n)
#define STBI_FREE(p) stb_free(p)
#define STBI_MAX_DIMENSIONS IMAGE_SIDE_MAX
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>

bool stb_size(const uint8_t *byte, int n, size_t budget, int *width, int *height)
{
    int channels;
    left = budget;
    return stbi_info_from_memory(byte, n, width, height, &channels);
}

bool stb_decode(const uint8_t *byte, int n, size_t budget, int channels, struct stb_picture *out,
                const char **why)
{
    int width, height, own = 0;
    left = budget;
    out->wide = stbi_is_16_bit_from_memory(byte, n);
    out->number = out->wide
                      ? (void *)stbi_load_16_from_memory(byte, n, &width, &height, &own, channels)
                      : (void *)stbi_load_from_memory(byte, n, &width, &height, &own, channels);
    out->channels = channels ? channels : own;
    if (!out->number)
        *why = stbi_failure_reason();
    return out->number;
}
