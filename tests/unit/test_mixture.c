// Points: where the modes are, how wide, how many of each.
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct dataset *open_points(struct arena *a, const char *yaml, enum split split)
{
    struct diag *d = diag_new(a);
    struct source *text = NEW(a, struct source);
    *text = (struct source){"test.yaml", yaml};
    const struct dataset *s = dataset_open(a, node_parse(a, text, d), split, d);
    assert_non_null(s);
    assert_true(s->channels == 2 && s->height == 1 && s->width == 1);
    return s;
}

// The mean of label k's points is its mode, their deviation that of the mixture.
static void check_mode(const struct dataset *s, int k, double x, double y, double deviation)
{
    enum { N = 1000 };
    double sum[2] = {0}, square = 0;
    for (int64_t i = 0; i < N; i++) {
        float p[2];
        int32_t label;
        assert_true(s->kind->get(s, i * s->classes + k, p, &label));
        assert_int_equal(label, k);
        sum[0] += p[0], sum[1] += p[1];
        square += (p[0] - x) * (p[0] - x) + (p[1] - y) * (p[1] - y);
    }
    assert_true(fabs(sum[0] / N - x) < deviation / 6 && fabs(sum[1] / N - y) < deviation / 6);
    assert_true(fabs(sqrt(square / (2 * N)) / deviation - 1) < 0.1);
}

static void ring_has_its_modes_on_a_circle(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_points(a, "ring", SPLIT_TRAIN),
                         *other = open_points(a, "{dataset: ring, n: 3, radius: 2, deviation: 0.1}",
                                              SPLIT_TEST);
    assert_int_equal(s->classes, 8);
    for (int k = 0; k < 8; k++)
        check_mode(s, k, cos(k * M_PI / 4), sin(k * M_PI / 4), 0.02);
    check_mode(other, 1, -1, sqrt(3), 0.1);
    arena_free(a);
}

static void grid_has_its_modes_on_a_lattice(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_points(a, "grid", SPLIT_TRAIN),
                         *other = open_points(a, "{dataset: grid, side: 2, spacing: 4}",
                                              SPLIT_TRAIN);
    assert_int_equal(s->classes, 25);
    for (int k = 0; k < 25; k += 4)
        check_mode(s, k, k % 5 - 2, k / 5 - 2, 0.05);
    check_mode(other, 1, 2, -2, 0.05);
    arena_free(a);
}

static void a_function_of_split_and_index(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_points(a, "ring", SPLIT_TRAIN),
                         *same = open_points(a, "ring", SPLIT_TRAIN),
                         *test = open_points(a, "ring", SPLIT_TEST),
                         *wide = open_points(a, "{dataset: ring, deviation: 0.03}", SPLIT_TRAIN);
    float x[2], y[2];
    int32_t label;
    s->kind->get(s, 77, x, &label), same->kind->get(same, 76, y, &label),
        same->kind->get(same, 77, y, &label);
    assert_memory_equal(x, y, sizeof x);
    test->kind->get(test, 77, y, &label);
    assert_true(x[0] != y[0] && x[1] != y[1]);
    assert_string_equal(s->fingerprint, same->fingerprint);
    assert_string_not_equal(s->fingerprint, test->fingerprint);
    assert_string_not_equal(s->fingerprint, wide->fingerprint);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_has_its_modes_on_a_circle),
        cmocka_unit_test(grid_has_its_modes_on_a_lattice),
        cmocka_unit_test(a_function_of_split_and_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
