// Every tests/bad/*.yaml (but syntax_*, which test_bad_syntax reads) says on each wrong line, in a
// comment `# error: TEXT`, what must be reported there. All other lines of the file must go
// unreported.
#include "base/arena.h"
#include "base/text.h"
#include "program/program.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static char *slurp(struct arena *a, const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = arena_alloc(a, 1 << 16);
    assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
    fclose(f);
    return text;
}

// All that is reported for a line: the messages and what they expect, without the lines drawn
// between.
static const char *reported(struct arena *a, const char *all, const char *path, int line)
{
    const char *head = arena_printf(a, "%s:%d:", path, line), *found = "";
    bool inside = false;
    for (const char *p = all; *p; p += strcspn(p, "\n"), p += *p == '\n') {
        if (*p != ' ')
            inside = !strncmp(p, head, strlen(head));
        if (inside && (*p != ' ' || !strncmp(p, "      = ", 8)))
            found = arena_printf(a, "%s%.*s\n", found, (int)strcspn(p, "\n"), p);
    }
    return found;
}

static bool check_line(struct arena *a, const char *all, const char *path, int n, const char *line)
{
    const char *mark = strstr(line, "# error: ");
    const char *got = reported(a, all, path, n);
    const char *wanted = mark ? mark + strlen("# error: ") : "";
    if (mark ? strstr(got, wanted) != NULL : !strstr(got, ": error: "))
        return true;
    print_error("%s:%d: wanted '%s', reported:\n%s\n", path, n, wanted, all);
    return false;
}

static bool check_file(const char *path)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct text all;
    text_init(&all);
    const struct config *config = config_load(a, path, NULL, 0, d);
    bool good = true, marked = false;
    if (config && experiment_read(a, config, d)) {
        print_error("%s: nothing was reported\n", path);
        good = false;
    }
    diag_text(d, &all);
    char *rest = slurp(a, path);
    for (int n = 1; rest; n++) {
        const char *line = strsep(&rest, "\n");
        good &= check_line(a, all.s, path, n, line);
        marked |= strstr(line, "# error: ") != NULL;
    }
    text_release(&all);
    arena_free(a);
    return good && marked;
}

static void wrong_configs_are_reported_as_their_files_say(void **state)
{
    (void)state;
    glob_t files;
    int wrong = 0;
    assert_int_equal(glob("tests/bad/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        if (!strstr(files.gl_pathv[i], "/syntax_"))
            wrong += !check_file(files.gl_pathv[i]);
    globfree(&files);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_configs_are_reported_as_their_files_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
