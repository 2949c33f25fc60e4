// The seam to oneDNN by itself: layouts, caching, and each kind of call against loops written out
// here.
#include "base/arena.h"
#include "codegen/onednn/dnn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static float number(int64_t i) { return (float)((i * 7919 + 13) % 101) / 50 - 1; }

static float *numbers(struct arena *a, int64_t n, int seed)
{
    float *x = NEW_ARRAY(a, float, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = number(i + 31 * seed);
    return x;
}

static void *room_for(struct arena *a, const struct dnn_primitive *p)
{
    return arena_alloc(a, dnn_scratch(p) + 64);
}

static void run(struct arena *a, const struct dnn_primitive *p, struct dnn_args args)
{
    struct dnn_call *c = dnn_bind(a, p, args);
    dnn_call_room(c, room_for(a, p));
    dnn_run(c);
}

static void version_and_isa_have_names(void **state)
{
    (void)state;
    assert_int_equal(strncmp(dnn_version(), "oneDNN ", 7), 0);
    assert_true(strlen(dnn_isa()) > 2);
}

static void layouts_are_interned(void **state)
{
    (void)state;
    const struct shape s = SHAPE(2, 3, 4, 5);
    const struct dnn_layout *plain = dnn_layout(s, LAYOUT_PLAIN, TYPE_F32),
                            *last = dnn_layout(s, LAYOUT_CHANNELS_LAST, TYPE_F32);
    assert_ptr_equal(plain, dnn_layout(s, LAYOUT_PLAIN, TYPE_F32));
    assert_ptr_not_equal(plain, last);
    assert_int_equal(dnn_layout_head(last)->bytes, 2 * 3 * 4 * 5 * 4);
    assert_true(dnn_layout_head(plain)->plain);
    assert_false(dnn_layout_head(last)->plain);
}

static void primitives_are_found_again(void **state)
{
    (void)state;
    struct dnn_conv spec;
    memset(&spec, 0, sizeof spec);
    spec.n = 2, spec.c = 16, spec.h = spec.w = spec.oh = spec.ow = 8, spec.k = 32,
    spec.kh = spec.kw = 3;
    spec.stride[0] = spec.stride[1] = 1;
    spec.pad[0] = spec.pad[1] = spec.pad[2] = spec.pad[3] = 1;
    spec.x = spec.y = LAYOUT_CHANNELS_LAST;
    spec.weights = LAYOUT_BLOCKED;
    const struct dnn_primitive *p = dnn_conv(&spec);
    assert_non_null(p);
    assert_ptr_equal(p, dnn_conv(&spec));
    spec.kind = DNN_CONV_DATA_GRAD;
    assert_ptr_not_equal(p, dnn_conv(&spec));
    assert_true(strlen(dnn_name(p)) > 0);
    assert_true(dnn_layout_head(dnn_conv_weights(p))->bytes >= 32 * 16 * 9 * 4);
}

static void what_onednn_refuses_is_null(void **state)
{
    (void)state;
    struct dnn_conv spec;
    memset(&spec, 0, sizeof spec);
    spec.n = spec.c = spec.k = 1, spec.h = spec.w = 5, spec.kh = spec.kw = 1, spec.oh = spec.ow = 3;
    spec.stride[0] = spec.stride[1] = 1;
    spec.pad[0] = spec.pad[1] = spec.pad[2] = spec.pad[3] = -1;
    assert_null(dnn_conv(&spec));
    assert_null(dnn_conv(&spec));
}

static void a_reorder_and_its_inverse_give_the_same(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct shape s = SHAPE(2, 3, 4, 5);
    const struct dnn_layout *plain = dnn_layout(s, LAYOUT_PLAIN, TYPE_F32),
                            *last = dnn_layout(s, LAYOUT_CHANNELS_LAST, TYPE_F32);
    float *x = numbers(a, 120, 1), *y = NEW_ARRAY(a, float, 120), *z = NEW_ARRAY(a, float, 120);
    run(a, dnn_reorder(plain, last), (struct dnn_args){.x = x, .y = y});
    run(a, dnn_reorder(last, plain), (struct dnn_args){.x = y, .y = z});
    assert_memory_equal(x, z, 120 * sizeof *x);
    assert_true(y[1] == x[20]); // (0, 1, 0, 0)
    arena_free(a);
}

static double after(const struct dnn_after *is, const float *with, int64_t channel, int64_t at,
                    double x)
{
    switch (is->kind) {
    case DNN_AFTER_ADD_BIAS: return x + with[channel];
    case DNN_AFTER_ADD: return x + with[at];
    case DNN_AFTER_SCALE: return x * is->number;
    case DNN_AFTER_LEAKY_RELU: return x > 0 ? x : is->number * x;
    case DNN_AFTER_ELU: return x > 0 ? x : is->number * expm1(x);
    case DNN_AFTER_TANH: return tanh(x);
    case DNN_AFTER_SIGMOID: return 1 / (1 + exp(-x));
    default: return x;
    }
}

#define DONE(...) ((const struct dnn_after[DNN_AFTERS]){__VA_ARGS__})
#define BIAS                  \
    {                         \
        DNN_AFTER_ADD_BIAS, 0 \
    }
#define LEAKY_RELU                 \
    {                              \
        DNN_AFTER_LEAKY_RELU, 0.2F \
    }
#define ALL DONE(BIAS, {DNN_AFTER_SCALE, 0.5F}, {DNN_AFTER_ADD, 0}, LEAKY_RELU)

// What each step adds: n numbers.
static void operands(struct arena *a, int64_t n, struct dnn_args *args)
{
    for (int i = 0; i < DNN_AFTERS; i++)
        args->after[i] = numbers(a, n, 3 + i);
}

// y[i,j] = after(Σ_k a[i,k]·b[k,j])
static void check_matmul(int64_t batch, int64_t m, int64_t k, int64_t n, bool ta, bool tb,
                         const struct dnn_after *done)
{
    struct arena *a = arena_new(NULL);
    struct dnn_matmul spec;
    memset(&spec, 0, sizeof spec);
    spec.batch = batch, spec.m = m, spec.k = k, spec.n = n, spec.ta = ta, spec.tb = tb;
    memcpy(spec.after, done, sizeof spec.after);
    float *A = numbers(a, batch * m * k, 1), *B = numbers(a, batch * k * n, 2),
          *y = NEW_ARRAY(a, float, batch *m *n);
    const struct dnn_primitive *p = dnn_matmul(&spec);
    struct dnn_args args = {.x = A, .w = B, .y = y};
    operands(a, batch * m * n, &args);
    assert_non_null(p);
    run(a, p, args);
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                const int64_t at = (b * m + i) * n + j;
                double s = 0;
                for (int64_t l = 0; l < k; l++)
                    s += (double)A[b * m * k + (ta ? l * m + i : i * k + l)] *
                         B[b * k * n + (tb ? j * k + l : l * n + j)];
                for (int q = 0; q < DNN_AFTERS; q++)
                    s = after(done + q, args.after[q], j, at, s);
                assert_true(fabs(s - y[at]) < 1e-4 * sqrt((double)k));
            }
    arena_free(a);
}

