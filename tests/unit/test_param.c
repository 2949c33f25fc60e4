// Parameter tables, scalars by type, words.
#include "config/param.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct diag *diag;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(NULL);
    diag = diag_new(arena);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

struct conv {
    int64_t filters;
    struct ints kernel;
    double slope;
    bool bias;
    const char *name;
    int padding;
    double every;
    const struct node *init;
    int64_t any;
};

static const char *const paddings[] = {"same", "valid", "reflect", NULL};

static const struct param table[] = {
    {"filters", PARAM_INT, offsetof(struct conv, filters), NULL, 1, 4096, NULL, "output channels"},
    {"kernel", PARAM_INTS, offsetof(struct conv, kernel), "3", 1, 99, NULL, "height and width"},
    {"slope", PARAM_FLOAT, offsetof(struct conv, slope), "5%", 0, 1, NULL, "of the negative side"},
    {"bias", PARAM_BOOL, offsetof(struct conv, bias), "true", .help = "add a bias"},
    {"name", PARAM_TEXT, offsetof(struct conv, name), "", .help = "for messages"},
    {"padding", PARAM_WORD, offsetof(struct conv, padding), "same", .words = paddings,
     .help = "rule"},
    {"every", PARAM_DURATION, offsetof(struct conv, every), "1h30m", 0, 1e15, .help = "how often"},
    {"init", PARAM_NODE, offsetof(struct conv, init), "", .help = "of the weights"},
    {"any", PARAM_INT, offsetof(struct conv, any), "0", .min = 0, .max = 1e15, .help = "count"},
    PARAM_END};

static struct node *parse(const char *text)
{
    struct source *source = NEW(arena, struct source);
    *source = (struct source){"test.yaml", text};
    struct node *node = node_parse(arena, source, diag);
    assert_non_null(node);
    return node;
}

static bool read_conv(const char *text, struct conv *out)
{
    *out = (struct conv){0};
    const struct node *node = parse(text);
    return param_read(table, node, node->where, "layer 'conv2d'", out, arena, diag);
}

static struct conv good(const char *text)
{
    struct conv c;
    const bool read = read_conv(text, &c);
    if (!read)
        diag_print(diag, stderr);
    assert_true(read);
    return c;
}

static void refuses(const char *text, const char *message)
{
    struct conv c;
    diag_clear(diag);
    assert_false(read_conv(text, &c));
    struct text all;
    text_init(&all);
    diag_text(diag, &all);
    if (!strstr(all.s, message))
        print_error("expected '%s' in:\n%s", message, all.s);
    assert_non_null(strstr(all.s, message));
    text_release(&all);
}

static void defaults_are_taken(void **state)
{
    (void)state;
    const struct conv c = good("filters: 64");
    assert_int_equal(c.filters, 64);
    assert_int_equal(c.kernel.n, 1);
    assert_int_equal(c.kernel.v[0], 3);
    assert_true(c.slope == 0.05);
    assert_true(c.bias);
    assert_null(c.name);
    assert_int_equal(c.padding, 0);
    assert_true(c.every == 5400);
    assert_null(c.init);
    assert_int_equal(good("{filters: 1, kernel: }").kernel.v[0], 3);
}

static void every_type_is_read(void **state)
{
    (void)state;
    const struct conv c = good(
        "filters: 2k\nkernel: [5, 9]\nslope: 1e-1\nbias: false\nname: \"x: y\"\n"
        "padding: reflect\nevery: 45s\ninit: {normal: 0.02}\nany: 12M");
    assert_int_equal(c.filters, 2000);
    assert_int_equal(c.kernel.v[1], 9);
    assert_true(c.slope == 0.1);
    assert_false(c.bias);
    assert_string_equal(c.name, "x: y");
    assert_int_equal(c.padding, 2);
    assert_true(c.every == 45);
    assert_string_equal(node_get(c.init, "normal")->text, "0.02");
    assert_int_equal(c.any, 12000000);
}

