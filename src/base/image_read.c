// Pictures from files that anybody may have made. stb and libwebp decode; what stb leaves open is
// closed here. It takes a file that was cut short for a picture whose rest is black or grey, so the
// end is looked for first. A PNG whose data begins with an empty chunk is refused.
//
// A large photograph takes half a gigabyte while it is decoded. All threads decode at once, so what
// they take together is counted, and who would take too much waits for the others.
#include "base/image.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/image_exif.h"
#include "base/image_stb.h"
#include "base/image_webp.h"

enum { BYTES_A_PIXEL = 32, BYTES_BESIDE = 1 << 24, USUAL_BYTES_A_PIXEL = 12 };

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

// The sizes that the header tells; NULL, or why there are none.
static const char *size_fault(const uint8_t *p, size_t n, int *width, int *height,
                              bool *transparent)
{
    const char *why;
    if (webp_is(p, n))
        return webp_size(p, n, width, height, transparent, &why) ? NULL : why;
    const bool sound = n < 3 || (p[0] == 0xFF ? jpeg_codes_fit(p, n) : png_begins(p, n));
    if (!sound) // looked at before stb reads a byte of it
        return "is damaged";
    return stb_size(p, (int)n, BYTES_BESIDE, width, height)
               ? NULL
               : "is no PNG, JPEG, BMP or WebP that can be read";
}

// What is wrong with the size or the end of a file; NULL when nothing is.
static const char *fault(const uint8_t *p, size_t n, int *width, int *height, bool *transparent)
{
    if (n > IMAGE_BYTES_MAX)
        return "is larger than 256 MiB";
    const char *why = size_fault(p, n, width, height, transparent);
    if (why)
        return why;
    if (*width < 1 || *height < 1)
        return "is a picture without pixels";
    if (*width > IMAGE_SIDE_MAX || *height > IMAGE_SIDE_MAX ||
        (int64_t)*width * *height > IMAGE_PIXELS_MAX)
        return "is a picture of more than 64 megapixels, or of more than 16384 a side";
    return image_read_whole(p, n, *width, *height) ? NULL : "is cut short";
}

// --- memory --------------------------------------------------------------------------------------

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    size_t taken;
} memory = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

// Waits until there is room beside the others; one alone always has it.
static void memory_take(size_t bytes)
{
    const size_t most = (size_t)2 << 30;
    pthread_mutex_lock(&memory.mutex);
    while (memory.taken && memory.taken + bytes > most)
        pthread_cond_wait(&memory.given, &memory.mutex);
    memory.taken += bytes;
    pthread_mutex_unlock(&memory.mutex);
}

static void memory_give(size_t bytes)
{
    pthread_mutex_lock(&memory.mutex);
    memory.taken -= bytes;
    pthread_cond_broadcast(&memory.given);
    pthread_mutex_unlock(&memory.mutex);
}

// --- numbers to pixels ---------------------------------------------------------------------------

// What a file was decoded to: pixels of 1 to 4 numbers, grey or colour, without opacity or with.
struct decoded {
    void *number;
    size_t pixels;
    int channels;
    bool wide; // uint16_t, else uint8_t
};

// A range is wished, and the file's numbers can fill it: 0 to 4095 says nothing of a byte.
static bool has_range(const struct decoded *d, const double range[2])
{
    return range[0] != range[1] && (d->wide || (range[0] <= 255 && range[1] <= 255));
}

// By the numbers that become 0 and 255, or, without, by leaving out the lower bits.
static uint8_t to_byte(const struct decoded *d, uint32_t x, const double range[2])
{
    if (!has_range(d, range))
        return (uint8_t)(d->wide ? x >> 8 : x);
    const double y = 255 * (x - range[0]) / (range[1] - range[0]) + 0.5;
    return y < 0 ? 0 : y >= 255 ? 255 : (uint8_t)y;
}

static uint32_t number_at(const struct decoded *d, size_t i)
{
    return d->wide ? ((const uint16_t *)d->number)[i] : ((const uint8_t *)d->number)[i];
}

// stb's weights: Y = (77 R + 150 G + 29 B) / 256
static uint32_t luminance(uint32_t r, uint32_t g, uint32_t b)
{
    return (77 * r + 150 * g + 29 * b) >> 8;
}

