// NumPy's files: every type and order read, every damage told.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/npy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct made {
    uint8_t byte[4096];
    size_t n;
};

// A file as numpy.save writes it: the header filled with blanks to a multiple of 64.
static struct made make(const char *header, const void *numbers, size_t n)
{
    struct made m = {"\x93NUMPY\1", 0};
    const size_t text = (10 + strlen(header) + 1 + 63) / 64 * 64 - 10;
    m.byte[8] = (uint8_t)text, m.byte[9] = (uint8_t)(text >> 8);
    memset(m.byte + 10, ' ', text);
    memcpy(m.byte + 10, header, strlen(header));
    m.byte[10 + text - 1] = '\n';
    if (n)
        memcpy(m.byte + 10 + text, numbers, n);
    m.n = 10 + text + n;
    return m;
}

#define HEADER(type, shape) "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }"

static bool parse(struct arena *a, const uint8_t *p, size_t n, struct npy *out, const char **why)
{
    uint8_t *own = malloc(n ? n : 1); // of its own, so that a byte too far is seen
    memcpy(own, p, n);
    arena_defer(a, free, own);
    return npy_parse(a, own, n, out, why);
}

static void every_type_of_number_is_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const uint8_t u1[] = {7, 255};
    const int8_t i1[] = {7, -1};
    const uint16_t u2[] = {7, 65535};
    const int32_t i4[] = {7, -70000};
    const int64_t i8[] = {7, -7000000000};
    const float f4[] = {7, -0.5f};
    const double f8[] = {7, -0.25};
    const struct {
        struct made m;
        double last;
    } of[] = {
        {make(HEADER("|u1", "(2,)"), u1, sizeof u1), 255},
        {make(HEADER("|i1", "(2,)"), i1, sizeof i1), -1},
        {make(HEADER("<u2", "(2,)"), u2, sizeof u2), 65535},
        {make(HEADER("<i4", "(2,)"), i4, sizeof i4), -70000},
        {make(HEADER("<i8", "(2,)"), i8, sizeof i8), -7e9},
        {make(HEADER("<f4", "(1, 2)"), f4, sizeof f4), -0.5},
        {make(HEADER("<f8", "(2, 1, 1)"), f8, sizeof f8), -0.25},
    };
    for (size_t i = 0; i < LENGTH(of); i++) {
        struct npy x;
        const char *why = NULL;
        if (!parse(a, of[i].m.byte, of[i].m.n, &x, &why))
            fail_msg("%zu %s", i, why);
        assert_true(x.count == 2 && npy_number(&x, 0) == 7 && npy_number(&x, 1) == of[i].last);
    }
    arena_free(a);
}

static void refuse(const char *header, size_t n, const char *message)
{
    static const uint8_t numbers[64];
    struct arena *a = arena_new(NULL);
    const struct made m = make(header, numbers, n);
    struct npy x;
    const char *why = NULL;
    assert_false(parse(a, m.byte, m.n, &x, &why));
    if (!strstr(why, message))
        fail_msg("'%s' is told of '%s'", why, header);
    arena_free(a);
}

