// Round trips, the layout other readers expect, and headers that lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "store/safetensors.h"

static char path[] = "/tmp/ganexp-safetensors-XXXXXX";

static int setup(void **state)
{
    const int fd = mkstemp(path);
    if (fd < 0)
        return -1;
    close(fd);
    *state = arena_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return unlink(path);
}

static void tensors_read_back_as_written(void **state)
{
    struct arena *a = *state;
    struct diag *d = diag_new(a);
    const float weight[6] = {1, 2, 3, 4, 5, 6}, bias[1] = {-1};
    const int64_t step[1] = {INT64_C(1) << 40};
    const struct tensor tensor[] = {
        {.name = "g.1.weight", .rank = 2, .dim = {2, 3}, .data = weight},
        {.name = "bias \"é\"", .rank = 1, .dim = {1}, .data = bias},
        {.name = "step", .type = TENSOR_I64, .rank = 0, .data = step},
        {.name = "none", .rank = 2, .dim = {0, 3}, .data = weight},
    };
    const struct metadata about[] = {{"format", "pt"}, {"config", "name: a\nseed: 1\n"}};
    assert_true(safetensors_write(path, tensor, 4, about, 2, d));
    const struct safetensors *s = safetensors_open(a, path, d);
    assert_non_null(s);
    assert_int_equal(s->n, 4);
    const struct tensor *t = safetensors_find(s, "g.1.weight");
    assert_true(t && t->rank == 2 && t->dim[0] == 2 && t->dim[1] == 3 &&
                !memcmp(t->data, weight, sizeof weight));
    t = safetensors_find(s, "step");
    assert_true(t && t->type == TENSOR_I64 && t->rank == 0 && *(const int64_t *)t->data == step[0]);
    assert_int_equal((uintptr_t)t->data % 8, 0);
    assert_true(*(const float *)safetensors_find(s, "bias \"é\"")->data == -1);
    assert_int_equal(tensor_elements(safetensors_find(s, "none")), 0);
    assert_null(safetensors_find(s, "g.1.bias"));
    assert_string_equal(safetensors_metadata(s, "config"), "name: a\nseed: 1\n");
    assert_null(safetensors_metadata(s, "licence"));
}

static void the_bytes_are_as_specified(void **state)
{
    struct arena *a = *state;
    const float x = 1;
    const struct tensor tensor = {.name = "x", .rank = 1, .dim = {1}, .data = &x};
    assert_true(safetensors_write(path, &tensor, 1, NULL, 0, diag_new(a)));
    static const char header[] = "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    char file[128] = {0};
    FILE *f = fopen(path, "r");
    const size_t n = fread(file, 1, sizeof file, f), padded = (sizeof header - 1 + 7) / 8 * 8;
    fclose(f);
    assert_int_equal(n, 8 + padded + 4);
    assert_int_equal(file[0], padded);
    assert_memory_equal(file + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < padded; i++)
        assert_int_equal(file[8 + i], ' ');
    assert_memory_equal(file + 8 + padded, &x, 4);
}

static void a_thousand_tensors_are_found_by_name(void **state)
{
    struct arena *a = *state;
    enum { N = 1000 };
    struct tensor *tensor = NEW_ARRAY(a, struct tensor, N);
    float *data = NEW_ARRAY(a, float, N);
    for (int i = 0; i < N; i++) {
        data[i] = i;
        tensor[i] = (struct tensor){.name = arena_printf(a, "layer.%d.weight", (i * 7919) % N),
                                    .rank = 1,
                                    .dim = {1},
                                    .data = &data[i]};
    }
    assert_true(safetensors_write(path, tensor, N, NULL, 0, diag_new(a)));
    const struct safetensors *s = safetensors_open(a, path, diag_new(a));
    for (int i = 0; i < N; i++)
        assert_true(*(const float *)safetensors_find(s, tensor[i].name)->data == i);
}

static void a_file_may_hold_nothing(void **state)
{
    assert_true(safetensors_write(path, NULL, 0, NULL, 0, diag_new(*state)));
    const struct safetensors *s = safetensors_open(*state, path, diag_new(*state));
    assert_true(s && s->n == 0);
    assert_null(safetensors_find(s, "x"));
}

static void lying_headers_are_refused(void **state)
{
    static const struct {
        const char *header;
        int data;
        const char *says;
    } lie[] = {
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4,
         "outside the 4 bytes"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
         "its shape and dtype say 8"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "outside"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "outside"},
        {"{\"x\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
         "expected F32 or I64"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0,
         "impossible shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[0,4611686018427387904,4],\"data_offsets\":[0,0]}}",
         0, "impossible shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]}}", 0,
         "impossible shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4,
         "impossible shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         "no shape"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "no data_offsets"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"y\":{\"dtype\":\"F32\","
         "\"shape\":[1],\"data_offsets\":[0,4]}}",
         4, "overlap"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
         "nothing names the bytes before"},
        {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8,
         "nothing names the last 4"},
        {"{\"x\":1}", 0, "not described"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "not a text"},
        {"{\"x\":1,\"x\":1}", 0, "damaged"},
        {"[]", 0, "no object"},
        {"{", 0, "damaged"},
    };
    for (size_t i = 0; i < LENGTH(lie); i++) {
        struct arena *a = arena_new(*state);
        struct diag *d = diag_new(a);
        const uint64_t length = strlen(lie[i].header);
        char *file = arena_alloc(a, 512);
        memcpy(file, &length, 8);
        memcpy(file + 8, lie[i].header, length);
        assert_null(safetensors_parse(a, "lie", file, 8 + length + (size_t)lie[i].data, d));
        struct text t;
        text_init(&t);
        diag_text(d, &t);
        if (!strstr(t.s, lie[i].says))
            print_error("expected \"%s\" in: %s", lie[i].says, t.s);
        assert_non_null(strstr(t.s, lie[i].says));
        text_release(&t);
        arena_free(a);
    }
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    struct arena *a = *state;
    const float x[4] = {1, 2, 3, 4};
    const struct tensor tensor = {.name = "x", .rank = 1, .dim = {4}, .data = x};
    assert_true(safetensors_write(path, &tensor, 1, NULL, 0, diag_new(a)));
    char file[256];
    FILE *f = fopen(path, "r");
    const size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    for (size_t k = 0; k < n; k++) {
        char *copy = malloc(k + 1); // exact, so that a read beyond the end is seen
        memcpy(copy, file, k);
        assert_null(safetensors_parse(arena_new(a), "short", copy, k, diag_new(a)));
        free(copy);
    }
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct diag *d = diag_new(*state);
    assert_null(safetensors_open(*state, "/nonexistent/x.safetensors", d));
    assert_false(safetensors_write("/nonexistent/x.safetensors", NULL, 0, NULL, 0, d));
    assert_int_equal(truncate(path, 0), 0);
    assert_null(safetensors_open(*state, path, d));
    assert_int_equal(diag_errors(d), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_read_back_as_written),
        cmocka_unit_test(the_bytes_are_as_specified),
        cmocka_unit_test(a_thousand_tensors_are_found_by_name),
        cmocka_unit_test(a_file_may_hold_nothing),
        cmocka_unit_test(lying_headers_are_refused),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(what_cannot_be_opened_says_why),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
