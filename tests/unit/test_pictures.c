// What photographs bring beside their pixels: an orientation, transparency, more bits than a byte; and
// WebP.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/image.h"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

struct made {
    uint8_t byte[1 << 16];
    size_t n;
};

static void put(struct made *m, const void *p, size_t n)
{
    assert_true(m->n + n <= sizeof m->byte);
    memcpy(m->byte + m->n, p, n);
    m->n += n;
}

static void put_number(struct made *m, uint32_t x, int n, bool little)
{
    for (int i = 0; i < n; i++)
        put(m, &(uint8_t){(uint8_t)(x >> 8 * (little ? i : n - 1 - i))}, 1);
}

static void taken(void *context, void *data, int n) { put(context, data, (size_t)n); }

// A TIFF with one directory of two entries, the second the orientation.
static void put_tiff(struct made *m, int orientation, bool little)
{
    put(m, little ? "II*\0" : "MM\0*", 4);
    put_number(m, 8, 4, little);
    put_number(m, 2, 2, little);
    put_number(m, 0x0100, 2, little), put_number(m, 4, 2, little);
    put_number(m, 1, 4, little), put_number(m, 7, 4, little);
    put_number(m, 0x0112, 2, little), put_number(m, 3, 2, little), put_number(m, 1, 4, little);
    put_number(m, (uint32_t)orientation, 2, little), put_number(m, 0, 2, little);
    put_number(m, 0, 4, little);
}

static void put_chunk(struct made *m, const char *name, const void *p, size_t n)
{
    put_number(m, (uint32_t)n, 4, false);
    const size_t from = m->n;
    put(m, name, 4);
    put(m, p, n);
    put_number(m, (uint32_t)crc32(0, m->byte + from, (uInt)(m->n - from)), 4, false);
}