static void damaged_npy_files_are_refused(void **state)
{
    (void)state;
    refuse(HEADER("<f4", "(3,)"), 8, "is cut short: 8 bytes of numbers where its header claims 12");
    refuse(HEADER("<f4", "(3,)"), 16, "is too long");
    refuse(HEADER(">f4", "(3,)"), 12, "type '>f4'");
    refuse(HEADER("<c8", "(3,)"), 24, "type '<c8'");
    refuse("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4, "Fortran");
    refuse("{'descr': '<f4', 'shape': (1,), }", 4, "damaged header");
    refuse("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4,
           "damaged header");
    refuse("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4,
           "damaged header");
    refuse(HEADER("<f4", "(1, 1, 1, 1, 1)"), 4, "more than 4 dimensions");
    refuse(HEADER("<f4", "(-1,)"), 4, "damaged header");
    refuse(HEADER("<f4", "(1048576, 1048576, 1048576)"), 4, "2^40");
    refuse(HEADER("<f4", "(99999999999999999999999,)"), 4, "damaged header");
    struct arena *a = arena_new(NULL);
    struct npy x;
    const char *why = NULL;
    const float one = 1;
    struct made m = make(HEADER("<f4", "(1,)"), &one, 4);
    for (size_t n = 0; n < m.n; n++) {
        assert_false(parse(a, m.byte, n, &x, &why));
        assert_non_null(why);
    }
    for (size_t i = 0; i < m.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            m.byte[i] ^= (uint8_t)(1 << bit);
            assert_true(parse(a, m.byte, m.n, &x, &why) || why);
            m.byte[i] ^= (uint8_t)(1 << bit);
        }
    arena_free(a);
}

struct here {
    struct arena *arena;
    const char *dir;
    struct diag *diag;
};

static struct here begin(void)
{
    struct here h = {.arena = arena_new(NULL)};
    char *name = arena_strdup(h.arena, "/tmp/ganexp-arrays-XXXXXX");
    assert_non_null(mkdtemp(name));
    h.dir = name;
    return h;
}

static void end(struct here *h)
{
    assert_int_equal(system(arena_printf(h->arena, "rm -r '%s'", h->dir)), 0);
    arena_free(h->arena);
}

static void save(struct here *h, const char *name, struct made m)
{
    FILE *f = fopen(arena_printf(h->arena, "%s/%s.npy", h->dir, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(m.byte, 1, m.n, f), m.n);
    fclose(f);
}

static const char *named(struct here *h, const char *name)
{
    return arena_printf(h->arena, "%s/%s.npy", h->dir, name);
}

static struct dataset *open_arrays(struct here *h, enum split split, const char *images,
                                   const char *labels, const char *more)
{
    struct source *s = NEW(h->arena, struct source);
    const char *beside = labels ? arena_printf(h->arena, ", labels: %s", named(h, labels)) : "";
    *s = (struct source){"test.yaml", arena_printf(h->arena, "{dataset: arrays, images: %s%s%s}",
                                                   named(h, images), beside, more)};
    h->diag = diag_new(h->arena);
    return dataset_open(h->arena, node_parse(h->arena, s, h->diag), split, h->diag);
}

static void expect(struct here *h, struct dataset *s, const char *message)
{
    struct text t;
    text_init(&t);
    diag_text(h->diag, &t);
    if (s || !strstr(t.s, message))
        fail_msg("expected '%s' in\n%s", message, t.s);
    text_release(&t);
}

static void both_orders_of_channels_are_read(void **state)
{
    (void)state;
    struct here h = begin();
    uint8_t u1[12];
    float f4[12], x[6];
    for (int i = 0; i < 12; i++)
        u1[i] = (uint8_t)(20 * i), f4[i] = (float)i;
    int32_t label;
    save(&h, "chw", make(HEADER("|u1", "(2, 3, 1, 2)"), u1, 12));
    struct dataset *s = open_arrays(&h, SPLIT_TRAIN, "chw", NULL, "");
    assert_true(s->count == 2 && s->channels == 3 && s->height == 1 && s->width == 2 &&
                !s->classes);
    s->kind->get(s, 1, x, &label);
    for (int i = 0; i < 6; i++)
        assert_float_equal(x[i], (20 * (6 + i)) / 127.5f - 1, 1e-6);
    save(&h, "hwc", make(HEADER("<f4", "(2, 1, 2, 3)"), f4, 48));
    s = open_arrays(&h, SPLIT_TRAIN, "hwc", NULL, ", axes: hwc");
    assert_true(s->count == 2 && s->channels == 3 && s->height == 1 && s->width == 2);
    s->kind->get(s, 1, x, &label);
    static const float planes[] = {6, 9, 7, 10, 8, 11};
    for (int i = 0; i < 6; i++)
        assert_true(x[i] == planes[i]);
    save(&h, "hw", make(HEADER("<f4", "(2, 3, 2)"), f4, 48));
    s = open_arrays(&h, SPLIT_TRAIN, "hw", NULL, ", axes: hw");
    assert_true(s->count == 2 && s->channels == 1 && s->height == 3 && s->width == 2);
    s->kind->get(s, 1, x, &label);
    for (int i = 0; i < 6; i++)
        assert_true(x[i] == (float)(6 + i));
    end(&h);
}

static void labels_are_read_and_checked(void **state)
{
    (void)state;
    struct here h = begin();
    const uint8_t u1[3] = {1, 2, 3};
    const int64_t y[] = {2, 0, 4}, bad[] = {0, -1, 0};
    int32_t label;
    float x;
    save(&h, "x", make(HEADER("|u1", "(3, 1, 1, 1)"), u1, 3));
    save(&h, "y", make(HEADER("<i8", "(3,)"), y, 24));
    save(&h, "bad", make(HEADER("<i8", "(3,)"), bad, 24));
    save(&h, "few", make(HEADER("<i8", "(2,)"), y, 16));
    struct dataset *s = open_arrays(&h, SPLIT_TRAIN, "x", "y", "");
    assert_int_equal(s->classes, 5);
    s->kind->get(s, 2, &x, &label);
    assert_int_equal(label, 4);
    assert_int_equal(open_arrays(&h, SPLIT_TRAIN, "x", "y", ", classes: 10")->classes, 10);
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "x", "y", ", classes: 4"), "label 2");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "x", "bad", ""), "label 1");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "x", "few", ""), "2 labels");
    expect(&h, open_arrays(&h, SPLIT_TEST, "x", "y", ""), "no test split");
    const char *test = arena_printf(h.arena, ", test_images: %s", named(&h, "x"));
    expect(&h, open_arrays(&h, SPLIT_TEST, "x", "y", test), "the test split has no labels");
    test = arena_printf(h.arena, "%s, test_labels: %s", test, named(&h, "y"));
    assert_int_equal(open_arrays(&h, SPLIT_TEST, "x", "y", test)->count, 3);
    end(&h);
}

