// CIFAR-10's binary files: batches joined in order, classes kept, damage told.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/text.h"
#include "data/dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { PIXELS = 3072, RECORD = 3073 };

static char folder[] = "/tmp/ganexp-cifar-XXXXXX";

static void clear(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    assert_int_equal(system(command), 0);
}

// n records: record i of a file has the label (first + i) mod 10, pixel k is first + i + k.
static void write_file(const char *name, int first, int n, size_t cut)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    uint8_t *p = malloc((size_t)n * RECORD);
    for (int i = 0; i < n; i++) {
        p[i * RECORD] = (uint8_t)((first + i) % 10);
        for (int k = 0; k < PIXELS; k++)
            p[i * RECORD + 1 + k] = (uint8_t)(first + i + k);
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite(p, 1, (size_t)n * RECORD - cut, f);
    fclose(f);
    free(p);
}

static struct dataset *open_at(struct arena *a, const char *where, const char *more,
                               enum split split, struct diag *d)
{
    struct source *s = NEW(a, struct source);
    *s = (struct source){"test.yaml",
                         arena_printf(a, "{dataset: cifar10, path: %s%s}", where, more)};
    return dataset_open(a, node_parse(a, s, d), split, d);
}

static void expect_message(const char *more, enum split split, const char *message)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct text t;
    text_init(&t);
    const struct dataset *s = open_at(a, folder, more, split, d);
    diag_text(d, &t);
    if (!strstr(t.s, message) || (!s) != (diag_errors(d) > 0))
        fail_msg("expected '%s' in\n%s", message, t.s);
    text_release(&t);
    arena_free(a);
}

static void check(const struct dataset *s, int64_t index, int number)
{
    float x[PIXELS];
    int32_t label;
    assert_true(s->kind->get(s, index, x, &label));
    assert_int_equal(label, number % 10);
    for (int k = 0; k < PIXELS; k++)
        assert_true(x[k] == (float)(uint8_t)(number + k) / 127.5f - 1);
}

static void batches_come_in_order(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    char inner[100];
    clear();
    snprintf(inner, sizeof inner, "%s/cifar-10-batches-bin", folder);
    mkdir(inner, 0777);
    for (int i = 0; i < 5; i++) {
        char name[60];
        snprintf(name, sizeof name, "%sdata_batch_%d.bin", i % 2 ? "cifar-10-batches-bin/" : "",
                 i + 1);
        write_file(name, 20 * i, 20, 0);
    }
    write_file("test_batch.bin", 50, 7, 0);
    const struct dataset *s = open_at(a, folder, "", SPLIT_TRAIN, d);
    assert_non_null(s);
    assert_true(s->count == 100 && s->channels == 3 && s->height == 32 && s->width == 32);
    assert_string_equal(s->class_name[3], "cat");
    for (int i = 0; i < 100; i++)
        check(s, i, i);
    const struct dataset *test = open_at(a, folder, "", SPLIT_TEST, d);
    assert_non_null(test);
    assert_int_equal(test->count, 7);
    check(test, 0, 50);
    assert_int_equal(diag_errors(d) + diag_warnings(d), 0);
    arena_free(a);
}

static void classes_are_kept(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    clear();
    write_file("test_batch.bin", 0, 40, 0);
    const struct dataset *all = open_at(a, folder, "", SPLIT_TEST, d);
    const struct dataset *s = open_at(a, folder, ", classes: [dog, 3]", SPLIT_TEST, d);
    assert_non_null(s);
    assert_true(s->count == 8 && s->classes == 10);
    assert_string_not_equal(s->fingerprint, all->fingerprint);
    for (int i = 0; i < 8; i++)
        check(s, i, 10 * (i / 2) + (i % 2 ? 5 : 3));
    s = open_at(a, folder, ", classes: ship", SPLIT_TEST, d);
    assert_int_equal(s->count, 4);
    check(s, 1, 18);
    assert_int_equal(diag_errors(d), 0);
    arena_free(a);
    expect_message(", classes: [dgo]", SPLIT_TEST, "'dog'");
    expect_message(", classes: 10", SPLIT_TEST, "number 0 to 9");
    expect_message(", classes: [-1]", SPLIT_TEST, "number 0 to 9");
    expect_message(", classes: [[1]]", SPLIT_TEST, "number 0 to 9");
    expect_message(", classes: []", SPLIT_TEST, "an empty list");
    write_file("test_batch.bin", 0, 3, 0);
    expect_message(", classes: [9]", SPLIT_TEST, "no example");
}

static void damaged_batches_are_refused(void **state)
{
    (void)state;
    clear();
    expect_message("", SPLIT_TRAIN, "the files of cifar10 were not found");
    expect_message("", SPLIT_TEST, "expected test_batch.bin");
    write_file("data_batch_1.bin", 0, 3, 0);
    expect_message("", SPLIT_TRAIN, "warning: only 1 of the 5 batches");
    write_file("data_batch_2.bin", 0, 3, 1);
    expect_message("", SPLIT_TRAIN, "is cut short: its 9218 bytes");
    write_file("data_batch_2.bin", 0, 3, 3 * RECORD);
    expect_message("", SPLIT_TRAIN, "data_batch_2.bin' is empty");
    write_file("data_batch_2.bin", 0, 3, 3 * RECORD);
    char path[200];
    snprintf(path, sizeof path, "%s/test_batch.bin", folder);
    mkdir(path, 0777);
    expect_message("", SPLIT_TEST, "is a folder where a file is expected");
    clear();
    FILE *f = fopen(path, "wb");
    for (int i = 0; i < 2 * RECORD; i++)
        putc(i < RECORD ? 9 : 10, f);
    fclose(f);
    expect_message("", SPLIT_TEST, "gives record 1 the label 10");
}

// The real files, where GANEXP_TEST_CIFAR10 says they lie.
static void the_real_files_are_read(void **state)
{
    (void)state;
    const char *where = getenv("GANEXP_TEST_CIFAR10");
    if (!where)
        skip();
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    const struct dataset *s = open_at(a, where, "", SPLIT_TEST, d);
    diag_print(d, stderr);
    assert_non_null(s);
    float x[PIXELS];
    int32_t label;
    double sum = 0, n[10] = {0};
    for (int64_t i = 0; i < s->count; i++) {
        s->kind->get(s, i, x, &label);
        n[label]++;
        for (int k = 0; k < PIXELS; k++)
            sum += x[k] / PIXELS / (double)s->count;
    }
    assert_true(sum > -0.1 && sum < 0);
    for (int i = 0; i < 10; i++)
        assert_true(n[i] / (double)s->count > 0.08 && n[i] / (double)s->count < 0.12);
    arena_free(a);
}

static int remove_folder(void **state)
{
    (void)state;
    clear();
    return remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_in_order),
        cmocka_unit_test(classes_are_kept),
        cmocka_unit_test(damaged_batches_are_refused),
        cmocka_unit_test(the_real_files_are_read),
    };
    return mkdtemp(folder) ? cmocka_run_group_tests(tests, NULL, remove_folder) : 1;
}
