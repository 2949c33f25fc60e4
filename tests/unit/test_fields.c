// Fields that a data set has beside image, label and index. Those of all data sets that need no file are found here by themselves.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct node *source(struct arena *a, const char *yaml, struct diag *d)
{
    struct source *s = NEW(a, struct source);
    *s = (struct source){"test.yaml", yaml};
    return node_parse(a, s, d);
}

// In range, and a function of the index.
static void check_own_field(const struct dataset *s, int k)
{
    const struct data_field f = dataset_field(s, k);
    const size_t n = (size_t)dataset_field_size(s, k);
    float *x = malloc(sizeof *x * n), *y = malloc(sizeof *x * n);
    bool varies = false;
    assert_true(f.name && (f.classes || f.channels));
    for (int j = 0; j < k; j++)
        assert_string_not_equal(f.name, dataset_field(s, j).name);
    for (int64_t i = 0; i < 100; i++) {
        assert_true(s->kind->get_own(s, i, k - FIELD_OWN, x));
        assert_true(s->kind->get_own(s, (i + 50) % 100, k - FIELD_OWN, y));
        varies |= memcmp(x, y, sizeof *x * n) != 0;
        assert_true(s->kind->get_own(s, i, k - FIELD_OWN, y));
        assert_memory_equal(x, y, sizeof *x * n);
        for (size_t p = 0; p < n; p++)
            assert_true(f.classes ? x[p] >= 0 && x[p] < (float)f.classes && x[p] == floorf(x[p])
                                  : x[p] >= -1 && x[p] <= 1);
    }
    assert_true(varies);
    free(x), free(y);
}

// Where an example of a subset has the picture of one of the whole, it has its field k.
static void check_same_example(const struct dataset *s, const struct dataset *few, int k)
{
    const size_t pixels = (size_t)dataset_field_size(s, FIELD_IMAGE),
                 n = (size_t)dataset_field_size(s, k);
    float *x = malloc(sizeof *x * (pixels + n)), *y = malloc(sizeof *x * (pixels + n));
    float *at_x[FIELDS_MAX] = {x}, *at_y[FIELDS_MAX] = {y};
    int64_t i = 0;
    at_x[k] = x + pixels, at_y[k] = y + pixels;
    assert_true(dataset_get(few, few->count - 1, at_x, NULL));
    do
        assert_true(i < s->count && dataset_get(s, i++, at_y, NULL));
    while (memcmp(x, y, sizeof *x * pixels));
    assert_memory_equal(x, y, sizeof *x * (pixels + n));
    free(x), free(y);
}

// Of data sets that need no file.
static void fields_of_their_own(void **state)
{
    (void)state;
    int n = 0;
    for (int i = 0; dataset_kinds.word[i]; i++) {
        struct arena *a = arena_new(NULL);
        struct diag *d = diag_new(a);
        const char *name = dataset_kinds.word[i]->name;
        const struct dataset *s = dataset_open(a, source(a, name, d), SPLIT_TRAIN, d);
        if (s) {
            const char *yaml = arena_printf(a, "{dataset: %s, per_class: 2}", name);
            const struct dataset *few = dataset_open(a, source(a, yaml, d), SPLIT_TRAIN, d);
            assert_non_null(few);
            assert_int_equal(dataset_fields(few), dataset_fields(s));
            for (int k = FIELD_OWN; k < dataset_fields(s); k++, n++)
                check_own_field(s, k), check_same_example(s, few, k);
        }
        arena_free(a);
    }
    assert_true(n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields_of_their_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