// width × height numbers of `bits`, `type` as in PNG: 0 grey, 2 colour, 4 grey and opacity, 6 colour
// and opacity.
static void make_png(struct made *m, int width, int height, int bits, int type, const void *rows,
                     size_t n, const struct made *exif)
{
    struct made head = {.n = 0};
    uint8_t packed[4096];
    uLongf n_packed = sizeof packed;
    put_number(&head, (uint32_t)width, 4, false), put_number(&head, (uint32_t)height, 4, false);
    put(&head, (uint8_t[]){(uint8_t)bits, (uint8_t)type, 0, 0, 0}, 5);
    assert_int_equal(compress(packed, &n_packed, rows, n), Z_OK);
    m->n = 0;
    put(m, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(m, "IHDR", head.byte, head.n);
    if (exif)
        put_chunk(m, "eXIf", exif->byte, exif->n);
    put_chunk(m, "IDAT", packed, n_packed);
    put_chunk(m, "IEND", "", 0);
}

static struct image decoded(struct arena *a, const struct made *m, struct image_wish wish,
                            struct image_facts *facts)
{
    struct image image = {0};
    const char *why = NULL;
    if (!image_decode(a, m->byte, m->n, &wish, &image, facts, &why))
        fail_msg("%s", why);
    return image;
}

// --- orientation ---------------------------------------------------------------------------------

// 3 × 2, numbered from the left upper corner; what is seen in each orientation, by rows.
static const struct {
    int width;
    uint8_t seen[6];
} turned[] = {
    {3, {0, 1, 2, 3, 4, 5}}, {3, {2, 1, 0, 5, 4, 3}}, {3, {5, 4, 3, 2, 1, 0}},
    {3, {3, 4, 5, 0, 1, 2}}, {2, {0, 3, 1, 4, 2, 5}}, {2, {3, 0, 4, 1, 5, 2}},
    {2, {5, 2, 4, 1, 3, 0}}, {2, {2, 5, 1, 4, 0, 3}},
};

static void expect_turned(struct arena *a, const struct made *m, int orientation, int side)
{
    struct image_facts facts;
    const struct image im = decoded(a, m, (struct image_wish){.channels = 1}, &facts);
    const int width = turned[orientation - 1].width;
    assert_int_equal(im.width, width * side);
    assert_int_equal(im.height, 6 / width * side);
    for (int y = 0; y < im.height; y++)
        for (int x = 0; x < im.width; x++) {
            const int is = 40 * turned[orientation - 1].seen[y / side * width + x / side];
            assert_true(abs(im.pixel[y * im.width + x] - is) <= (side > 1 ? 8 : 0));
        }
}

static void all_orientations_are_turned(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    for (int orientation = 1; orientation <= 8; orientation++) {
        const bool little = orientation % 2;
        struct made tiff = {.n = 0}, jpeg = {.n = 0}, with = {.n = 0}, png;
        put_tiff(&tiff, orientation, little);
        make_png(&png, 3, 2, 8, 0, "\0\0\x28\x50\0\x78\xA0\xC8", 8, &tiff);
        expect_turned(a, &png, orientation, 1);
        uint8_t pixel[48 * 32];
        for (int i = 0; i < 48 * 32; i++)
            pixel[i] = (uint8_t)(40 * (i / 48 / 16 * 3 + i % 48 / 16));
        assert_true(stbi_write_jpg_to_func(taken, &jpeg, 48, 32, 1, pixel, 98));
        put(&with, "\xFF\xD8\xFF\xE1", 4);
        put_number(&with, (uint32_t)tiff.n + 8, 2, false);
        put(&with, "Exif\0\0", 6);
        put(&with, tiff.byte, tiff.n);
        put(&with, jpeg.byte + 2, jpeg.n - 2);
        expect_turned(a, &with, orientation, 16);
    }
    arena_free(a);
}

// However an EXIF block is cut or changed, nothing is read beside it and the picture is had.
static void damaged_orientations_are_passed_over(void **state)
{
    (void)state;
    struct made tiff = {.n = 0}, png;
    put_tiff(&tiff, 6, false);
    const size_t all = tiff.n;
    for (size_t n = 0; n <= all; n++)
        for (int byte = 0; byte < 256; byte += 85) {
            struct arena *a = arena_new(NULL);
            struct image_facts facts;
            struct made changed = tiff;
            changed.n = n;
            if (n)
                changed.byte[n - 1] = (uint8_t)byte;
            make_png(&png, 3, 2, 8, 0, "\0\0\x28\x50\0\x78\xA0\xC8", 8, &changed);
            uint8_t *own = malloc(png.n);
            memcpy(own, png.byte, png.n);
            struct image im;
            const char *why;
            assert_true(image_decode(a, own, png.n, &(struct image_wish){.channels = 1}, &im,
                                     &facts, &why));
            assert_int_equal(im.width * im.height, 6);
            free(own);
            arena_free(a);
        }
}

// --- transparency --------------------------------------------------------------------------------

static void what_is_transparent_shows_the_background(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct image_facts facts;
    struct made m;
    // opaque red, half green, hidden magenta
    static const uint8_t row[] = {0, 255, 0, 0, 255, 0, 255, 0, 128, 255, 0, 255, 0};
    make_png(&m, 3, 1, 8, 6, row, sizeof row, NULL);
    const struct image_wish wish = {.channels = 3, .background = {255, 255, 255}};
    const struct image im = decoded(a, &m, wish, &facts);
    static const uint8_t seen[] = {255, 0, 0, 127, 255, 127, 255, 255, 255};
    assert_memory_equal(im.pixel, seen, sizeof seen);
    assert_true(facts.transparent && facts.most == 0);
    const struct image blue = decoded(a, &m, (struct image_wish){3, {0, 0, 200}, {0, 0}}, &facts);
    assert_memory_equal(blue.pixel + 6, ((uint8_t[]){0, 0, 200}), 3);
    const struct image grey = decoded(a, &m, (struct image_wish){1, {9, 9, 9}, {0, 0}}, &facts);
    assert_int_equal(grey.pixel[2], 9);

    static const uint8_t opaque[] = {0, 255, 0, 0, 255};
    make_png(&m, 1, 1, 8, 6, opaque, sizeof opaque, NULL);
    decoded(a, &m, wish, &facts);
    assert_false(facts.transparent);
    static const uint8_t pale[] = {0, 0x80, 0, 0, 0}; // 16 bits of grey, all hidden
    make_png(&m, 1, 1, 16, 4, pale, sizeof pale, NULL);
    const struct image wide = decoded(a, &m, wish, &facts);
    assert_true(wide.pixel[0] == 255 && facts.transparent);
    arena_free(a);
}

// --- depth ---------------------------------------------------------------------------------------

static void a_range_brings_12_bits_to_a_byte(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct image_facts facts;
    struct made m;
    static const uint8_t row[] = {0, 0, 0, 0x08, 0, 0x0F, 0xFF, 0x20, 0}; // 0, 2048, 4095, 8192
    make_png(&m, 4, 1, 16, 0, row, sizeof row, NULL);
    const struct image all = decoded(a, &m, (struct image_wish){.channels = 1}, &facts);
    assert_memory_equal(all.pixel, ((uint8_t[]){0, 8, 15, 32}), 4);
    assert_int_equal(facts.most, 8192);
    const struct image of12 = decoded(a, &m, (struct image_wish){.channels = 1, .range = {0, 4095}},
                                      &facts);
    assert_memory_equal(of12.pixel, ((uint8_t[]){0, 128, 255, 255}), 4);
    static const uint8_t bytes[] = {0, 10, 60, 110};
    make_png(&m, 3, 1, 8, 0, bytes, sizeof bytes, NULL);
    const struct image part = decoded(a, &m, (struct image_wish){.channels = 1, .range = {10, 110}},
                                      &facts);
    assert_memory_equal(part.pixel, ((uint8_t[]){0, 128, 255}), 3);
    const struct image beyond = decoded(
        a, &m, (struct image_wish){.channels = 1, .range = {0, 4095}}, &facts);
    assert_memory_equal(beyond.pixel, ((uint8_t[]){10, 60, 110}), 3);
    assert_int_equal(facts.most, 0);
    arena_free(a);
}

// --- WebP ----------------------------------------------------------------------------------------

// The chunk of a lossless picture, in a file that has an orientation too.
static void with_exif(const struct made *plain, int orientation, struct made *to)
{
    struct made tiff = {.n = 0};
    put_tiff(&tiff, orientation, true);
    to->n = 0;
    put(to, "RIFF", 4);
    put_number(to, (uint32_t)(plain->n - 8 + 18 + 8 + tiff.n), 4, true);
    put(to, "WEBPVP8X", 8);
    put_number(to, 10, 4, true);
    put_number(to, 0x08, 4, true); // it has EXIF
    put_number(to, 2, 3, true), put_number(to, 1, 3, true);
    put(to, plain->byte + 12, plain->n - 12);
    put(to, "EXIF", 4);
    put_number(to, (uint32_t)tiff.n, 4, true);
    put(to, tiff.byte, tiff.n);
}

static void make_webp(struct made *m, const uint8_t *rgba)
{
    uint8_t *made = NULL;
    const size_t n = WebPEncodeLosslessRGBA(rgba, 3, 2, 12, &made);
    assert_true(n > 0);
    m->n = 0;
    put(m, made, n);
    WebPFree(made);
}

static void webp_is_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct image_facts facts;
    struct made m, turned_file;
    uint8_t rgba[24];
    for (int i = 0; i < 6; i++)
        memcpy(rgba + 4 * i,
               (uint8_t[]){(uint8_t)(40 * i), (uint8_t)(40 * i), (uint8_t)(40 * i), 255}, 4);
    make_webp(&m, rgba);
    expect_turned(a, &m, 1, 1);
    for (int orientation = 1; orientation <= 8; orientation++) {
        with_exif(&m, orientation, &turned_file);
        expect_turned(a, &turned_file, orientation, 1);
    }
    rgba[3] = 0;
    make_webp(&m, rgba);
    const struct image im = decoded(a, &m, (struct image_wish){3, {1, 2, 3}, {0, 0}}, &facts);
    assert_true(facts.transparent);
    assert_memory_equal(im.pixel, ((uint8_t[]){1, 2, 3, 40, 40, 40}), 6);
    arena_free(a);
}

