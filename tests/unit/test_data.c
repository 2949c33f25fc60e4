// Sources, the digits that the program draws, and the order in which a loader gives examples.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "data/digits.h"
#include "data/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct node *source(struct arena *a, const char *yaml, struct diag *d)
{
    struct source *s = NEW(a, struct source);
    *s = (struct source){"test.yaml", yaml};
    const struct node *n = node_parse(a, s, d);
    assert_non_null(n);
    return n;
}

static struct dataset *open_digits(struct arena *a, const char *yaml, enum split split)
{
    struct diag *d = diag_new(a);
    struct dataset *s = dataset_open(a, source(a, yaml, d), split, d);
    assert_non_null(s);
    assert_int_equal(diag_errors(d), 0);
    return s;
}

static void expect_error(const char *yaml, const char *message, const char *expectation)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct source_options o;
    const struct node *n = source(a, yaml, d);
    assert_false(source_options_read(n, &o, d));
    assert_null(dataset_open(a, n, SPLIT_TRAIN, d));
    assert_int_equal(diag_errors(d), 2);
    struct text t;
    text_init(&t);
    diag_text(d, &t);
    if (!strstr(t.s, message) || !strstr(t.s, expectation))
        fail_msg("expected '%s' and '%s' in\n%s", message, expectation, t.s);
    text_release(&t);
    arena_free(a);
}

static void every_data_set_can_be_named(void **state)
{
    (void)state;
    for (int i = 0; dataset_kinds.word[i]; i++) {
        const struct dataset_kind *k = (const struct dataset_kind *)dataset_kinds.word[i];
        assert_true(k->word.name && k->word.help && k->open && k->get);
        assert_ptr_equal(dataset_kind(k->word.name), k);
    }
    assert_non_null(dataset_kind("digits"));
    assert_non_null(dataset_kind("mnist"));
    assert_non_null(dataset_kind("fashion_mnist"));
    assert_null(dataset_kind("nothing"));
}

static void options_of_sources_are_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct source_options o;
    assert_true(source_options_read(source(a, "{dataset: digits}", d), &o, d));
    assert_ptr_equal(o.kind, dataset_kind("digits"));
    assert_true(o.batch == 64 && o.split == SPLIT_TRAIN && o.sampling == SAMPLING_SHUFFLE);
    assert_true(source_options_read(
        source(a, "{dataset: digits, size: 32, sampling: replace, split: test, batch: 7}", d), &o,
        d));
    assert_true(o.batch == 7 && o.split == SPLIT_TEST && o.sampling == SAMPLING_REPLACE);
    assert_true(source_options_read(source(a, "digits", d), &o, d));
    assert_int_equal(diag_errors(d), 0);
    arena_free(a);
}

static void wrong_sources_are_named(void **state)
{
    (void)state;
    expect_error("{batch: 3}", "a source without a data set", "digits");
    expect_error("[digits, mnist]", "a source without a data set", "digits");
    expect_error("{dataset: digit}", "data set 'digit'", "'digits'");
    expect_error("{dataset: digits, bach: 3}", "bach", "batch");
    expect_error("{dataset: digits, sise: 3}", "sise", "size");
    expect_error("{dataset: digits, batch: 0}", "batch", "1");
    expect_error("{dataset: digits, batch: 65537}", "batch", "65536");
    expect_error("{dataset: digits, size: 7}", "size", "8");
    expect_error("{dataset: digits, split: tset}", "tset", "test");
}

static void glyphs_are_well_formed(void **state)
{
    (void)state;
    for (int digit = 0; digit < 10; digit++) {
        assert_true(digits[digit].n >= 4);
        for (int i = 0; i < digits[digit].n; i++) {
            const struct glyph *g = &digits[digit].glyph[i];
            assert_true(g->often > 0 && g->n >= 2 && g->n <= DIGIT_MARKS_MAX);
            assert_int_equal(g->mark[0].pen, PEN_DOWN);
            for (int k = 1; k < g->n; k++)
                assert_true(g->mark[k].x != g->mark[k - 1].x || g->mark[k].y != g->mark[k - 1].y);
        }
    }
}