static void matmuls_give_the_reference(void **state)
{
    (void)state;
    static const int64_t size[][3] = {{1, 1, 1},   {64, 100, 48}, {3, 5, 7},
                                      {1, 64, 33}, {64, 17, 1},   {1, 784, 1}};
    for (size_t i = 0; i < LENGTH(size); i++)
        for (int t = 0; t < 4; t++) {
            check_matmul(1, size[i][0], size[i][1], size[i][2], t & 1, t & 2, DONE({0}));
            check_matmul(1, size[i][0], size[i][1], size[i][2], t & 1, t & 2, DONE(BIAS));
            check_matmul(1, size[i][0], size[i][1], size[i][2], t & 1, t & 2, ALL);
        }
    check_matmul(1, 8, 16, 24, false, true, DONE(BIAS, LEAKY_RELU));
    check_matmul(1, 8, 16, 24, false, false, DONE(BIAS, {DNN_AFTER_TANH, 0}));
    check_matmul(1, 8, 16, 24, false, false,
                 DONE({DNN_AFTER_SCALE, 2}, BIAS, {DNN_AFTER_ELU, 0.5F}));
    check_matmul(1, 8, 16, 24, true, false, DONE({DNN_AFTER_ADD, 0}, {DNN_AFTER_SIGMOID, 0}));
    check_matmul(25, 12, 16, 20, false, false, DONE({0}));
    check_matmul(3, 12, 16, 20, true, true, DONE({0}));
}

// A 1×1 convolution is a matmul written otherwise.
static void check_conv(int64_t channels, int64_t filters, const struct dnn_after *done)
{
    struct arena *a = arena_new(NULL);
    struct dnn_conv s;
    memset(&s, 0, sizeof s);
    s.n = 2, s.c = channels, s.h = s.w = s.oh = s.ow = 4, s.k = filters, s.kh = s.kw = 1,
    s.stride[0] = s.stride[1] = 1;
    s.x = s.y = LAYOUT_CHANNELS_LAST;
    memcpy(s.after, done, sizeof s.after);
    float *x = numbers(a, 32 * channels, 1), *w = numbers(a, channels * filters, 2),
          *y = NEW_ARRAY(a, float, 32 * filters);
    struct dnn_args args = {.x = x, .w = w, .y = y};
    operands(a, 32 * filters, &args);
    assert_non_null(dnn_conv(&s));
    run(a, dnn_conv(&s), args);
    for (int64_t i = 0; i < 32; i++)
        for (int64_t k = 0; k < filters; k++) {
            double sum = 0;
            for (int64_t c = 0; c < channels; c++)
                sum += (double)x[channels * i + c] * w[channels * k + c];
            for (int q = 0; q < DNN_AFTERS; q++)
                sum = after(done + q, args.after[q], k, filters * i + k, sum);
            assert_true(fabs(sum - y[filters * i + k]) < 1e-5 * (double)channels);
        }
    arena_free(a);
}

static void convolutions_give_the_reference(void **state)
{
    (void)state;
    for (int64_t c = 3; c < 40; c += 13)
        for (int64_t k = 5; k < 40; k += 11) {
            check_conv(c, k, DONE(BIAS, LEAKY_RELU));
            check_conv(c, k, ALL);
            check_conv(c, k, DONE({DNN_AFTER_SCALE, 2}, BIAS, {DNN_AFTER_TANH, 0}));
        }
    check_conv(16, 32, DONE({DNN_AFTER_ADD, 0}, {DNN_AFTER_SIGMOID, 0}));
    check_conv(16, 32, DONE({DNN_AFTER_ELU, 0.5F}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_isa_have_names),
        cmocka_unit_test(layouts_are_interned),
        cmocka_unit_test(primitives_are_found_again),
        cmocka_unit_test(what_onednn_refuses_is_null),
        cmocka_unit_test(a_reorder_and_its_inverse_give_the_same),
        cmocka_unit_test(matmuls_give_the_reference),
        cmocka_unit_test(convolutions_give_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
