// Points are where they belong, in the colour of their class; what lies outside is on the edge.
#include "base/image.h"
#include "train/scatter.h"
#include "support/experiment.h"

#include <unistd.h>

static const char points[] =
    "name: points\n"
    "data: {real: {dataset: ring, n: 4, batch: 8}}\n"
    "noise: {z: {normal: 3}}\n"
    "networks:\n"
    "  generator: {inputs: {z: 3}, layers: [dense: 2]}\n"
    "  critic: {inputs: {x: 2}, layers: [dense: 1]}\n"
    "games: [{critic: critic, real: real.point, fake: generator(z), loss: log}]\n"
    "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator]}\n";

static struct image draw(struct fixture *f)
{
    struct scatter *s = scatter_new(f->arena, f->e, f->slab, f->diag);
    const char *path = arena_printf(f->arena, "/tmp/test_scatter.%d.png", (int)getpid()), *why;
    uint8_t *byte = NEW_ARRAY(f->arena, uint8_t, 1 << 20);
    struct image image;
    assert_non_null(s);
    assert_true(scatter_write(s, path, f->arena, f->diag));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(byte, 1, 1 << 20, file);
    fclose(file);
    unlink(path);
    assert_true(image_decode(f->arena, byte, n, &(struct image_wish){.channels = 3}, &image,
                             &(struct image_facts){0}, &why));
    return image;
}

// Modes are 1 away from the middle, and a side of the picture is 3 and the spread of the points.
static const uint8_t *around(const struct image *is, float x, float y)
{
    const float scale = (float)is->width / 3.1f;
    const int column = is->width / 2 + (int)(x * scale), row = is->height / 2 - (int)(y * scale);
    const uint8_t *best = is->pixel;
    int least = 3 * 255;
    for (int i = -4; i <= 4; i++)
        for (int j = -4; j <= 4; j++) {
            const uint8_t *p = is->pixel + 3 * ((row + i) * is->width + column + j);
            if (p[0] + p[1] + p[2] < least)
                least = p[0] + p[1] + p[2], best = p;
        }
    return best;
}

static void classes_have_colours(void **state)
{
    (void)state;
    struct fixture f = READ(points, "samples: {scatter: real.point}\n");
    const struct image is = draw(&f);
    const uint8_t *right = around(&is, 1, 0), *left = around(&is, -1, 0),
                  *empty = around(&is, 0.7f, 0.7f);
    assert_true(right[0] > right[1] + 100 && right[0] > right[2] + 100); // class 0: red
    assert_true(left[1] > left[0] + 100 && left[2] > left[0] + 100);     // class 2: opposite
    assert_true(empty[0] == 255 && empty[1] == 255 && empty[2] == 255);
    arena_free(f.arena);
}

static void later_layers_lie_above_and_edges_hold_strays(void **state)
{
    (void)state;
    struct fixture f = READ(points, "samples: {scatter: [real.point, real.point * 0 + 100]}\n");
    const struct image is = draw(&f);
    const uint8_t *beneath = around(&is, 0, 1), *corner = is.pixel + 3 * (is.width + is.width - 2);
    assert_true(beneath[0] < 250 && beneath[0] == beneath[1] && beneath[1] == beneath[2]);
    assert_true(corner[0] < 250 && !(corner[0] == corner[1] && corner[1] == corner[2]));
    arena_free(f.arena);
}

static void a_picture_is_the_same_twice(void **state)
{
    (void)state;
    struct fixture f = READ(points, "samples: {scatter: [real.point, generator(z)]}\n");
    const struct image a = draw(&f), b = draw(&f);
    assert_memory_equal(a.pixel, b.pixel, 3 * (size_t)(a.width * a.height));
    arena_free(f.arena);
}

// No points, no picture, no error.
static void three_numbers_are_no_points(void **state)
{
    (void)state;
    struct fixture f = READ(points, "samples: {scatter: [z, real.point]}\n");
    assert_null(scatter_new(f.arena, f.e, f.slab, f.diag));
    assert_int_equal(diag_errors(f.diag), 0);
    struct fixture none = READ(points);
    assert_null(scatter_new(none.arena, none.e, none.slab, none.diag));
    arena_free(f.arena);
    arena_free(none.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_colours),
        cmocka_unit_test(later_layers_lie_above_and_edges_hold_strays),
        cmocka_unit_test(a_picture_is_the_same_twice),
        cmocka_unit_test(three_numbers_are_no_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