static void digits_are_a_function_of_index(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_digits(a, "digits", SPLIT_TRAIN),
                         *again = open_digits(a, "{dataset: digits, batch: 3}", SPLIT_TRAIN);
    assert_true(s->channels == 1 && s->height == 28 && s->width == 28 && s->classes == 10 &&
                s->count == 60000);
    assert_string_equal(s->fingerprint, again->fingerprint);
    assert_int_equal(strlen(s->fingerprint), 64);
    float x[784], y[784];
    int32_t label, other;
    for (int64_t i = 0; i < 300; i++) {
        const int64_t index = i * 211 % 60000;
        assert_true(s->kind->get(s, index, x, &label));
        again->kind->get(again, 59999 - index, y, &other);
        again->kind->get(again, index, y, &other);
        assert_int_equal(label, other);
        assert_memory_equal(x, y, sizeof x);
    }
    arena_free(a);
}

// By several threads, as a batch is made, the second time from what was kept.
static void digits_stay_what_they_are(void **state)
{
    (void)state;
    enum { DRAWN = 500, SIDE = 12 };
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_digits(a, "{dataset: digits, size: 12}", SPLIT_TRAIN);
    float *first = NEW_ARRAY(a, float, DRAWN *SIDE *SIDE);
    for (int round = 0; round < 2; round++) {
        int wrong = 0;
#pragma omp parallel for reduction(+ : wrong)
        for (int i = 0; i < DRAWN; i++) {
            float image[SIDE * SIDE], *drawn = first + i * SIDE * SIDE;
            int32_t label;
            wrong += !s->kind->get(s, i / 2, image, &label);
            if (round)
                wrong += memcmp(drawn, image, sizeof image) != 0;
            else
                memcpy(drawn, image, sizeof image);
        }
        assert_int_equal(wrong, 0);
    }
    arena_free(a);
}