static void wrong_arrays_are_named(void **state)
{
    (void)state;
    struct here h = begin();
    const float f4[] = {0, NAN};
    save(&h, "nan", make(HEADER("<f4", "(2, 1, 1, 1)"), f4, 8));
    save(&h, "flat", make(HEADER("<f4", "(1,)"), f4, 4));
    save(&h, "none", make(HEADER("<f4", "(0, 1, 1, 1)"), f4, 0));
    save(&h, "double", make(HEADER("<f8", "(1, 1, 1, 1)"), f4, 8));
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "nan", NULL, ""), "number 1 of");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "flat", NULL, ""), "has 1 dimensions");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "none", NULL, ""), "holds 0 examples");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "double", NULL, ""), "astype");
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "nothing", NULL, ""), "cannot be opened");
    end(&h);
}

static const char *arrays_range(struct here *h, const char *range)
{
    return arena_printf(h->arena, ", range: %s", range);
}

static const char *arrays_test(struct here *h, const char *images, const char *labels)
{
    return arena_printf(h->arena, ", test_images: %s, test_labels: %s", named(h, images),
                        named(h, labels));
}

static int warnings(struct here *h, const char *more)
{
    assert_non_null(open_arrays(h, SPLIT_TRAIN, "x", NULL, more));
    return diag_warnings(h->diag);
}

static void numbers_that_tanh_does_not_reach_are_warned_of(void **state)
{
    (void)state;
    struct here h = begin();
    const struct {
        float x[2];
        const char *range; // that the warning names; NULL: there is none
    } of[] = {{{-1, 1}, NULL},          {{-0.1f, 0.5f}, NULL},  {{0, 1}, "[0, 1]"},
              {{0.2f, 0.9f}, "[0, 1]"}, {{0, 255}, "[0, 255]"}, {{7, 200}, "[0, 255]"},
              {{0, 4000}, "[0, 4000]"}, {{-2, 3}, "[-2, 3]"}};
    for (size_t i = 0; i < LENGTH(of); i++) {
        save(&h, "x", make(HEADER("<f4", "(2, 1, 1, 1)"), of[i].x, 8));
        assert_int_equal(warnings(&h, ""), of[i].range != NULL);
        if (!of[i].range)
            continue;
        expect(&h, NULL, arrays_range(&h, of[i].range) + 2);
        assert_int_equal(warnings(&h, ", range: [-1, 1]"), 0);
        assert_int_equal(warnings(&h, arrays_range(&h, of[i].range)), 0);
    }
    end(&h);
}

static void sixteen_bits_that_hold_twelve_are_warned_of(void **state)
{
    (void)state;
    struct here h = begin();
    const uint16_t dark[] = {0, 4095}, full[] = {0, 65535};
    float x;
    int32_t label;
    save(&h, "x", make(HEADER("<u2", "(2, 1, 1, 1)"), dark, 4));
    assert_int_equal(warnings(&h, ""), 1);
    expect(&h, NULL, "if they hold 12 bits, `range: [0, 4095]`");
    assert_int_equal(warnings(&h, ", range: [0, 65535]"), 0);
    const struct dataset *s = open_arrays(&h, SPLIT_TRAIN, "x", NULL, ", range: [0, 4095]");
    assert_true(s->kind->get(s, 1, &x, &label) && x == 1 && !diag_warnings(h.diag));
    save(&h, "x", make(HEADER("<u2", "(2, 1, 1, 1)"), full, 4));
    assert_int_equal(warnings(&h, ""), 0);
    s = open_arrays(&h, SPLIT_TRAIN, "x", NULL, "");
    assert_true(s->kind->get(s, 0, &x, &label) && x == -1);
    assert_true(s->kind->get(s, 1, &x, &label) && x == 1);
    end(&h);
}

