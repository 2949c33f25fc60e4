// Every tests/bad/warnings/*.yaml is well formed, and says on each line that is warned of, in a comment `# warning: TEXT`, what. The
// warning's name is the file's, up to a second one of its kind. All other lines go without.
#include "base/arena.h"
#include "base/text.h"
#include "lang/silence.h"
#include "program/program.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

// A config with its warnings; override NULL: as it stands.
static struct diag *warned(struct arena *a, const char *path, const char *override, bool strict)
{
    struct diag *d = diag_new(a);
    if (strict)
        diag_warnings_are_errors(d);
    const struct config *config = config_load(a, path, &override, override != NULL, d);
    struct experiment *e = config ? experiment_read(a, config, d) : NULL;
    if (e)
        warnings_look(e, d);
    return d;
}

static const struct diag_message *message_at(const struct diag *d, int line, const char *text)
{
    int n;
    const struct diag_message *m = diag_messages(d, &n);
    for (int i = 0; i < n; i++)
        if (m[i].where.line == line && (!text || strstr(m[i].text, text)))
            return &m[i];
    return NULL;
}

// Which warning the file is about.
static const char *subject(const char *path)
{
    const char *stem = strrchr(path, '/') + 1;
    const char *best = NULL;
    for (int i = 0; i < WARNINGS; i++)
        if (!strncmp(stem, warning_name(i), strlen(warning_name(i))))
            best = warning_name(i);
    assert_non_null(best);
    return best;
}

static int marked_lines(struct arena *a, const char *path, const struct diag *d)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    int marked = 0;
    assert_non_null(f);
    for (int n = 1; fgets(line, sizeof line, f); n++) {
        const char *mark = strstr(line, "# warning: ");
        const char *text = mark ? arena_strndup(a, mark + 11, strcspn(mark + 11, "\n")) : NULL;
        const struct diag_message *m = message_at(d, n, text);
        if (!mark != !m)
            print_error("%s:%d: wanted '%s'\n", path, n, text ? text : "nothing");
        assert_true(!mark == !m);
        if (m) {
            assert_false(m->error);
            assert_string_equal(m->warning, subject(path));
            assert_non_null(strchr(m->text, '\n')); // what ends it
        }
        marked += m != NULL;
    }
    fclose(f);
    return marked;
}

static void check_warned(const char *path)
{
    struct arena *a = arena_new(NULL);
    const struct diag *d = warned(a, path, NULL, false);
    assert_int_equal(diag_errors(d), 0);
    const int marked = marked_lines(a, path, d);
    assert_true(marked > 0);
    assert_int_equal(diag_warnings(d), marked);
    const struct diag *silent = warned(a, path, arena_printf(a, "silence=%s", subject(path)),
                                       false);
    assert_int_equal(diag_warnings(silent) + diag_errors(silent), 0);
    const struct diag *strict = warned(a, path, NULL, true);
    assert_true(diag_errors(strict) >= 1);
    assert_int_equal(diag_warnings(strict), 0);
    arena_free(a);
}

static void what_is_not_meant_is_warned_of(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("tests/bad/warnings/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        check_warned(files.gl_pathv[i]);
    globfree(&files);
}

// Those of files that a config alone cannot break have their tests beside what finds them.
static void every_warning_has_a_file(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {"pictures_broken",       "batches_missing",
                                            "scorer_not_kept",       "numbers_out_of_range",
                                            "numbers_of_fewer_bits", "samples_not_finite"};
    for (int i = 0; i < WARNINGS; i++) {
        char path[128];
        bool found = false;
        for (size_t k = 0; k < LENGTH(elsewhere); k++)
            found |= !strcmp(warning_name(i), elsewhere[k]);
        snprintf(path, sizeof path, "tests/bad/warnings/%s.yaml", warning_name(i));
        FILE *f = fopen(path, "r");
        if (!f && !found)
            print_error("%s is missing\n", path);
        assert_true(f || found);
        if (f)
            fclose(f);
    }
}

static void our_configs_are_not_warned_of(void **state)
{
    (void)state;
    glob_t files;
    assert_int_equal(glob("configs/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct arena *a = arena_new(NULL);
        const struct diag *d = warned(a, files.gl_pathv[i], NULL, false);
        diag_print(d, stderr);
        assert_int_equal(diag_errors(d) + diag_warnings(d), 0);
        arena_free(a);
    }
    globfree(&files);
}

static void unknown_names_are_mistakes(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct diag *d = warned(a, "tests/bad/warnings/rate_too_high.yaml",
                                  "silence=[rate_to_high, value_unused]", false);
    const struct diag_message *m = message_at(d, 1, "unknown warning 'rate_to_high'");
    assert_non_null(m);
    assert_non_null(strstr(m->text, "did you mean 'rate_too_high'?"));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_meant_is_warned_of),
        cmocka_unit_test(every_warning_has_a_file),
        cmocka_unit_test(our_configs_are_not_warned_of),
        cmocka_unit_test(unknown_names_are_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