static void per_class_takes_the_first_of_each(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const char *yaml = "{dataset: digits, per_class: 3}";
    const struct dataset *s = open_digits(a, yaml, SPLIT_TRAIN),
                         *all = open_digits(a, "digits", SPLIT_TRAIN);
    int seen[10] = {0};
    float x[784], y[784];
    int32_t label, other;
    assert_int_equal(s->count, 30);
    assert_string_not_equal(s->fingerprint, all->fingerprint);
    for (int64_t i = 0; i < 30; i++) { // ten examples in a row hold every digit once
        assert_true(s->kind->get(s, i, x, &label) && all->kind->get(all, i, y, &other));
        assert_memory_equal(x, y, sizeof x);
        seen[label]++;
    }
    for (int k = 0; k < 10; k++)
        assert_int_equal(seen[k], 3);
    assert_int_equal(open_digits(a, yaml, SPLIT_TEST)->count, 10000);
    arena_free(a);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t hash(const float *x, int n)
{
    uint64_t h = 14695981039346656037u;
    for (int i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        h = (h ^ bits) * 1099511628211u;
    }
    return h;
}

static void splits_share_no_example(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct arena *a = arena_new(NULL);
    const struct dataset *s[2] = {open_digits(a, "digits", SPLIT_TRAIN),
                                  open_digits(a, "digits", SPLIT_TEST)};
    assert_string_not_equal(s[0]->fingerprint, s[1]->fingerprint);
    assert_int_equal(s[1]->count, 10000);
    uint64_t *seen = NEW_ARRAY(a, uint64_t, 2 * N);
    float x[784];
    int32_t label;
    for (int i = 0; i < 2 * N; i++) {
        s[i / N]->kind->get(s[i / N], i % N, x, &label);
        seen[i] = hash(x, 784);
    }
    qsort(seen, 2 * N, sizeof *seen, by_value);
    for (int i = 1; i < 2 * N; i++)
        assert_true(seen[i] != seen[i - 1]);
    arena_free(a);
}

static void every_label_is_there(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_digits(a, "{dataset: digits, size: 8}", SPLIT_TEST);
    float x[64];
    int32_t label;
    int first[10] = {0};
    for (int ten = 0; ten < 100; ten++) {
        int seen = 0;
        for (int i = 0; i < 10; i++) {
            s->kind->get(s, 10 * ten + i, x, &label);
            seen |= 1 << label;
            first[label] += i == 0;
        }
        assert_int_equal(seen, 1023);
    }
    for (int i = 0; i < 10; i++)
        assert_true(first[i] > 0); // in no fixed order
    arena_free(a);
}

// MNIST's train images: 19.1 % of pixels inked, mean 0.1307, balanced at the middle.
static void digits_have_mnist_measures(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_digits(a, "digits", SPLIT_TRAIN);
    double inked = 0, sum = 0, row = 0, col = 0;
    float x[784];
    int32_t label;
    for (int i = 0; i < 1000; i++) {
        s->kind->get(s, i, x, &label);
        for (int k = 0; k < 784; k++) {
            assert_true(x[k] >= -1 && x[k] <= 1);
            const double v = (x[k] + 1) / 2;
            inked += v > 0.002, sum += v, row += v * (k / 28 + 0.5), col += v * (k % 28 + 0.5);
        }
        for (int k = 0; k < 28; k++)
            assert_true(x[k] < 0.5f && x[784 - 28 + k] < 0.5f);
    }
    assert_true(fabs(inked / 784000 - 0.191) < 0.015);
    assert_true(fabs(sum / 784000 - 0.1307) < 0.01);
    assert_true(fabs(row / sum - 14) < 0.2 && fabs(col / sum - 14) < 0.2);
    arena_free(a);
}

static void digits_come_in_any_size(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset *s = open_digits(a, "digits", SPLIT_TRAIN);
    float *x = NEW_ARRAY(a, float, 256 * 256);
    for (int size = 8; size <= 256; size = size * 3 / 2 + 1) {
        const struct dataset *other = open_digits(
            a, arena_printf(a, "{dataset: digits, size: %d}", size), SPLIT_TRAIN);
        assert_true(other->height == size && other->width == size);
        for (int i = 0; i < 30; i++) {
            int32_t label, same;
            s->kind->get(s, i, x, &same);
            other->kind->get(other, i, x, &label);
            assert_int_equal(label, same);
            double ink = 0;
            for (int k = 0; k < size * size; k++)
                ink += (x[k] + 1) / 2 / (size * size);
            assert_true(ink > 0.02 && ink < 0.4);
        }
    }
    arena_free(a);
}

static int nearest(const float *known, const int32_t *label, int n, const float *x)
{
    int best = 0;
    float least = INFINITY;
    for (int i = 0; i < n; i++) {
        float d = 0;
        for (int k = 0; k < 784; k++)
            d += (known[i * 784 + k] - x[k]) * (known[i * 784 + k] - x[k]);
        if (d < least)
            best = i, least = d;
    }
    return label[best];
}

// Whoever knows 2000 digits reads others: the ways of writing a digit resemble each other more than
// other digits.
static void digits_can_be_read(void **state)
{
    (void)state;
    enum { KNOWN = 2000, ASKED = 200 };
    struct arena *a = arena_new(NULL);
    const struct dataset *train = open_digits(a, "digits", SPLIT_TRAIN),
                         *test = open_digits(a, "digits", SPLIT_TEST);
    float *known = NEW_ARRAY(a, float, KNOWN * 784), x[784];
    int32_t *label = NEW_ARRAY(a, int32_t, KNOWN), truth;
    for (int i = 0; i < KNOWN; i++)
        train->kind->get(train, i, known + i * 784, &label[i]);
    int right = 0;
    for (int i = 0; i < ASKED; i++) {
        test->kind->get(test, i, x, &truth);
        right += nearest(known, label, KNOWN, x) == truth;
    }
    if (right < ASKED * 9 / 10)
        fail_msg("%d of %d read", right, ASKED);
    arena_free(a);
}

// A data set whose examples are their own numbers; example 13 of the `damaged` one cannot be read.
static bool number_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    image[0] = image[1] = (float)index;
    *label = (int32_t)(index % 7);
    return !(s->state && index == 13);
}