static void a_range_becomes_minus_one_to_one(void **state)
{
    (void)state;
    struct here h = begin();
    const float f4[] = {0, 0.25f, 1};
    const uint8_t u1[] = {10, 20, 30};
    float x;
    int32_t label;
    save(&h, "f", make(HEADER("<f4", "(3, 1, 1, 1)"), f4, 12));
    save(&h, "u", make(HEADER("|u1", "(3, 1, 1, 1)"), u1, 3));
    struct dataset *f = open_arrays(&h, SPLIT_TRAIN, "f", NULL, ", range: [0, 1]"),
                   *u = open_arrays(&h, SPLIT_TRAIN, "u", NULL, ", range: [10, 30]");
    static const float of_f[] = {-1, -0.5f, 1}, of_u[] = {-1, 0, 1};
    for (int i = 0; i < 3; i++) {
        assert_true(f->kind->get(f, i, &x, &label) && x == of_f[i]);
        assert_true(u->kind->get(u, i, &x, &label) && x == of_u[i]);
    }
    assert_string_not_equal(f->fingerprint,
                            open_arrays(&h, SPLIT_TRAIN, "f", NULL, "")->fingerprint);
    end(&h);
}

// Rows of a test split go where rows of the training split's size and classes have room.
static void a_test_split_has_the_shape_of_training(void **state)
{
    (void)state;
    struct here h = begin();
    const uint8_t u1[4] = {1, 2, 3, 4};
    const int64_t y[] = {0, 1}, more[] = {0, 2};
    save(&h, "x", make(HEADER("|u1", "(2, 1, 1, 1)"), u1, 2));
    save(&h, "wide", make(HEADER("|u1", "(2, 1, 1, 2)"), u1, 4));
    save(&h, "y", make(HEADER("<i8", "(2,)"), y, 16));
    save(&h, "more", make(HEADER("<i8", "(2,)"), more, 16));
    const struct {
        const char *images, *labels;
        bool good;
    } of[] = {{"x", "y", true}, {"wide", "y", false}, {"x", "more", false}};
    for (size_t i = 0; i < LENGTH(of); i++) {
        struct dataset *train = open_arrays(&h, SPLIT_TRAIN, "x", "y",
                                            arrays_test(&h, of[i].images, of[i].labels));
        struct dataset *test = dataset_open_split(h.arena, train, SPLIT_TEST, h.diag);
        assert_true(of[i].good == (test != NULL));
        if (!test)
            expect(&h, NULL, "expected one shape, and no class that training does not know");
    }
    end(&h);
}

static void a_mistake_is_drawn_where_the_file_is_named(void **state)
{
    (void)state;
    struct here h = begin();
    const uint8_t u1[2] = {1, 2};
    save(&h, "x", make(HEADER("|u1", "(2, 1, 1, 1)"), u1, 2));
    save(&h, "y", make(HEADER("|u1", "(1,)"), u1, 1));
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "x", "y", ""),
           arena_printf(h.arena, "test.yaml:1:%d:", 37 + (int)strlen(named(&h, "x"))));
    expect(&h, open_arrays(&h, SPLIT_TRAIN, "y", NULL, ""), "test.yaml:1:27:");
    end(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_number_is_read),
        cmocka_unit_test(damaged_npy_files_are_refused),
        cmocka_unit_test(both_orders_of_channels_are_read),
        cmocka_unit_test(labels_are_read_and_checked),
        cmocka_unit_test(wrong_arrays_are_named),
        cmocka_unit_test(numbers_that_tanh_does_not_reach_are_warned_of),
        cmocka_unit_test(sixteen_bits_that_hold_twelve_are_warned_of),
        cmocka_unit_test(a_range_becomes_minus_one_to_one),
        cmocka_unit_test(a_test_split_has_the_shape_of_training),
        cmocka_unit_test(a_mistake_is_drawn_where_the_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
