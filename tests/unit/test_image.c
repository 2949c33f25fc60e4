// Pictures: the byte rule, the layout of a grid, and PNG files that another decoder reads back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/image.h"

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

static void numbers_round_to_bytes(void **state)
{
    (void)state;
    assert_int_equal(image_byte(-1), 0);
    assert_int_equal(image_byte(1), 255);
    assert_int_equal(image_byte(0), 128);
    assert_int_equal(image_byte(-7), 0);
    assert_int_equal(image_byte(7), 255);
    assert_int_equal(image_byte(NAN), 0);
    assert_int_equal(image_byte(INFINITY), 255);
    assert_int_equal(image_byte(-INFINITY), 0);
    for (int b = 0; b < 256; b++)
        assert_int_equal(image_byte((float)b / 127.5f - 1), b);
}

static void a_grid_lays_pictures_by_rows(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const float x[2][3][1][2] = {{{{-1, -1}}, {{1, 1}}, {{-1, 1}}},
                                 {{{1, 1}}, {{-1, -1}}, {{1, -1}}}}; // (N, C, H, W)
    const struct image g = image_grid(a, &x[0][0][0][0], 1, 2, 3, 1, 2, 1);
    assert_int_equal(g.width, 7);
    assert_int_equal(g.height, 3);
    assert_int_equal(g.channels, 3);
    const uint8_t row[7][3] = {{255, 255, 255}, {0, 255, 0}, {0, 255, 255},  {255, 255, 255},
                               {255, 0, 255},   {255, 0, 0}, {255, 255, 255}};
    assert_memory_equal(g.pixel + 7 * 3, row, sizeof row);
    for (int i = 0; i < 7 * 3; i++)
        assert_true(g.pixel[i] == 255 && g.pixel[2 * 7 * 3 + i] == 255);
    arena_free(a);
}

static char *folder(struct arena *a)
{
    char *name = arena_strdup(a, "/tmp/ganexp-image-XXXXXX");
    assert_non_null(mkdtemp(name));
    return name;
}

static int files_in(const char *path)
{
    DIR *d = opendir(path);
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void round_trip(struct arena *a, const char *path, int channels)
{
    struct image im = {37, 23, channels, NEW_ARRAY(a, uint8_t, 37 * 23 * channels)};
    for (int i = 0; i < 37 * 23 * channels; i++)
        im.pixel[i] = (uint8_t)(i * i / 7);
    assert_true(image_write_png(&im, path));
    int w, h, c;
    uint8_t *back = stbi_load(path, &w, &h, &c, 0);
    assert_non_null(back);
    assert_true(w == 37 && h == 23 && c == channels);
    assert_memory_equal(back, im.pixel, (size_t)(37 * 23 * channels));
    stbi_image_free(back);
}

static void a_png_reads_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const char *dir = folder(a), *path = arena_printf(a, "%s/x.png", dir);
    round_trip(a, path, 1);
    round_trip(a, path, 3); // replaces
    assert_int_equal(files_in(dir), 1);
    unlink(path);
    rmdir(dir);
    arena_free(a);
}

static void what_cannot_be_written_says_why(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const char *dir = folder(a), *path = arena_printf(a, "%s/x.png", dir);
    uint8_t pixel = 7;
    const struct image im = {1, 1, 1, &pixel};
    errno = 0;
    assert_false(image_write_png(&im, arena_printf(a, "%s/no/x.png", dir)));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_false(image_write_png(&im, path));
    assert_int_equal(errno, EISDIR);
    assert_int_equal(files_in(dir), 1); // the temporary file is gone
    rmdir(path);
    rmdir(dir);
    arena_free(a);
}

static bool decode(struct arena *a, const uint8_t *p, size_t n, int channels, struct image *out,
                   const char **why)
{
    uint8_t *own = malloc(n ? n : 1); // of its own, so that a byte too far is seen
    memcpy(own, p, n);
    const struct image_wish wish = {.channels = channels};
    struct image_facts facts;
    const bool good = image_decode(a, own, n, &wish, out, &facts, why);
    free(own);
    return good;
}

struct made {
    uint8_t byte[1 << 16];
    size_t n;
};