static const struct dataset_kind number_kind = {.word = {.name = "numbers"}, .get = number_get};

static struct dataset numbers(int64_t count)
{
    return (struct dataset){
        .kind = &number_kind, .channels = 2, .height = 1, .width = 1, .count = count, .classes = 7};
}

enum { BATCH_MAX = 1000 };

// The next batch of at most BATCH_MAX examples of two numbers.
struct drawn {
    float image[2 * BATCH_MAX], label[BATCH_MAX], index[BATCH_MAX];
};

static bool try_next(struct loader *l, struct drawn *b, const char **error)
{
    return loader_next(l, (struct batch){{b->image, b->label, b->index}}, error);
}

static void next(struct loader *l, struct drawn *b)
{
    const char *error = NULL;
    assert_true(try_next(l, b, &error));
}

static void an_epoch_has_each_example_once(int64_t count, int64_t batch)
{
    enum { EPOCHS = 5 };
    struct arena *a = arena_new(NULL);
    const struct dataset s = numbers(count);
    struct loader *l = loader_new(a, &s, batch, SAMPLING_SHUFFLE, 3, 0, 0);
    int *seen = NEW_ARRAY(a, int, count);
    struct drawn b;
    for (int64_t position = 0; position < EPOCHS * count; position++) {
        if (position % batch == 0)
            next(l, &b);
        const int64_t index = (int64_t)b.index[position % batch];
        assert_true(index >= 0 && index < count);
        assert_int_equal(++seen[index], position / count + 1);
    }
    arena_free(a);
}

static void an_epoch_has_each_example_once_or_nearly(void **state)
{
    (void)state;
    an_epoch_has_each_example_once(60, 20);
    an_epoch_has_each_example_once(61, 20);
    an_epoch_has_each_example_once(7, 64);
    an_epoch_has_each_example_once(1, 5);
    an_epoch_has_each_example_once(1000, 1);
}

static void a_batch_holds_what_it_says(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset s = numbers(100);
    struct loader *l = loader_new(a, &s, 32, SAMPLING_SHUFFLE, 3, 0, 0);
    struct drawn b;
    for (int k = 0; k < 20; k++) {
        assert_int_equal(loader_position(l), k);
        next(l, &b);
        for (int i = 0; i < 32; i++) {
            assert_true(b.image[2 * i] == b.index[i] && b.image[2 * i + 1] == b.index[i]);
            assert_int_equal((int)b.label[i], (int)b.index[i] % 7);
        }
    }
    arena_free(a);
}

static void what_is_not_wanted_changes_nothing(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct dataset s = numbers(100);
    struct loader *l = loader_new(a, &s, 32, SAMPLING_SHUFFLE, 3, 0, 0),
                  *other = loader_new(a, &s, 32, SAMPLING_SHUFFLE, 3, 0, 0);
    struct drawn b, c;
    const char *error = NULL;
    for (int k = 0; k < 20; k++) {
        next(l, &b);
        const struct batch some = {{k % 2 ? c.image : NULL, k % 3 ? c.label : NULL, c.index}};
        assert_true(loader_next(other, some, &error));
        assert_memory_equal(b.index, c.index, 32 * sizeof(float));
        assert_true(!some.field[FIELD_IMAGE] || !memcmp(b.image, c.image, 64 * sizeof(float)));
        assert_true(!some.field[FIELD_LABEL] || !memcmp(b.label, c.label, 32 * sizeof(float)));
    }
    arena_free(a);
}

