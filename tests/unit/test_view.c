// What people and programs are shown: tables to the letter, JSON that is JSON whatever the numbers,
// progress lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "view/progress.h"
#include "view/table.h"
#include "view/terminal.h"

static int setup(void **state)
{
    *state = arena_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static struct table *example(struct arena *a)
{
    struct table *t = table_new(a, "runs");
    table_column(t, "run");
    table_column(t, "name");
    table_column(t, "step");
    table_column(t, "fid");
    table_text(t, "k3v9x0qa");
    table_text(t, "acgan");
    table_int(t, 14000);
    table_real(t, 9.123456789);
    table_text(t, "0zzzzzzz");
    table_text(t, "wasserstein-with-a-long-name");
    table_int(t, 7);
    table_null(t);
    return t;
}

static void drawn(const struct table *t, int width, const char *expected)
{
    struct text out;
    text_init(&out);
    table_draw_text(t, &out, width);
    assert_string_equal(out.s, expected);
    text_release(&out);
}

static void columns_are_aligned(void **state)
{
    drawn(example(*state), 0,
          "run       name                           step     fid\n"
          "k3v9x0qa  acgan                         14000  9.1235\n"
          "0zzzzzzz  wasserstein-with-a-long-name      7       -\n");
}

static void a_narrow_table_cuts_texts_only(void **state)
{
    drawn(example(*state), 40,
          "run       name              step     fid\n"
          "k3v9x0qa  acgan            14000  9.1235\n"
          "0zzzzzzz  wasserstein-wit      7       -\n");
}

static void numbers_have_five_digits(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } number[] = {
        {0, "0"},     {0.000123456, "0.00012346"}, {14.25, "14.25"},   {123456789, "1.2346e+08"},
        {NAN, "nan"}, {INFINITY, "inf"},           {-INFINITY, "-inf"}};
    for (size_t i = 0; i < LENGTH(number); i++) {
        struct text out;
        text_init(&out);
        cell_text(&(struct cell){.type = CELL_REAL, .real = number[i].x}, &out);
        assert_string_equal(out.s, number[i].text);
        text_release(&out);
    }
}

static char *file_text(FILE *f)
{
    static char s[65536];
    rewind(f);
    s[fread(s, 1, sizeof s - 1, f)] = '\0';
    fclose(f);
    return s;
}

static void json_is_exact_and_escaped(void **state)
{
    struct table *t = table_new(*state, "odd \"things\"");
    table_column(t, "x");
    table_column(t, "s");
    const double x[] = {0.1, 22.123, 1e300, NAN, INFINITY, -INFINITY, 5};
    for (size_t i = 0; i < LENGTH(x); i++) {
        table_real(t, x[i]);
        table_text(t, i % 2 ? "a\n\"b\"\\ é" : "\xff");
    }
    FILE *f = tmpfile();
    const struct table *const both[] = {t, example(*state)};
    tables_json(both, 2, f);
    const char *s = file_text(f);
    assert_null(strstr(s, "nan"));
    assert_null(strstr(s, "22.12299"));
    json_t *j = json_loads(s, JSON_DECODE_INT_AS_REAL, NULL);
    assert_non_null(j);
    const json_t *rows = json_object_get(j, "odd \"things\"");
    assert_int_equal(json_array_size(rows), LENGTH(x));
    for (size_t i = 0; i < LENGTH(x); i++) {
        const json_t *cell = json_object_get(json_array_get(rows, i), "x");
        assert_true(isfinite(x[i]) ? json_real_value(cell) == x[i] : json_is_null(cell));
    }
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "s")),
                        "a\n\"b\"\\ é");
    assert_int_equal(json_array_size(json_object_get(j, "runs")), 2);
    json_decref(j);
}

static void an_empty_table_is_an_empty_list(void **state)
{
    struct table *t = table_new(*state, "none");
    table_column(t, "x");
    FILE *f = tmpfile();
    tables_json((const struct table *const *)&t, 1, f);
    assert_string_equal(file_text(f), "{\"schema\": 1,\n \"none\": []}\n");
    assert_int_equal(table_rows(t), 0);
}

static void a_row_is_drawn_as_fields(void **state)
{
    FILE *f = tmpfile();
    table_draw_fields(example(*state), f);
    assert_string_equal(file_text(f), "run   k3v9x0qa\nname  acgan\nstep  14000\nfid   9.1235\n");
}

// Not a terminal: whole lines, no escapes.
static void progress_to_a_file_is_plain_lines(void **state)
{
    FILE *f = tmpfile();
    struct progress *p = progress_new(*state, f, 200, 100);
    static const char *const name[] = {"loss/d", "loss/g"};
    progress_update(p, 101, name, (double[]){1, 2}, 2);
    progress_note(p, "step %d: fid %.1f", 150, 9.5);
    progress_update(p, 200, name, (double[]){0.5, NAN}, 2);
    progress_end(p);
    progress_end(p);
    assert_false(terminal_has_colour(f));
    assert_int_equal(terminal_width(f), 0);
    const char *s = file_text(f);
    assert_null(strchr(s, '\033'));
    assert_null(strchr(s, '\r'));
    assert_string_equal(s, "step 150: fid 9.5\n100% 200/200  loss/d 0.5  loss/g nan\n");
}

static void progress_waits_between_lines(void **state)
{
    FILE *f = tmpfile();
    struct progress *p = progress_new(*state, f, 0, 0);
    progress_every(p, 0);
    assert_true(progress_due(p));
    progress_update(p, 1, NULL, NULL, 0);
    progress_update(p, 2, NULL, NULL, 0);
    assert_string_equal(file_text(f), "step 1\nstep 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(a_narrow_table_cuts_texts_only),
        cmocka_unit_test(numbers_have_five_digits),
        cmocka_unit_test(json_is_exact_and_escaped),
        cmocka_unit_test(an_empty_table_is_an_empty_list),
        cmocka_unit_test(a_row_is_drawn_as_fields),
        cmocka_unit_test(progress_to_a_file_is_plain_lines),
        cmocka_unit_test(progress_waits_between_lines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