static void take(void *context, void *data, int n)
{
    struct made *m = context;
    assert_true(m->n + (size_t)n <= sizeof m->byte);
    memcpy(m->byte + m->n, data, (size_t)n);
    m->n += (size_t)n;
}

enum { PNG, JPEG, BMP, FORMATS };

static void make(struct made *m, int format, int channels)
{
    uint8_t pixel[37 * 23 * 3];
    for (int i = 0; i < 37 * 23 * channels; i++)
        pixel[i] = (uint8_t)(60 + i / channels % 37 * 3 + i % channels * 20);
    m->n = 0;
    if (format == PNG)
        assert_true(stbi_write_png_to_func(take, m, 37, 23, channels, pixel, 37 * channels));
    else if (format == JPEG)
        assert_true(stbi_write_jpg_to_func(take, m, 37, 23, channels, pixel, 95));
    else
        assert_true(stbi_write_bmp_to_func(take, m, 37, 23, channels, pixel));
}

static void every_format_is_decoded(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct made m;
    for (int format = 0; format < FORMATS; format++)
        for (int channels = 1; channels <= 3; channels += 2) {
            struct image im;
            const char *why = NULL;
            make(&m, format, channels);
            assert_true(decode(a, m.byte, m.n, channels, &im, &why));
            assert_true(im.width == 37 && im.height == 23 && im.channels == channels);
            for (int i = 0; i < 37 * 23 * channels; i++) {
                const int is = 60 + i / channels % 37 * 3 + i % channels * 20;
                assert_true(abs(im.pixel[i] - is) <= (format == JPEG ? 12 : 0));
            }
            assert_true(decode(a, m.byte, m.n, 4 - channels, &im, &why));
            assert_int_equal(im.channels, 4 - channels);
        }
    arena_free(a);
}

// However a file is cut, it is refused; however it is changed, nothing is read beside it.
static void decodes_no_damage(void **state)
{
    (void)state;
    struct made m;
    for (int format = 0; format < FORMATS; format++) {
        make(&m, format, 3);
        // a PNG's empty last chunk may be missing
        const size_t end = m.n - (format == PNG ? 12 : 0);
        for (size_t n = 0; n < end; n += n < 200 ? 1 : 17) {
            struct arena *a = arena_new(NULL);
            struct image im;
            const char *why = NULL;
            if (decode(a, m.byte, n, 3, &im, &why))
                fail_msg("format %d read from %zu of %zu bytes", format, n, m.n);
            assert_non_null(why);
            arena_free(a);
        }
        for (size_t i = 0; i < m.n; i += 3) {
            struct arena *a = arena_new(NULL);
            struct image im;
            const char *why = NULL;
            const uint8_t was = m.byte[i];
            m.byte[i] = (uint8_t)~was;
            if (!decode(a, m.byte, m.n, 3, &im, &why))
                assert_non_null(why);
            m.byte[i] = was;
            arena_free(a);
        }
    }
}

// Allowed, not written by any program, and stb copies to a null pointer.
static void decodes_no_empty_beginning(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct made m;
    struct image im;
    const char *why = NULL;
    make(&m, PNG, 3);
    memset(m.byte + 33, 0, 4); // the length of the chunk behind IHDR
    assert_memory_equal(m.byte + 37, "IDAT", 4);
    assert_false(decode(a, m.byte, m.n, 3, &im, &why));
    assert_string_equal(why, "is damaged");
    arena_free(a);
}

// A head and an end marker: stb gives such a JPEG a grey picture.
static void decodes_no_jpeg_without_a_scan(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct made m;
    struct image im;
    const char *why = NULL;
    make(&m, JPEG, 3);
    for (size_t i = 1; i < m.n; i++)
        if (m.byte[i - 1] == 0xFF && m.byte[i] == 0xDA)
            m.byte[i] = 0xD9;
    assert_false(decode(a, m.byte, m.n, 3, &im, &why));
    assert_string_equal(why, "is cut short");
    arena_free(a);
}

