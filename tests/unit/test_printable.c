// What a terminal would obey is written out; what it would only show stays.
#include "base/arena.h"
#include "base/diag.h"
#include "base/printable.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail // diag's is meant

static void shows(const char *s, const char *as)
{
    struct arena *a = arena_new(NULL);
    assert_string_equal(printable(a, s), as);
    arena_free(a);
}

static void letters_stay(void **state)
{
    (void)state;
    shows("configs/acgan.yaml", "configs/acgan.yaml");
    shows("Grüße, 28 × 28 → 図 😀", "Grüße, 28 × 28 → 図 😀");
    shows("", "");
    shows("a\\x1b", "a\\x1b");
}

static void what_is_obeyed_is_written_out(void **state)
{
    (void)state;
    shows("\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07");
    shows("a\nb\tc\rd\x7f", "a\\x0ab\\x09c\\x0dd\\x7f");
    shows("\xc2\x9b"
          "2J",
          "\\xc2\\x9b2J"); // CSI, of one character
    shows("gnp.\xe2\x80\xae.exe", "gnp.\\xe2\\x80\\xae.exe");
}

static void what_is_no_utf8_is_written_out(void **state)
{
    (void)state;
    shows("caf\xe9", "caf\\xe9");
    shows("\xc3", "\\xc3");
    shows("\xe2\x82", "\\xe2\\x82");
    shows("\xc0\x9b\xed\xa0\x80\xf4\x90\x80\x80\xff",
          "\\xc0\\x9b\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\xff");
}

static void what_is_kept_stays(void **state)
{
    (void)state;
    struct text t;
    text_init(&t);
    text_add_printable(&t, "a\nb\tc\0d", 7, "\n");
    assert_string_equal(t.s, "a\nb\\x09c\\x00d");
    text_release(&t);
}

static void a_caret_stands_under_what_is_shown(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    const struct source source = {"a\033b.yaml", "\033: é\001z!\n"};
    struct text t;
    text_init(&t);
    fail(d, (struct place){&source, 1, 4, 4}, "what is '\033'?\nexpected \a");
    diag_text(d, &t);
    assert_string_equal(t.s, "a\\x1bb.yaml:1:4: error: what is '\\x1b'?\n"
                             "    1 | \\x1b: é\\x01z!\n"
                             "      |       ^~~~~~\n"
                             "      = expected \\x07\n");
    text_release(&t);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_stay),
        cmocka_unit_test(what_is_obeyed_is_written_out),
        cmocka_unit_test(what_is_no_utf8_is_written_out),
        cmocka_unit_test(what_is_kept_stays),
        cmocka_unit_test(a_caret_stands_under_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
