// What grids show: test pictures in order, columns that change one thing, rows of several
// expressions.
#include "train/grid.h"
#include "support/experiment.h"

#include <unistd.h>

static const char coded[] =
    "name: coded\n"
    "data: {real: {dataset: digits, size: 8, batch: 4}}\n"
    "noise: {c: {one_hot: 3}, u: {uniform: 2}}\n"
    "networks:\n"
    "  generator:\n"
    "    inputs: {c: c, u: u}\n"
    "    layers: [concat: {with: u, of: c}, dense: 64, reshape: [1, 8, 8], tanh]\n"
    "  encoder: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 5]}\n"
    "  decoder: {inputs: {z: 5}, layers: [dense: 64, reshape: [1, 8, 8]]}\n"
    "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 1]}\n"
    "games: [{critic: critic, real: real.image, fake: 'generator(c, u)', loss: log}]\n"
    "terms: [{mse: {x: decoder(encoder(real.image)), y: real.image}, for: [encoder, decoder]}]\n"
    "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator, update: "
    "[encoder, decoder]]}\n";

static void columns_name_a_noise_and_its_element(void **state)
{
    (void)state;
    struct fixture f = READ(coded, "samples: {grid: [4, 6], columns: [c, u.1]}\n");
    assert_int_equal(f.e->samples.n_by, 2);
    assert_string_equal(f.e->samples.by[1].noise->name, "u");
    assert_int_equal(f.e->samples.by[1].element, 1);
    arena_free(f.arena);
}

static void grids_read_the_test_split(void **state)
{
    (void)state;
    float image[64];
    int32_t label;
    struct fixture f = READ(coded);
    struct sampler *s = sampler_new(f.arena, f.e, f.slab, 3, "decoder(encoder(real.image))", false,
                                    f.diag);
    assert_non_null(s);
    assert_true(sampler_data(s, SPLIT_TEST, 0, f.diag));
    struct dataset *test = dataset_open(f.arena, f.e->data[0].node, SPLIT_TEST, f.diag);
    for (int i = 0; i < 3; i++) {
        assert_true(test->kind->get(test, i, image, &label));
        assert_memory_equal(sampler_input(s, "real.image") + 64 * i, image, sizeof image);
    }
    // from any number on, and over again at the end
    assert_true(sampler_data(s, SPLIT_TEST, test->count - 1, f.diag));
    for (int i = 0; i < 3; i++) {
        assert_true(test->kind->get(test, i ? i - 1 : test->count - 1, image, &label));
        assert_memory_equal(sampler_input(s, "real.image") + 64 * i, image, sizeof image);
    }
    arena_free(f.arena);
}

// A layer that draws, draws anew for each draw of noise, and the same again for the same.
static void layers_that_draw_repeat_with_the_draw(void **state)
{
    (void)state;
    float first[64 * 8];
    struct fixture f = READ(
        "name: drawn\n"
        "data: {real: {dataset: digits, size: 8, batch: 4}}\n"
        "noise: {z: {normal: 3}}\n"
        "networks:\n"
        "  generator: {inputs: {z: 3}, layers: [{dense: 64, as: x}, gaussian: x, reshape: [1, 8, "
        "8]]}\n"
        "  critic: {inputs: {image: [1, 8, 8]}, layers: [flatten, dense: 1]}\n"
        "games: [{critic: critic, real: real.image, fake: generator(z), loss: log}]\n"
        "train: {steps: 1, optimizer: adam, iteration: [update: critic, update: generator]}\n");
    struct sampler *s = sampler_new(f.arena, f.e, f.slab, 8, "generator(z * 0)", false, f.diag);
    assert_non_null(s);
    sampler_noise(s, 1, 0);
    memcpy(first, sampler_draw(s), sizeof first);
    sampler_noise(s, 1, 1);
    assert_memory_not_equal(sampler_draw(s), first, sizeof first);
    sampler_noise(s, 1, 0);
    assert_memory_equal(sampler_draw(s), first, sizeof first);
    arena_free(f.arena);
}

// 2 rows of 6 from three expressions make a picture of 6 rows: 8 pixels each and 2 between.
static void expressions_take_turns_by_rows(void **state)
{
    (void)state;
    unsigned char start[24];
    struct fixture f = READ(
        coded, "samples: {grid: [2, 6], columns: u.0, of: ['generator(c, u)', real.image, "
               "decoder(encoder(real.image))]}\n");
    struct grid *g = grid_new(f.arena, f.e, f.slab, f.diag);
    const char *path = arena_printf(f.arena, "/tmp/test_grid.%d.png", (int)getpid());
    assert_non_null(g);
    assert_true(grid_write(g, path, f.arena));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(start, 1, sizeof start, file), sizeof start);
    fclose(file);
    unlink(path);
    assert_int_equal(start[18] << 8 | start[19], 6 * 10 + 2);
    assert_int_equal(start[22] << 8 | start[23], 6 * 10 + 2);
    arena_free(f.arena);
}

// Scores look at what `evaluate: of:` says, not the first row of the pictures.
static void scores_look_at_evaluate_of(void **state)
{
    (void)state;
    struct fixture f = READ(coded,
                            "samples: {of: [real.image, 'generator(c, u)']}\n"
                            "evaluate: {scores: [inception_score], of: 'generator(c, u)'}\n");
    struct sampler *s = sampler_new(f.arena, f.e, f.slab, 3, NULL, false, f.diag);
    assert_non_null(s);
    assert_null(sampler_input(s, "real.image"));
    assert_non_null(sampler_input(s, "u"));
    arena_free(f.arena);
}

static void pictures_of_two_sizes_are_refused(void **state)
{
    (void)state;
    struct text said;
    struct fixture f = READ(coded, "samples: {of: [real.image, 'resize(real.image, 4)']}\n");
    assert_null(grid_new(f.arena, f.e, f.slab, f.diag));
    text_init(&said);
    diag_text(f.diag, &said);
    assert_non_null(strstr(said.s, "another shape"));
    text_release(&said);
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_name_a_noise_and_its_element),
        cmocka_unit_test(grids_read_the_test_split),
        cmocka_unit_test(layers_that_draw_repeat_with_the_draw),
        cmocka_unit_test(expressions_take_turns_by_rows),
        cmocka_unit_test(scores_look_at_evaluate_of),
        cmocka_unit_test(pictures_of_two_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
