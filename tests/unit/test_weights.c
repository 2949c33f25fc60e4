// `load:` of a network: under full and short names, and what is said when a file does not fit.
#include "store/weights.h"

#include "base/arena.h"
#include "base/text.h"
#include "store/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const float weight[6] = {1, 2, 3, 4, 5, 6}, bias[2] = {7, 8};

// Reads a network dense 3 → 2 with `load:` of a file that holds what `tensor` says.
static bool load(const struct tensor *tensor, int n, float *slab, struct text *said)
{
    struct arena *a = arena_new(NULL);
    struct diag *d = diag_new(a);
    struct slots slots;
    char path[] = "/tmp/test_weights.XXXXXX";
    const int fd = mkstemp(path);
    int n_net = 0;
    assert_true(fd >= 0);
    close(fd);
    assert_true(safetensors_write(path, tensor, n, NULL, 0, d));
    slots_init(&slots, a);
    const char *yaml = arena_printf(
        a, "networks:\n  b: {inputs: {z: 3}, layers: [dense: 2]}\n  a: {like: b, load: %s}\n",
        path);
    struct config *config = config_parse(a, "test.yaml", yaml, NULL, 0, d);
    struct network **net = networks_read(a, node_get(config->root, "networks"), NULL, NULL, &slots,
                                         &n_net, d);
    assert_non_null(net);
    slots_add(&slots, "ema/a.0.bias", SLOT_AVERAGE, SHAPE(2), (struct init){0}, (struct place){0});
    memset(slab, 0, sizeof *slab * slots.floats);
    const bool good = weights_load(net, n_net, &slots, slab, d);
    text_init(said);
    diag_text(d, said);
    for (int i = 0; good && i < 6; i++)
        assert_true(slab[slots_find(&slots, "a.0.weight")->offset + (size_t)i] == weight[i]);
    for (int i = 0; good && i < 2; i++) {
        assert_true(slab[slots_find(&slots, "ema/a.0.bias")->offset + (size_t)i] == bias[i]);
        assert_true(slab[slots_find(&slots, "b.0.bias")->offset + (size_t)i] == 0);
    }
    for (size_t i = 0; !good && i < slots.floats; i++)
        assert_true(slab[i] == 0);
    unlink(path);
    arena_free(a);
    return good;
}

static void names_may_lack_the_network(void **state)
{
    static const char *const name[][2] = {{"a.0.weight", "a.0.bias"}, {"0.weight", "0.bias"}};
    float slab[128];
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct tensor t[] = {{name[i][0], TENSOR_F32, 2, {2, 3}, weight},
                                   {name[i][1], TENSOR_F32, 1, {2}, bias},
                                   {"another.weight", TENSOR_F32, 1, {2}, bias}};
        struct text said;
        assert_true(load(t, 3, slab, &said));
        text_release(&said);
    }
}

static void weights_that_do_not_fit_are_named(void **state)
{
    const struct tensor t[] = {{"0.weight", TENSOR_F32, 2, {3, 2}, weight}};
    float slab[128];
    struct text said;
    (void)state;
    assert_false(load(t, 1, slab, &said));
    assert_non_null(strstr(said.s, "test.yaml:3:"));
    assert_non_null(
        strstr(said.s, "tensor 'a.0.weight' is (3, 2) there, but (2, 3) in network 'a'"));
    assert_non_null(strstr(said.s, "expected (2) float32"));
    assert_non_null(strstr(said.s, "'a.0.bias' is missing"));
    text_release(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_may_lack_the_network),
                                       cmocka_unit_test(weights_that_do_not_fit_are_named)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
