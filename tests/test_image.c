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

static void bytes(void **state)
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

static void grid(void **state)
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

static void png(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const char *dir = folder(a), *path = arena_printf(a, "%s/x.png", dir);
    round_trip(a, path, 1);
    round_trip(a, path, 3);  // replaces
    assert_int_equal(files_in(dir), 1);
    unlink(path);
    rmdir(dir);
    arena_free(a);
}

static void png_errors(void **state)
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
    assert_int_equal(files_in(dir), 1);  // the temporary file is gone
    rmdir(path);
    rmdir(dir);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),
        cmocka_unit_test(grid),
        cmocka_unit_test(png),
        cmocka_unit_test(png_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
