// Expressions: trees, places in the user's text, canonical texts, mistakes.
#include "config/expression.h"

#include "base/arena.h"
#include "base/text.h"

#include <setjmp.h>
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

// The expression of a document, or of its key x.
static struct expression *parse(const char *text)
{
    struct source *source = NEW(arena, struct source);
    *source = (struct source){"test.yaml", arena_strdup(arena, text)};
    const struct node *root = node_parse(arena, source, diag);
    assert_non_null(root);
    return expression_parse(arena, root->kind == NODE_MAP ? node_get(root, "x") : root, diag);
}

static const char *written(const struct expression *e)
{
    struct text t;
    text_init(&t);
    expression_text(e, &t);
    const char *copy = arena_strdup(arena, t.s);
    text_release(&t);
    return copy;
}

static void assert_text(const char *text, const char *canonical)
{
    const struct expression *e = parse(text);
    if (!e)
        diag_print(diag, stderr);
    assert_non_null(e);
    assert_string_equal(written(e), canonical);
    const struct expression *again = parse(canonical);
    assert_non_null(again);
    assert_string_equal(written(again), canonical);
}

static void texts_are_canonical(void **state)
{
    (void)state;
    assert_text("z", "z");
    assert_text("real.image", "real.image");
    assert_text("generator( z,y )", "generator(z, y)");
    assert_text("discriminator(fake).class", "discriminator(fake).class");
    assert_text("f(x, label = y.z)", "f(x, label=y.z)");
    assert_text("f()", "f()");
    assert_text("1_000*a", "1000 * a");
    assert_text("a+b*c", "a + b * c");
    assert_text("(a+b)*c", "(a + b) * c");
    assert_text("a-(b-c)-d", "a - (b - c) - d");
    assert_text("a/(b*c)", "a / (b * c)");
    assert_text("((a))", "a");
    assert_text("-x * 2", "(0 - x) * 2");
    assert_text("a - -2", "a - -2");
    assert_text("-0.5 * a", "-0.5 * a");
    assert_text("(a + b).field", "(a + b).field");
    assert_text("where(hole, 0, real.image)", "where(hole, 0, real.image)");
    assert_text("2e-4", "0.0002");
    assert_text("2M * 1e-7", "2000000 * 1e-07");
}

static void the_tree_is_as_documented(void **state)
{
    (void)state;
    const struct expression *e = parse("discriminator(generator(z, label=y)).class - 0.5");
    assert_int_equal(e->kind, EXPR_BINARY);
    assert_int_equal(e->op, '-');
    const struct expression *field = e->arg[0], *call = field->arg[0], *inner = call->arg[0];
    assert_int_equal(field->kind, EXPR_FIELD);
    assert_string_equal(field->name, "class");
    assert_int_equal(call->kind, EXPR_CALL);
    assert_string_equal(call->name, "discriminator");
    assert_int_equal(inner->n_arg, 2);
    assert_null(inner->arg_name[0]);
    assert_string_equal(inner->arg_name[1], "label");
    assert_int_equal(inner->arg[1]->kind, EXPR_NAME);
    assert_true(e->arg[1]->number == 0.5);
}

static void assert_place(const struct expression *e, int line, int col, int length)
{
    assert_int_equal(e->where.line, line);
    assert_int_equal(e->where.col, col);
    assert_int_equal(e->where.length, length);
}

static void places_point_into_the_file(void **state)
{
    (void)state;
    const struct expression *e = parse("a: 1\nx: f(über) # no\n");
    assert_null(e); // names are ASCII
    diag_clear(diag);
    e = parse("a: 1\nx: gen(z, y).out + 2\n");
    assert_place(e, 2, 18, 1);
    assert_place(e->arg[0], 2, 14, 3);
    assert_place(e->arg[0]->arg[0], 2, 4, 3);
    assert_place(e->arg[0]->arg[0]->arg[1], 2, 11, 1);
    assert_place(e->arg[1], 2, 20, 1);
    assert_place(parse("x: \"f(z)\"")->arg[0], 1, 7, 1);
    assert_place(parse("x: \"f(\\x7a)\"")->arg[0], 1, 4, 9);
    assert_place(parse("{x: f(a, b), y: 1}")->arg[1], 1, 10, 1);
    assert_place(parse("x:\n  f(a,\n  b)")->arg[1], 2, 3, 4);
}

static void refuses(const char *text, const char *message)
{
    struct text all;
    text_init(&all);
    diag_clear(diag);
    assert_null(parse(text));
    diag_text(diag, &all);
    if (!strstr(all.s, message))
        print_error("expected '%s' in:\n%s", message, all.s);
    assert_non_null(strstr(all.s, message));
    text_release(&all);
}

static void mistakes_have_columns(void **state)
{
    (void)state;
    refuses("x: f(a", "test.yaml:1:5: error: '(' is not closed");
    refuses("x: a b", "test.yaml:1:6: error: unexpected 'b'");
    refuses("x: a )", "unexpected ')'\n");
    refuses("x: f(a,)", "test.yaml:1:8: error: unexpected ')'");
    refuses("x: a.", "expected the name of a field");
    refuses("x: a.1", "expected the name of a field");
    refuses("x: a +", "the expression ends here");
    refuses("x: 3d", "'3d' is no number");
    refuses("x: a ^ 2", "unexpected '^'");
    refuses("x: f(a=1, b)", "an argument by position follows");
    refuses("x: f(a=1,", "test.yaml:1:10: error: an argument by position follows");
    refuses("x: f(a=1, a=2)", "'a' is given twice");
    refuses("x: a = b", "arguments are named inside a call");
    refuses("x: a × b", "unexpected '×'");
    refuses("x: [a, b]", "a list instead of an expression");
    refuses("x:", "nothing instead of an expression");
    refuses("x: ''", "the expression ends here");
}

static const char *repeated(const char *part, int times)
{
    char *text = arena_alloc(arena, strlen(part) * (size_t)times + 8);
    strcpy(text, "x: ");
    for (int i = 0; i < times; i++)
        strcat(text, part);
    return text;
}

static void size_and_depth_are_limited(void **state)
{
    (void)state;
    refuses(repeated("(", 100), "nested more than 64 deep");
    refuses(repeated("f(", 100), "nested more than 64 deep");
    refuses(repeated("(", 64), "nested more than 64 deep"); // at the end of the text
    refuses(arena_printf(arena, "x: a%s", repeated(" - ", 100) + 3), "nested more than 64 deep");
    refuses(arena_printf(arena, "%sa", repeated("a+", 600)), "more than 1000 parts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_are_canonical, begin, end),
        cmocka_unit_test_setup_teardown(the_tree_is_as_documented, begin, end),
        cmocka_unit_test_setup_teardown(places_point_into_the_file, begin, end),
        cmocka_unit_test_setup_teardown(mistakes_have_columns, begin, end),
        cmocka_unit_test_setup_teardown(size_and_depth_are_limited, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
