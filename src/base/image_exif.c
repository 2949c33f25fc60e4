// Cameras store the sensor's rows and say beside them how the camera was held; every viewer turns the
// picture by that, so whoever collected the pictures has seen them turned. EXIF is a TIFF file inside
// another: of it one number is read, tag 0x0112 of the first directory.
#include "base/image_exif.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/image.h"

struct block {
    const uint8_t *p;
    size_t n;
};

static uint32_t exif_number(const uint8_t *p, int n, bool little)
{
    uint32_t x = 0;
    for (int i = 0; i < n; i++)
        x = x << 8 | p[little ? n - 1 - i : i];
    return x;
}

// Header: "II*\0" or "MM\0*", offset of the first directory; there: a count, then entries of 12
// bytes: tag, type, count, value.
static int tiff_orientation(struct block b)
{
    enum { ORIENTATION = 0x0112, SHORT = 3 };
    if (b.n >= 6 && !memcmp(b.p, "Exif\0\0", 6))
        b.p += 6, b.n -= 6;
    if (b.n < 8 || (memcmp(b.p, "II*\0", 4) && memcmp(b.p, "MM\0*", 4)))
        return 1;
    const bool little = *b.p == 'I';
    const size_t at = exif_number(b.p + 4, 4, little);
    if (at > b.n || b.n - at < 2)
        return 1;
    const size_t entries = exif_number(b.p + at, 2, little), room = (b.n - at - 2) / 12;
    for (size_t i = 0; i < entries && i < room; i++) {
        const uint8_t *e = b.p + at + 2 + 12 * i;
        if (exif_number(e, 2, little) != ORIENTATION || exif_number(e + 2, 2, little) != SHORT)
            continue;
        const uint32_t is = exif_number(e + 8, 2, little);
        return is >= 1 && is <= 8 ? (int)is : 1;
    }
    return 1;
}

// Segments: FF, a marker, the length with its own two bytes. APP1 may be XMP as well.
static struct block exif_of_jpeg(const uint8_t *p, size_t n)
{
    enum { APP1 = 0xE1, SCAN = 0xDA };
    for (size_t i = 2; i + 4 <= n && p[i] == 0xFF && p[i + 1] != SCAN;) {
        if (p[i + 1] == 0xFF) { // filling
            i++;
            continue;
        }
        const size_t length = exif_number(p + i + 2, 2, false);
        if (length < 2 || length > n - i - 2)
            break;
        if (p[i + 1] == APP1 && length >= 8 && !memcmp(p + i + 4, "Exif\0\0", 6))
            return (struct block){p + i + 4, length - 2};
        i += 2 + length;
    }
    return (struct block){0};
}

// Chunks from `i` on: of a PNG length, name, content, checksum; of a WebP name, length, content to an
// even number of bytes.
static struct block find_chunk(const uint8_t *p, size_t n, size_t i, const char *name, bool png)
{
    while (i + 8 <= n) {
        const size_t length = exif_number(p + i + (png ? 0 : 4), 4, !png);
        if (length > n - i - 8)
            break;
        if (!memcmp(p + i + (png ? 4 : 0), name, 4))
            return (struct block){p + i + 8, length};
        i += 8 + length + (png ? 4 : length % 2);
    }
    return (struct block){0};
}

int exif_orientation(const uint8_t *byte, size_t n)
{
    if (n >= 4 && byte[0] == 0xFF && byte[1] == 0xD8)
        return tiff_orientation(exif_of_jpeg(byte, n));
    if (n >= 8 && !memcmp(byte, "\x89PNG", 4))
        return tiff_orientation(find_chunk(byte, n, 8, "eXIf", true));
    if (n >= 12 && !memcmp(byte, "RIFF", 4) && !memcmp(byte + 8, "WEBP", 4))
        return tiff_orientation(find_chunk(byte, n, 12, "EXIF", false));
    return 1;
}

// The first stored row is seen at the top (1, 2), bottom (3, 4), left (5, 8) or right (6, 7), the
// first stored column at the left (1, 4), right (2, 3), top (5, 6) or bottom (7, 8).
void exif_turn(struct arena *a, struct image *image, int orientation)
{
    const bool swap = orientation >= 5;
    const bool right = orientation == 2 || orientation == 3 || orientation == 6 ||
                       orientation == 7; // what is seen at the left is stored at the end
    const bool down = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
    ASSERT(orientation >= 1 && orientation <= 8);
    if (orientation == 1)
        return;
    const size_t C = (size_t)image->channels, w = (size_t)image->width, h = (size_t)image->height;
    const size_t W = swap ? h : w, H = swap ? w : h;
    uint8_t *to = arena_room(a, W * H * C), *p = to;
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++, p += C) {
            const size_t column = right ? W - 1 - x : x, row = down ? H - 1 - y : y;
            const size_t from = swap ? column * w + row : row * w + column;
            memcpy(p, image->pixel + from * C, C);
        }
    *image = (struct image){(int)W, (int)H, image->channels, to};
}