static void a_resumed_loader_goes_on(void **state)
{
    (void)state;
    for (int sampling = 0; sampling < 2; sampling++) {
        struct arena *a = arena_new(NULL);
        const struct dataset s = numbers(50);
        struct loader *l = loader_new(a, &s, 16, (enum sampling)sampling, 9, 1, 0);
        for (int k = 0; k < 30; k++) {
            struct arena *child = arena_new(a);
            struct drawn b, same;
            next(l, &b);
            next(loader_new(child, &s, 16, (enum sampling)sampling, 9, 1, k), &same);
            assert_memory_equal(b.index, same.index, 16 * sizeof(float));
            assert_memory_equal(b.image, same.image, 32 * sizeof(float));
            assert_memory_equal(b.label, same.label, 16 * sizeof(float));
            arena_free(child);
        }
        arena_free(a);
    }
}

static int differing(const struct dataset *s, uint64_t seed, uint64_t stream)
{
    struct arena *a = arena_new(NULL);
    struct drawn b, c;
    next(loader_new(a, s, 500, SAMPLING_SHUFFLE, 5, 0, 0), &b);
    next(loader_new(a, s, 500, SAMPLING_SHUFFLE, seed, stream, 0), &c);
    int n = 0;
    for (int i = 0; i < 500; i++)
        n += b.index[i] != c.index[i];
    arena_free(a);
    return n;
}

static void seeds_and_streams_differ(void **state)
{
    (void)state;
    const struct dataset s = numbers(1000);
    assert_int_equal(differing(&s, 5, 0), 0);
    assert_true(differing(&s, 6, 0) > 480);
    assert_true(differing(&s, 5, 1) > 480);
    assert_true(differing(&s, 0, 5) > 480);
}

static void replacement_is_uniform(void **state)
{
    (void)state;
    enum { COUNT = 20, DRAWS = 20000 };
    struct arena *a = arena_new(NULL);
    const struct dataset s = numbers(COUNT);
    struct loader *l = loader_new(a, &s, 1000, SAMPLING_REPLACE, 1, 0, 0);
    double chi2 = 0;
    int seen[COUNT] = {0};
    for (int k = 0; k < DRAWS / 1000; k++) {
        struct drawn b;
        next(l, &b);
        for (int i = 0; i < 1000; i++)
            seen[(int)b.index[i]]++;
    }
    for (int i = 0; i < COUNT; i++)
        chi2 += pow(seen[i] - DRAWS / COUNT, 2) / (DRAWS / COUNT);
    assert_true(chi2 < 43.8); // 19 degrees of freedom, 0.1 %
    arena_free(a);
}

static void a_damaged_example_is_told(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct dataset s = numbers(50);
    s.state = &s;
    struct loader *l = loader_new(a, &s, 10, SAMPLING_SHUFFLE, 3, 0, 0);
    const char *error = NULL;
    struct drawn b;
    int good = 0;
    while (try_next(l, &b, &error))
        good++;
    assert_true(good < 5);
    assert_int_equal(loader_position(l), good);
    assert_string_equal(error, "example 13 of data set 'numbers' is damaged");
    assert_false(try_next(l, &b, &error));
    assert_int_equal(loader_position(l), good);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_data_set_can_be_named),
        cmocka_unit_test(options_of_sources_are_read),
        cmocka_unit_test(wrong_sources_are_named),
        cmocka_unit_test(glyphs_are_well_formed),
        cmocka_unit_test(digits_are_a_function_of_index),
        cmocka_unit_test(digits_stay_what_they_are),
        cmocka_unit_test(per_class_takes_the_first_of_each),
        cmocka_unit_test(splits_share_no_example),
        cmocka_unit_test(every_label_is_there),
        cmocka_unit_test(digits_have_mnist_measures),
        cmocka_unit_test(digits_come_in_any_size),
        cmocka_unit_test(digits_can_be_read),
        cmocka_unit_test(an_epoch_has_each_example_once_or_nearly),
        cmocka_unit_test(a_batch_holds_what_it_says),
        cmocka_unit_test(what_is_not_wanted_changes_nothing),
        cmocka_unit_test(a_resumed_loader_goes_on),
        cmocka_unit_test(seeds_and_streams_differ),
        cmocka_unit_test(replacement_is_uniform),
        cmocka_unit_test(a_damaged_example_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