static void one_value_is_the_first_parameter(void **state)
{
    (void)state;
    assert_int_equal(good("128").filters, 128);
    const struct conv c = good("{filters: 1, kernel: '5, 9'}");
    assert_int_equal(c.kernel.n, 2);
    assert_int_equal(c.kernel.v[1], 9);
    static const struct param kernel_first[] = {
        {"kernel", PARAM_INTS, offsetof(struct conv, kernel), NULL, 1, 99}, PARAM_END};
    struct conv k = {0};
    assert_true(
        param_read(kernel_first, parse("[1, 28, 28]"), (struct place){0}, "x", &k, arena, diag));
    assert_int_equal(k.kernel.n, 3);
}

static void missing_and_unknown_parameters_are_named(void **state)
{
    (void)state;
    refuses("kernel: 3", "layer 'conv2d' needs 'filters'");
    refuses("kernel: 3", "filters: whole number from 1 to 4096; output channels");
    refuses("~", "layer 'conv2d' needs 'filters'");
    refuses("{filters: 1, kernal: 3}", "has no parameter 'kernal'");
    refuses("{filters: 1, kernal: 3}", "did you mean 'kernel'?");
    refuses("{filters: 1, qqqqqq: 3}", "expected one of filters, kernel, slope");
    static const struct param none[] = {PARAM_END};
    diag_clear(diag);
    assert_false(
        param_read(none, parse("3"), (struct place){0}, "layer 'relu'", NULL, arena, diag));
    assert_false(
        param_read(none, parse("a: 3"), (struct place){0}, "layer 'relu'", NULL, arena, diag));
    assert_true(param_read(none, NULL, (struct place){0}, "layer 'relu'", NULL, arena, diag));
}

static void wrong_values_say_what_was_expected(void **state)
{
    (void)state;
    refuses("many", "'filters' of layer 'conv2d' is 'many'");
    refuses("many", "expected a whole number from 1 to 4096");
    refuses("0", "expected a whole number from 1 to 4096");
    refuses("4097", "expected a whole number from 1 to 4096");
    refuses("1.5", "'1.5': not whole");
    refuses("99999999999999999999", "too large");
    refuses("9e18k", "too large");
    refuses("50%", "expected a whole number");
    refuses("[1, 2]", "is a list\n");
    refuses("{filters: {a: 1}}", "is a map\n");
    refuses("{filters: 1, kernel: [1, x]}", "is 'x'");
    refuses("{filters: 1, kernel: [1, x]}", "test.yaml:1:26");
    refuses("{filters: 1, kernel: [1, 2, 3, 4, 5, 6, 7, 8, 9]}", "expected at most 8");
    refuses("{filters: 1, slope: nan}", "expected a number from 0 to 1");
    refuses("{filters: 1, slope: inf}", "expected a number from 0 to 1");
    refuses("{filters: 1, slope: 1e999}", "too large");
    refuses("{filters: 1, slope: 0x1}", "expected a number");
    refuses("{filters: 1, slope: -5%}", "from 0 to 1");
    refuses("{filters: 1, bias: on}", "write 'true'");
    refuses("{filters: 1, bias: No}", "write 'false'");
    refuses("{filters: 1, bias: maybe}", "expected true or false");
    refuses("{filters: 1, padding: Same}", "did you mean 'same'?");
    refuses("{filters: 1, padding: circular}", "unknown padding 'circular'");
    refuses("{filters: 1, every: 30}", "expected a duration such as 45s");
    refuses("{filters: 1, every: 30m1h}", "expected a duration");
    refuses("{filters: 1, any: -1}", "expected a whole number of at least 0");
}

static void all_mistakes_come_in_one_go(void **state)
{
    (void)state;
    struct conv c;
    assert_false(read_conv("{filters: x, slope: y, foo: 1, bias: z}", &c));
    assert_int_equal(diag_errors(diag), 4);
}

static bool reads(const char *text, double expected)
{
    double x;
    return scalar_float(parse(text), "x", -1e10, 1e10, &x, diag) && x == expected;
}