// A grey JPEG of baseline Huffman codes, side × side, with one code each for DC and AC: that of DC
// has one bit, that of AC ac_bits, both only zeros, and stand for 15 bits to come and `ac`. Returns
// its length.
static size_t jpeg_of_zeros(uint8_t *to, int side, int ac_bits, int ac, int zeros)
{
    FILE *f = fmemopen(to, 512, "w");
    fwrite("\xFF\xD8\xFF\xDB\x00\x83\x10", 1, 7, f); // quantisation of 16 bits
    for (int i = 0; i < 128; i++)
        fputc(0xFF, f);
    const uint8_t frame[] = {0xFF,      0xC0,       0, 11, 8,    side >> 8, side & 255,
                             side >> 8, side & 255, 1, 1,  0x11, 0};
    fwrite(frame, 1, sizeof frame, f);
    fwrite("\xFF\xC4\x00\x26\x00\x01", 1, 6, f);
    for (int i = 2; i <= 16; i++)
        fputc(0, f);
    fwrite("\x0F\x10", 1, 2, f);
    for (int i = 1; i <= 16; i++)
        fputc(i == ac_bits, f);
    fputc(ac, f);
    fwrite("\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00", 1, 10, f);
    for (int i = 0; i < zeros; i++)
        fputc(0, f);
    fwrite("\xFF\xD9", 1, 2, f);
    const size_t n = (size_t)ftell(f);
    fclose(f);
    return n;
}

// What a sanitizer would tell of: coefficients past 2³¹, alone and in their sum, and bits that run
// out just before the marker.
static void decodes_overflowing_sums(void **state)
{
    (void)state;
    const struct {
        int side, ac_bits, ac, zeros;
    } of[] = {{64, 1, 0, 64}, {4096, 1, 0, 64}, {64, 16, 0x0F, 4}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct arena *a = arena_new(NULL);
        struct image image;
        const char *why = NULL;
        uint8_t byte[512];
        const size_t n = jpeg_of_zeros(byte, of[i].side, of[i].ac_bits, of[i].ac, of[i].zeros);
        const bool good = decode(a, byte, n, 1, &image, &why);
        assert_true(good ? image.width == of[i].side : why && strstr(why, "is damaged"));
        arena_free(a);
    }
}

static void a_photograph_of_49_megapixels_is_decoded(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct image image;
    const char *why = NULL;
    uint8_t byte[512];
    const size_t n = jpeg_of_zeros(byte, 7000, 1, 0, 64);
    assert_true(decode(a, byte, n, 1, &image, &why));
    assert_true(image.width == 7000 && image.height == 7000);
    arena_free(a);
}

// Together they want more than threads may take at a time.
static void large_photographs_wait_for_each_other(void **state)
{
    (void)state;
    int good = 0;
#pragma omp parallel for num_threads(5) reduction(+ : good)
    for (int i = 0; i < 5; i++) {
        struct arena *a = arena_new(NULL);
        struct image image;
        const char *why = NULL;
        uint8_t byte[512];
        const size_t n = jpeg_of_zeros(byte, 6500, 1, 0, 64);
        good += decode(a, byte, n, 1, &image, &why) && image.width == 6500;
        arena_free(a);
    }
    assert_int_equal(good, 5);
}

static void decodes_nothing_huge(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct made m;
    struct image im;
    const char *why = NULL;
    make(&m, BMP, 3);
    memset(m.byte + 18, 0xFF, 2); // 65535 wide
    assert_false(decode(a, m.byte, m.n, 3, &im, &why));
    memcpy(m.byte + 18, "\1\x20\0\0\0\x20\0", 8); // 8193 × 8192
    assert_false(decode(a, m.byte, m.n, 3, &im, &why));
    assert_non_null(strstr(why, "megapixels"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_round_to_bytes),
        cmocka_unit_test(a_grid_lays_pictures_by_rows),
        cmocka_unit_test(a_png_reads_back),
        cmocka_unit_test(what_cannot_be_written_says_why),
        cmocka_unit_test(every_format_is_decoded),
        cmocka_unit_test(decodes_no_damage),
        cmocka_unit_test(decodes_no_empty_beginning),
        cmocka_unit_test(decodes_no_jpeg_without_a_scan),
        cmocka_unit_test(decodes_overflowing_sums),
        cmocka_unit_test(a_photograph_of_49_megapixels_is_decoded),
        cmocka_unit_test(large_photographs_wait_for_each_other),
        cmocka_unit_test(decodes_nothing_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
