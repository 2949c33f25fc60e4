// Pictures from files that anybody may have made. stb decodes; what it leaves open is closed here.
// It takes a file that was cut short for a picture whose rest is black or grey, so the end is
// looked for first. A PNG whose data begins with an empty chunk is refused.
#include "base/image.h"

#include <string.h>

#include "base/arena.h"
#include "base/image_stb.h"

enum { PIXELS_MAX = 1 << 25, BYTES_A_PIXEL = 32, BYTES_BESIDE = 1 << 24 };

// Within the coded picture FF stands before 00 and restart markers only, so an end marker after the
// last start of a scan is the picture's own and not a thumbnail's. Without any scan there is none.
static bool jpeg_ends(const uint8_t *p, size_t n)
{
    bool ended = false;
    for (size_t i = n - 1; i > 0; i--) {
        if (p[i - 1] == 0xFF && p[i] == 0xDA)
            return ended;
        ended |= p[i - 1] == 0xFF && p[i] == 0xD9;
    }
    return false;
}

// The tables of codes at p, `left` bytes of them by their own account: each a byte of its name, 16
// counts, of 256 symbols at most, then the symbols. stb believes the counts, and reads zeros past
// the end.
static bool codes_fit(const uint8_t *p, const uint8_t *end, int left)
{
    while (left > 0 && p < end) {
        int sum = 0;
        for (int i = 1; i <= 16; i++)
            sum += end - p > i ? p[i] : 0;
        if (sum > 256)
            return false;
        if (end - p < 17 + sum)
            break;
        p += 17 + sum;
        left -= 17 + sum;
    }
    return true;
}

static bool jpeg_codes_fit(const uint8_t *p, size_t n)
{
    for (size_t i = 1; i + 4 < n; i++)
        if (p[i] == 0xFF && p[i + 1] == 0xC4 &&
            !codes_fit(p + i + 4, p + n, (p[i + 2] << 8 | p[i + 3]) - 2))
            return false;
    return true;
}

static uint64_t big(const uint8_t *p, int n)
{
    uint64_t x = 0;
    while (n--)
        x = x << 8 | *p++;
    return x;
}

// A chunk: length, name, so many bytes, checksum. stb copies to nowhere when the first IDAT is
// empty.
static bool png_begins(const uint8_t *p, size_t n)
{
    for (uint64_t i = 8; i + 8 <= n; i += 12 + big(p + i, 4))
        if (memcmp(p + i + 4, "IDAT", 4) == 0)
            return big(p + i, 4) > 0;
    return true;
}

static uint64_t little(const uint8_t *p, int n)
{
    uint64_t x = 0;
    while (n--)
        x = x << 8 | p[n];
    return x;
}

// n ≥ offset + height · ⌈width · bits / 32⌉ · 4, all read from the header
static bool bmp_ends(const uint8_t *p, size_t n, int width, int height)
{
    if (n < 30)
        return false;
    const uint64_t bits = little(p + 14, 4) == 12 ? little(p + 24, 2) : little(p + 28, 2);
    const uint64_t row = ((uint64_t)width * bits + 31) / 32 * 4;
    return n >= little(p + 10, 4) + row * (uint64_t)height;
}

static bool image_read_whole(const uint8_t *p, size_t n, int width, int height)
{
    if (n > 2 && p[0] == 0xFF)
        return jpeg_ends(p, n);
    if (n > 2 && p[0] == 'B' && p[1] == 'M')
        return bmp_ends(p, n, width, height);
    return true; // what is missing from a PNG is missed when it is unpacked
}

// What is wrong with the size or the end of a file; NULL when nothing is.
static const char *fault(const uint8_t *p, size_t n, int *width, int *height)
{
    if (n > IMAGE_BYTES_MAX)
        return "is larger than 64 MiB";
    const bool sound = n < 3 || (p[0] == 0xFF ? jpeg_codes_fit(p, n) : png_begins(p, n));
    if (!sound) // looked at before stb reads a byte of it
        return "is damaged";
    if (!stb_size(p, (int)n, BYTES_BESIDE, width, height))
        return "is no PNG, JPEG or BMP that can be read";
    if (*width < 1 || *height < 1)
        return "is a picture without pixels";
    if (*width > IMAGE_SIDE_MAX || *height > IMAGE_SIDE_MAX ||
        (int64_t)*width * *height > PIXELS_MAX)
        return "is a picture of more than 32 megapixels, or of more than 16384 a side";
    return image_read_whole(p, n, *width, *height) ? NULL : "is cut short";
}

bool image_decode(struct arena *a, const uint8_t *byte, size_t n, int channels, struct image *out,
                  const char **why)
{
    int width, height;
    *why = fault(byte, n, &width, &height);
    if (*why)
        return false;
    const size_t budget = (size_t)width * (size_t)height * BYTES_A_PIXEL + 2 * n + BYTES_BESIDE;
    const char *reason;
    uint8_t *p = stb_decode(byte, (int)n, budget, channels, &reason);
    if (!p) {
        *why = arena_printf(a, "is damaged (%s)", reason);
        return false;
    }
    arena_defer(a, stb_free, p);
    *out = (struct image){width, height, channels, p};
    return true;
}
