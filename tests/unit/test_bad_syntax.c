// Every tests/bad/syntax_*.yaml says on each wrong line, in a comment `# error: TEXT`, what must be
// reported there: an error at that line whose message has TEXT in it. An error on any other line is
// a mistake of ours.
#include "config/node.h"

#include "base/arena.h"
#include "base/text.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char *slurp(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = arena_alloc(a, 1 << 16);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

// The text between the '# error: ' of a line and its end; NULL without.
static const char *expectation(struct arena *a, const char *line)
{
    const char *mark = strstr(line, "# error: ");
    if (!mark || mark > line + strcspn(line, "\n"))
        return NULL;
    mark += strlen("# error: ");
    return arena_strndup(a, mark, strcspn(mark, "\n"));
}

// The messages of diag_text that begin with "path:line:", without the drawn source lines.
static const char *reported(struct arena *a, const char *all, const char *path, int line)
{
    const char *head = arena_printf(a, "%s:%d:", path, line);
    const char *found = "";
    bool inside = false;
    for (const char *p = all; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        const bool message = *p != ' ';
        if (message)
            inside = !strncmp(p, head, strlen(head));
        if (inside && (message || !strncmp(p, "      = ", 8)))
            found = arena_printf(a, "%s%.*s\n", found, (int)strcspn(p, "\n"), p);
    }
    return found;
}

static int check_line(struct arena *a, const char *all, const char *path, int n, const char *line)
{
    const char *expected = expectation(a, line);
    const char *got = reported(a, all, path, n);
    if (!expected && !*got)
        return 0;
    if (expected && strstr(got, expected))
        return 0;
    print_error("%s:%d: expected '%s'; reported: %s\n", path, n, expected ? expected : "nothing",
                *got ? got : all);
    return 1;
}

static int check_file(const char *path)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct text all;
    text_init(&all);
    assert_null(config_load(a, path, NULL, 0, d));
    diag_text(d, &all);
    int wrong = 0, n = 1, expected = 0;
    for (const char *line = slurp(a, path); line && *line; n++) {
        wrong += check_line(a, all.s, path, n, line);
        expected += expectation(a, line) != NULL;
        line = strchr(line, '\n');
        line += line != NULL;
    }
    text_release(&all);
    arena_free(a);
    assert_true(expected > 0);
    return wrong;
}

static void bad_files_are_reported_where_they_are_wrong(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("tests/bad/syntax_*.yaml", 0, NULL, &files), 0);
    int wrong = 0;
    for (size_t i = 0; i < files.gl_pathc; i++)
        wrong += check_file(files.gl_pathv[i]);
    globfree(&files);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_reported_where_they_are_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