static void convert_pixel(const struct decoded *d, size_t i, const struct image_wish *wish,
                          struct image_facts *facts, uint8_t *to)
{
    const size_t at = i * (size_t)d->channels;
    const bool colour = d->channels >= 3, grey = wish->channels == 1;
    const uint32_t opaque = d->wide ? 65535 : 255;
    uint32_t x[3], alpha = opaque;
    for (int c = 0; c < 3; c++)
        x[c] = number_at(d, at + (colour ? (size_t)c : 0));
    if (d->wide)
        for (int c = 0; c < 3; c++)
            facts->most = (int)x[c] > facts->most ? (int)x[c] : facts->most;
    if (d->channels % 2 == 0)
        alpha = number_at(d, at + (size_t)d->channels - 1);
    facts->transparent |= alpha < opaque;
    if (grey && colour)
        x[0] = luminance(x[0], x[1], x[2]);
    const uint8_t *b = wish->background;
    for (int c = 0; c < wish->channels; c++) {
        const uint32_t under = grey ? luminance(b[0], b[1], b[2]) : b[c],
                       over = to_byte(d, x[c], wish->range);
        to[c] = (uint8_t)((over * alpha + under * (opaque - alpha) + opaque / 2) / opaque);
    }
}

// True where a decoded byte is already a byte as wished.
static bool converted(const struct decoded *d, const struct image_wish *wish)
{
    return !d->wide && d->channels == wish->channels && !has_range(d, wish->range);
}

static void convert_pixels(const struct decoded *d, const struct image_wish *wish,
                           struct image_facts *facts, uint8_t *to)
{
    for (size_t i = 0; i < d->pixels; i++)
        convert_pixel(d, i, wish, facts, to + i * (size_t)wish->channels);
}

// --- the whole -----------------------------------------------------------------------------------

static bool decode_webp(struct arena *a, const uint8_t *byte, size_t n, const struct image *size,
                        bool transparent, struct decoded *d, const char **why)
{
    d->number = webp_decode(byte, n, size->width, size->height, transparent);
    d->channels = transparent ? 4 : 3;
    *why = "is damaged or cut short";
    if (d->number)
        arena_defer(a, free, d->number);
    return d->number;
}

// A JPEG is brought to its channels by its decoder, which has the luminance as it is stored.
static bool decode_stb(struct arena *a, const uint8_t *byte, size_t n,
                       const struct image_wish *wish, struct decoded *d, const char **why)
{
    const size_t budget = d->pixels * BYTES_A_PIXEL + 2 * n + BYTES_BESIDE;
    struct stb_picture p;
    const char *reason;
    if (!stb_decode(byte, (int)n, budget, byte[0] == 0xFF ? wish->channels : 0, &p, &reason)) {
        *why = arena_printf(a, "is damaged (%s)", reason);
        return false;
    }
    arena_defer(a, stb_free, p.number);
    d->number = p.number;
    d->channels = p.channels;
    d->wide = p.wide;
    return true;
}

static bool decode_sized(struct arena *a, const uint8_t *byte, size_t n,
                         const struct image_wish *wish, bool transparent, struct image *out,
                         struct image_facts *facts, const char **why)
{
    struct arena *scratch = arena_new(NULL);
    struct decoded d = {.pixels = (size_t)out->width * (size_t)out->height};
    const bool good = webp_is(byte, n) ? decode_webp(scratch, byte, n, out, transparent, &d, why)
                                       : decode_stb(scratch, byte, n, wish, &d, why);
    if (good) {
        out->pixel = arena_room(a, d.pixels * (size_t)wish->channels);
        if (converted(&d, wish))
            memcpy(out->pixel, d.number, d.pixels * (size_t)wish->channels);
        else
            convert_pixels(&d, wish, facts, out->pixel);
    } else {
        *why = arena_strdup(a, *why);
    }
    arena_free(scratch);
    return good;
}

bool image_decode(struct arena *a, const uint8_t *byte, size_t n, const struct image_wish *wish,
                  struct image *out, struct image_facts *facts, const char **why)
{
    bool transparent = false;
    int width, height;
    ASSERT(wish->channels == 1 || wish->channels == 3);
    *facts = (struct image_facts){0};
    *why = fault(byte, n, &width, &height, &transparent);
    if (*why)
        return false;
    *out = (struct image){width, height, wish->channels, NULL};
    const size_t bytes = (size_t)width * (size_t)height * USUAL_BYTES_A_PIXEL;
    memory_take(bytes);
    const bool good = decode_sized(a, byte, n, wish, transparent, out, facts, why);
    memory_give(bytes);
    if (good)
        exif_turn(a, out, exif_orientation(byte, n));
    return good;
}