// However a file is cut, it is refused; however it is changed, nothing is read beside it.
static void damaged_webp_is_refused(void **state)
{
    (void)state;
    struct made m;
    uint8_t rgba[24];
    for (int i = 0; i < 24; i++)
        rgba[i] = (uint8_t)(i * 37);
    make_webp(&m, rgba);
    for (size_t i = 0; i < 2 * m.n; i++) {
        const bool cut = i < m.n;
        const size_t n = cut ? i : m.n;
        struct arena *a = arena_new(NULL);
        struct image im;
        struct image_facts facts;
        const char *why = NULL;
        uint8_t *own = malloc(n + 1);
        memcpy(own, m.byte, n);
        if (!cut)
            own[i - m.n] ^= 0xFF;
        const bool good = image_decode(a, own, n, &(struct image_wish){.channels = 3}, &im, &facts,
                                       &why);
        assert_true(cut && i + 1 < m.n ? !good && why : good || why);
        free(own);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_orientations_are_turned),
        cmocka_unit_test(damaged_orientations_are_passed_over),
        cmocka_unit_test(what_is_transparent_shows_the_background),
        cmocka_unit_test(a_range_brings_12_bits_to_a_byte),
        cmocka_unit_test(webp_is_read),
        cmocka_unit_test(damaged_webp_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
