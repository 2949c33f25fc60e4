// The seam to oneDNN by itself: layouts, caching, and each kind of call against loops written out
// here.
#include "base/arena.h"
#include "plan/dnn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static float number(int64_t i)
{
    return (float)((i * 7919 + 13) % 101) / 50 - 1;
}

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

static void names(void **state)
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
    spec.weights = LAYOUT_OPAQUE;
    const struct dnn_primitive *p = dnn_conv(&spec);
    assert_non_null(p);
    assert_ptr_equal(p, dnn_conv(&spec));
    spec.kind = DNN_CONV_DATA_GRAD;
    assert_ptr_not_equal(p, dnn_conv(&spec));
    assert_true(strlen(dnn_name(p)) > 0);
    assert_true(dnn_layout_head(dnn_conv_weights(p))->bytes >= 32 * 16 * 9 * 4);
}

static void refusal_is_an_answer(void **state)
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

static void reorder_turns_and_returns(void **state)
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
    assert_true(y[1] == x[20]);   // (0, 1, 0, 0)
    arena_free(a);
}

// y[i,j] = after(Σ_k a[i,k]·b[k,j] + bias[j])
static void check_matmul(int64_t batch, int64_t m, int64_t k, int64_t n, bool ta, bool tb,
                         bool bias, enum dnn_after after)
{
    struct arena *a = arena_new(NULL);
    struct dnn_matmul spec;
    memset(&spec, 0, sizeof spec);
    spec.batch = batch, spec.m = m, spec.k = k, spec.n = n, spec.ta = ta, spec.tb = tb,
    spec.bias = bias, spec.after = after;
    spec.slope = after == DNN_AFTER_LEAKY_RELU ? 0.2f : 0;
    float *A = numbers(a, batch * m * k, 1), *B = numbers(a, batch * k * n, 2),
          *c = numbers(a, n, 3), *y = NEW_ARRAY(a, float, batch *m *n);
    const struct dnn_primitive *p = dnn_matmul(&spec);
    assert_non_null(p);
    run(a, p, (struct dnn_args){A, B, bias ? c : NULL, y});
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double s = bias ? c[j] : 0;
                for (int64_t l = 0; l < k; l++)
                    s += (double)A[b * m * k + (ta ? l * m + i : i * k + l)] *
                         B[b * k * n + (tb ? j * k + l : l * n + j)];
                s = after == DNN_AFTER_LEAKY_RELU && s < 0 ? 0.2 * s
                    : after == DNN_AFTER_TANH              ? tanh(s)
                                                           : s;
                assert_true(fabs(s - y[(b * m + i) * n + j]) < 1e-4 * sqrt((double)k));
            }
    arena_free(a);
}

static void matmuls(void **state)
{
    (void)state;
    static const int64_t size[][3] = {{1, 1, 1},   {64, 100, 48}, {3, 5, 7},
                                      {1, 64, 33}, {64, 17, 1},   {1, 784, 1}};
    for (size_t i = 0; i < LENGTH(size); i++)
        for (int t = 0; t < 4; t++)
            check_matmul(1, size[i][0], size[i][1], size[i][2], t & 1, t & 2, t == 3,
                         DNN_AFTER_NONE);
    check_matmul(1, 8, 16, 24, false, true, true, DNN_AFTER_LEAKY_RELU);
    check_matmul(1, 8, 16, 24, false, false, true, DNN_AFTER_TANH);
    check_matmul(25, 12, 16, 20, false, false, false, DNN_AFTER_NONE);
    check_matmul(3, 12, 16, 20, true, true, false, DNN_AFTER_NONE);
}

// Bias and activation after a 1×1 convolution, which is a matmul written otherwise.
static void conv_with_bias_and_relu(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct dnn_conv s;
    memset(&s, 0, sizeof s);
    s.n = 2, s.c = 3, s.h = s.w = s.oh = s.ow = 4, s.k = 5, s.kh = s.kw = 1,
    s.stride[0] = s.stride[1] = 1;
    s.x = s.y = LAYOUT_CHANNELS_LAST, s.bias = true, s.after = DNN_AFTER_LEAKY_RELU, s.slope = 0.1f;
    float *x = numbers(a, 96, 1), *w = numbers(a, 15, 2), *b = numbers(a, 5, 3),
          *y = NEW_ARRAY(a, float, 160);
    run(a, dnn_conv(&s), (struct dnn_args){x, w, b, y});
    for (int i = 0; i < 32; i++)
        for (int k = 0; k < 5; k++) {
            float sum = b[k];
            for (int c = 0; c < 3; c++)
                sum += x[3 * i + c] * w[3 * k + c];
            assert_true(fabsf((sum > 0 ? sum : 0.1f * sum) - y[5 * i + k]) < 1e-5f);
        }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(layouts_are_interned),
        cmocka_unit_test(primitives_are_found_again),
        cmocka_unit_test(refusal_is_an_answer),
        cmocka_unit_test(reorder_turns_and_returns),
        cmocka_unit_test(matmuls),
        cmocka_unit_test(conv_with_bias_and_relu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