static void numbers_have_units(void **state)
{
    (void)state;
    assert_true(reads("1_000", 1000) && reads("1.1k", 1100) && reads("2M", 2e6) &&
                reads("3G", 3e9));
    assert_true(reads("-.5", -0.5) && reads("5.", 5) && reads("+1e-4", 1e-4) && reads("7%", 0.07));
    static const char *const wrong[] = {"1__0",     "_1",  "1_",    "k",   "1kk", "1 k",  ".",
                                        "-",        "e5",  "1e",    "1e+", "--1", "0x10", "1,5",
                                        "infinity", "NaN", "1e5.5", "1K",  "5.e"};
    for (size_t i = 0; i < LENGTH(wrong); i++) {
        double x;
        assert_false(scalar_float(parse(wrong[i]), "x", -1e10, 1e10, &x, diag));
    }
    int64_t i = 0;
    assert_true(scalar_int(parse("9223372036854775807"), "i", INT64_MIN, INT64_MAX, &i, diag) &&
                i == INT64_MAX);
    assert_false(scalar_int(parse("9223372036854775808"), "i", INT64_MIN, INT64_MAX, &i, diag));
    assert_true(scalar_int(parse("1e3"), "i", INT64_MIN, INT64_MAX, &i, diag) && i == 1000);
}

static void words_with_and_without_parameters(void **state)
{
    (void)state;
    static const struct param beside[] = {{"as", PARAM_TEXT}, {"of", PARAM_TEXT}, PARAM_END};
    struct word_call w;
    assert_true(word_read(parse("relu"), beside, "layer", &w, diag));
    assert_string_equal(w.name, "relu");
    assert_null(w.params);
    assert_true(
        word_read(parse("{of: x, conv2d: {filters: 1}, as: c}"), beside, "layer", &w, diag));
    assert_string_equal(w.name, "conv2d");
    assert_int_equal(w.where.col, 9);
    assert_string_equal(node_get(w.params, "filters")->text, "1");
    assert_true(word_read(parse("conv2d:"), NULL, "layer", &w, diag));
    assert_null(w.params);
    assert_false(word_read(parse("{conv2d: , filters: 64}"), beside, "layer", &w, diag));
    assert_false(word_read(parse("{as: c}"), beside, "layer", &w, diag));
    assert_false(word_read(parse("[relu]"), beside, "layer", &w, diag));
    assert_false(word_read(parse("~"), beside, "layer", &w, diag));
    assert_int_equal(diag_errors(diag), 4);
}

static void unknown_words_have_neighbours(void **state)
{
    (void)state;
    static const char *const known[] = {"conv2d", "dense", "relu"};
    struct text t;
    text_init(&t);
    fail_unknown(diag, parse("conv2D")->where, "layer", "conv2D", known, 3);
    fail_unknown(diag, parse("xyzzy")->where, "optimizer", "xyzzy", known, 3);
    diag_text(diag, &t);
    assert_non_null(strstr(t.s, "unknown layer 'conv2D'"));
    assert_non_null(strstr(t.s, "expected a layer; did you mean 'conv2d'?"));
    assert_non_null(strstr(t.s, "expected an optimizer: conv2d dense relu"));
    text_release(&t);
}

static void help_is_a_line_a_parameter(void **state)
{
    (void)state;
    struct text t;
    text_init(&t);
    param_help(table, &t);
    assert_non_null(
        strstr(t.s, "filters  whole number from 1 to 4096, required  output channels\n"));
    assert_non_null(strstr(t.s, "padding  same | valid | reflect, default same   rule\n"));
    assert_non_null(strstr(t.s, "name     text                                   for messages\n"));
    text_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_taken, begin, end),
        cmocka_unit_test_setup_teardown(every_type_is_read, begin, end),
        cmocka_unit_test_setup_teardown(one_value_is_the_first_parameter, begin, end),
        cmocka_unit_test_setup_teardown(missing_and_unknown_parameters_are_named, begin, end),
        cmocka_unit_test_setup_teardown(wrong_values_say_what_was_expected, begin, end),
        cmocka_unit_test_setup_teardown(all_mistakes_come_in_one_go, begin, end),
        cmocka_unit_test_setup_teardown(numbers_have_units, begin, end),
        cmocka_unit_test_setup_teardown(words_with_and_without_parameters, begin, end),
        cmocka_unit_test_setup_teardown(unknown_words_have_neighbours, begin, end),
        cmocka_unit_test_setup_teardown(help_is_a_line_a_parameter, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
