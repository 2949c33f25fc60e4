// The shapes that the program draws: a function of the index, evenly spread, readable.
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PIXELS = 3 * 32 * 32 };

static const struct dataset *open_shapes(struct arena *a, const char *yaml, enum split split)
{
    struct diag *d = diag_new(a);
    struct source *text = NEW(a, struct source);
    *text = (struct source){"test.yaml", yaml};
    const struct dataset *s = dataset_open(a, node_parse(a, text, d), split, d);
    assert_non_null(s);
    return s;
}

static void a_function_of_index(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_shapes(a, "shapes", SPLIT_TRAIN),
                         *hue = open_shapes(a, "{dataset: shapes, label: colour}", SPLIT_TRAIN),
                         *test = open_shapes(a, "shapes", SPLIT_TEST);
    assert_true(s->channels == 3 && s->height == 32 && s->width == 32 && s->classes == 8);
    assert_string_not_equal(s->fingerprint, hue->fingerprint);
    assert_string_not_equal(s->fingerprint, test->fingerprint);
    assert_string_equal(s->class_name[3], "star");
    assert_string_equal(hue->class_name[0], "red");
    float x[PIXELS], y[PIXELS];
    int32_t label, other;
    for (int64_t i = 0; i < 200; i++) {
        const int64_t index = i * 211 % 60000;
        s->kind->get(s, index, x, &label);
        hue->kind->get(hue, 59999 - index, y, &other);
        hue->kind->get(hue, index, y, &other);
        assert_memory_equal(x, y, sizeof x); // the label says which, the picture is the same
        test->kind->get(test, index, y, &other);
        assert_memory_not_equal(x, y, sizeof x);
        for (int k = 0; k < PIXELS; k++)
            assert_true(x[k] >= -1 && x[k] <= 1);
    }
    arena_free(a);
}

static void every_shape_in_every_colour(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_shapes(a, "{dataset: shapes, size: 16}", SPLIT_TEST),
                         *hue = open_shapes(a, "{dataset: shapes, size: 16, label: colour}",
                                            SPLIT_TEST);
    float x[3 * 16 * 16];
    int32_t shape, colour;
    for (int block = 0; block < 5; block++) {
        bool seen[64] = {false};
        for (int i = 0; i < 64; i++) {
            s->kind->get(s, 64 * block + i, x, &shape);
            hue->kind->get(hue, 64 * block + i, x, &colour);
            assert_false(seen[shape * 8 + colour]);
            seen[shape * 8 + colour] = true;
        }
    }
    arena_free(a);
}

static void any_size_shows_the_same(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *small = open_shapes(a, "{dataset: shapes, size: 16}", SPLIT_TRAIN),
                         *large = open_shapes(a, "{dataset: shapes, size: 128}", SPLIT_TRAIN);
    float *x = NEW_ARRAY(a, float, 3 * 16 * 16), *y = NEW_ARRAY(a, float, 3 * 128 * 128);
    int32_t label, same;
    for (int i = 0; i < 20; i++) {
        small->kind->get(small, i, x, &label);
        large->kind->get(large, i, y, &same);
        assert_int_equal(label, same);
        double a_mean = 0, b_mean = 0;
        for (int k = 0; k < 3 * 16 * 16; k++)
            a_mean += x[k] / (3 * 16 * 16);
        for (int k = 0; k < 3 * 128 * 128; k++)
            b_mean += y[k] / (3 * 128 * 128);
        assert_true(fabs(a_mean - b_mean) < 0.03);
    }
    arena_free(a);
}

// The colour in the middle of the figure's own pixels tells the hue: whoever knows the mean colour
// of the most vivid pixels of each class names most pictures.
static void vivid(const float *x, float *mean)
{
    float most = 0;
    for (int k = 0; k < 1024; k++) {
        const float r = x[k], g = x[1024 + k], b = x[2048 + k];
        const float v = fmaxf(r, fmaxf(g, b)) - fminf(r, fminf(g, b));
        if (v > most)
            most = v, mean[0] = r, mean[1] = g, mean[2] = b;
    }
}

static void colours_can_be_named(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_shapes(a, "{dataset: shapes, label: colour}", SPLIT_TRAIN);
    float x[PIXELS], sum[8][3] = {{0}}, own[3] = {0};
    int32_t label;
    int right = 0;
    for (int i = 0; i < 640; i++) {
        s->kind->get(s, i, x, &label);
        vivid(x, own);
        for (int c = 0; c < 3; c++)
            sum[label][c] += own[c] / 80;
    }
    for (int i = 640; i < 1280; i++) {
        s->kind->get(s, i, x, &label);
        vivid(x, own);
        int best = 0;
        float least = INFINITY;
        for (int k = 0; k < 8; k++) {
            float d = 0;
            for (int c = 0; c < 3; c++)
                d += (sum[k][c] - own[c]) * (sum[k][c] - own[c]);
            if (d < least)
                least = d, best = k;
        }
        right += best == label;
    }
    if (right < 640 * 95 / 100)
        fail_msg("%d of 640 named", right);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_of_index),
        cmocka_unit_test(every_shape_in_every_colour),
        cmocka_unit_test(any_size_shows_the_same),
        cmocka_unit_test(colours_can_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
