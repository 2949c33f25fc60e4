// Convolutions with few channels on one side: every build of the kernels against the sum that
// kernel.h says they are, and the three ops through a plan against their meaning.
#include "base/philox.h"
#include "codegen/tasks.h"
#include "support/against_reference.h"

static struct rng rng;

static int64_t below(int n) { return (int64_t)rng_below(&rng, (uint32_t)n); }

static float *numbers(struct arena *a, int64_t n)
{
    float *x = NEW_ARRAY(a, float, n);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(2 * rng_uniform(&rng) - 1);
    return x;
}

static int64_t at(const int64_t *stride, int64_t n, int64_t c, int64_t y, int64_t x)
{
    return n * stride[0] + c * stride[1] + y * stride[2] + x * stride[3];
}

static void channels_last(int64_t *stride, int64_t C, const int64_t *size)
{
    stride[0] = C * size[0] * size[1];
    stride[1] = 1;
    stride[2] = C * size[1];
    stride[3] = C;
}

static struct few_task random_task(struct arena *a)
{
    struct few_task t = {.N = 1 + below(3),
                         .F = 1 + below(FEW_MOST),
                         .C = 16 * (1 + below(6)),
                         .few_rows = below(2),
                         .threads = 1 + (int)below(3)};
    const bool backwards = below(2);
    t.sign = backwards ? -1 : 1;
    for (int i = 0; i < 2; i++) {
        const int64_t stride = 1 + below(3);
        t.few_size[i] = 1 + below(9), t.size[i] = 1 + below(9), t.kernel[i] = 1 + below(4);
        t.step[i] = backwards ? 1 : stride, t.phases[i] = backwards ? stride : 1;
        t.pad[i] = t.sign * (below(4) - 1);
    }
    channels_last(t.few_stride, t.F, t.few_size);
    channels_last(t.wide_stride, t.C, t.size);
    t.few = numbers(a, t.N * t.few_stride[0]);
    t.wide = numbers(a, t.N * t.wide_stride[0]);
    t.weight = numbers(a, t.F * t.C * t.kernel[0] * t.kernel[1]);
    t.zeros = NEW_ARRAY(a, float, t.C);
    t.packed = NEW_ARRAY(a, float, t.threads *t.F *t.C *t.kernel[0] * t.kernel[1]);
    return t;
}

static int64_t weight_at(const struct few_task *t, int64_t f, int64_t c, int64_t i, int64_t j)
{
    return ((t->few_rows ? f * t->C + c : c * t->F + f) * t->kernel[0] + i) * t->kernel[1] + j;
}

static double result_element(const struct few_task *t, int64_t n, int64_t f, int64_t y, int64_t x)
{
    double sum = 0;
    for (int64_t i = 0; i < t->kernel[0]; i++)
        for (int64_t j = 0; j < t->kernel[1]; j++) {
            const int64_t v = t->step[0] * y + t->sign * i - t->pad[0],
                          h = t->step[1] * x + t->sign * j - t->pad[1];
            if (v < 0 || h < 0 || v % t->phases[0] || h % t->phases[1] ||
                v / t->phases[0] >= t->size[0] || h / t->phases[1] >= t->size[1])
                continue;
            for (int64_t c = 0; c < t->C; c++)
                sum += (double)
                           t->wide[at(t->wide_stride, n, c, v / t->phases[0], h / t->phases[1])] *
                       t->weight[weight_at(t, f, c, i, j)];
        }
    return sum;
}

static double gradient_element(const struct few_task *t, int64_t f, int64_t c, int64_t i, int64_t j)
{
    const int64_t *const coarse = t->few_rows ? t->few_size : t->size, *const fine =
                                                                           t->few_rows
                                                                               ? t->size
                                                                               : t->few_size;
    double sum = 0;
    for (int64_t n = 0; n < t->N; n++)
        for (int64_t y = 0; y < coarse[0]; y++)
            for (int64_t x = 0; x < coarse[1]; x++) {
                const int64_t v = t->step[0] * y + i - t->pad[0],
                              h = t->step[1] * x + j - t->pad[1];
                if (v < 0 || h < 0 || v >= fine[0] || h >= fine[1])
                    continue;
                const int64_t few = t->few_rows ? at(t->few_stride, n, f, y, x)
                                                : at(t->few_stride, n, f, v, h),
                              wide = t->few_rows ? at(t->wide_stride, n, c, v, h)
                                                 : at(t->wide_stride, n, c, y, x);
                sum += (double)t->few[few] * t->wide[wide];
            }
    return sum;
}

static void assert_near(const char *isa, double got, double want)
{
    if (!(fabs(got - want) <= 2e-5 * (1 + fabs(want))))
        fail_msg("%s: %g, not %g", isa, got, want);
}

static void results_are_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct arena *a = arena_new(NULL);
        const struct few_task t = random_task(a);
        for (int k = 0; kernels_at(k); k++) {
            kernels_at(k)->few_result(&t);
            for (int64_t i = 0; i < t.N * t.few_stride[0]; i++)
                assert_near(kernels_at(k)->isa, t.few[i],
                            result_element(&t, i / t.few_stride[0], i % t.F,
                                           i % t.few_stride[0] / t.few_stride[2],
                                           i % t.few_stride[2] / t.few_stride[3]));
        }
        arena_free(a);
    }
}

static void weight_gradients_are_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct arena *a = arena_new(NULL);
        struct few_task t = random_task(a);
        for (int i = 0; i < 2; i++)
            t.phases[i] = 1;
        for (int k = 0; kernels_at(k); k++) {
            kernels_at(k)->few_weight_grad(&t);
            for (int64_t f = 0; f < t.F; f++)
                for (int64_t c = 0; c < t.C; c++)
                    for (int64_t i = 0; i < t.kernel[0] * t.kernel[1]; i++)
                        assert_near(kernels_at(k)->isa, t.weight[weight_at(&t, f, c, 0, 0) + i],
                                    gradient_element(&t, f, c, i / t.kernel[1], i % t.kernel[1]));
        }
        arena_free(a);
    }
}

// --- taps beside each other ----------------------------------------------------------------------

static struct few_task random_taps(struct arena *a)
{
    struct few_task t = {.N = 1 + below(3),
                         .F = 1 + below(FEW_MOST),
                         .C = 16 * (1 + below(5)),
                         .few_rows = below(2),
                         .flipped = below(2),
                         .threads = 1 + (int)below(3)};
    for (int i = 0; i < 2; i++) {
        t.kernel[i] = 1 + below(TAPS_MOST), t.step[i] = 1 + below(4), t.pad[i] = below(5) - 1;
        t.few_size[i] = 1 + below(40), t.size[i] = i ? TAPS_PIXELS + below(12) : 1 + below(5);
    }
    channels_last(t.few_stride, t.F, t.few_size);
    channels_last(t.wide_stride, t.C, t.size);
    if (below(4) == 0) { // plain
        t.few_stride[1] = t.few_size[0] * t.few_size[1];
        t.few_stride[2] = t.few_size[1], t.few_stride[3] = 1;
    }
    t.few = numbers(a, t.N * t.few_stride[0]);
    t.wide = numbers(a, t.N * t.wide_stride[0]);
    t.weight = numbers(a, t.F * t.C * t.kernel[0] * t.kernel[1]);
    t.packed = numbers(a, taps_prepare(&t));
    t.own = numbers(a, t.threads * t.own_each);
    return t;
}

// result[n, f, y, x] = Σ wide·w and gradient[w] = Σ wide·few, over all that meet at a tap
static void meet(const struct few_task *t, double *result, double *gradient)
{
    for (int64_t n = 0; n < t->N; n++)
        for (int64_t q = 0; q < t->size[0] * t->size[1]; q++)
            for (int64_t tap = 0; tap < t->kernel[0] * t->kernel[1]; tap++) {
                const int64_t i = tap / t->kernel[1], j = tap % t->kernel[1],
                              y = q / t->size[1] * t->step[0] + i - t->pad[0],
                              x = q % t->size[1] * t->step[1] + j - t->pad[1];
                if (y < 0 || x < 0 || y >= t->few_size[0] || x >= t->few_size[1])
                    continue;
                for (int64_t f = 0; f < t->F; f++)
                    for (int64_t c = 0; c < t->C; c++) {
                        const int64_t w = t->flipped ? weight_at(t, f, c, t->kernel[0] - 1 - i,
                                                                 t->kernel[1] - 1 - j)
                                                     : weight_at(t, f, c, i, j);
                        const int64_t few = at(t->few_stride, n, f, y, x);
                        const double wide =
                            t->wide[at(t->wide_stride, n, c, q / t->size[1], q % t->size[1])];
                        result[few] += wide * t->weight[w];
                        gradient[w] += wide * t->few[few];
                    }
            }
}

// Element i of the wide image: leaky_relu of a bias and Σ few·w over all that meet it.
static double wide_element(const struct few_task *t, int64_t i)
{
    const int64_t n = i / t->wide_stride[0], row = i % t->wide_stride[0] / t->wide_stride[2],
                  column = i % t->wide_stride[2] / t->C;
    double sum = t->bias ? t->bias[i % t->C] : 0;
    for (int64_t a = 0; a < t->kernel[0]; a++)
        for (int64_t b = 0; b < t->kernel[1]; b++) {
            const int64_t y = row * t->step[0] + a - t->pad[0],
                          x = column * t->step[1] + b - t->pad[1],
                          w = t->flipped ? weight_at(t, 0, i % t->C, t->kernel[0] - 1 - a,
                                                     t->kernel[1] - 1 - b)
                                         : weight_at(t, 0, i % t->C, a, b),
                          next = weight_at(t, 1, 0, 0, 0);
            if (y < 0 || x < 0 || y >= t->few_size[0] || x >= t->few_size[1])
                continue;
            for (int64_t f = 0; f < t->F; f++)
                sum += (double)t->few[at(t->few_stride, n, f, y, x)] * t->weight[w + f * next];
        }
    return sum > 0 ? sum : t->slope * sum;
}

static void products_by_taps_are_the_definition(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct arena *a = arena_new(NULL);
        const struct few_task t = random_taps(a);
        const int64_t few = t.N * t.few_stride[0], weights = t.F * t.C * t.kernel[0] * t.kernel[1];
        struct few_task made = t;
        made.few = numbers(a, few), made.weight = numbers(a, weights);
        double *result = NEW_ARRAY(a, double, few), *gradient = NEW_ARRAY(a, double, weights);
        meet(&t, result, gradient);
        float *wide = numbers(a, t.N * t.wide_stride[0]), *bias = numbers(a, t.C);
        for (int k = 0; kernels_at(k); k++) {
            struct few_task one = t;
            one.few = made.few;
            kernels_at(k)->taps_result(&one);
            for (int64_t i = 0; i < few; i++)
                assert_near(kernels_at(k)->isa, made.few[i], result[i]);
            one = t;
            one.weight = made.weight;
            kernels_at(k)->taps_weight_grad(&one);
            for (int64_t i = 0; i < weights; i++)
                assert_near(kernels_at(k)->isa, made.weight[i], gradient[i]);
            one = t;
            one.made = wide, one.slope = (float)below(8) / 4;
            one.bias = below(2) ? bias : NULL;
            kernels_at(k)->taps_wide(&one);
            for (int64_t i = 0; i < t.N * t.wide_stride[0]; i += 1 + below(9))
                assert_near(kernels_at(k)->isa, wide[i], wide_element(&one, i));
        }
        arena_free(a);
    }
}

// --- through a plan ------------------------------------------------------------------------------

// y = conv(x, w) with C and K channels, and both gradients: `few` of the three are ours.
static void three_ops(int64_t C, int64_t K, int64_t kernel, int64_t stride, int64_t width, int few)
{
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    const struct window w = {{stride, stride}, {1, 1, 1, 1}};
    struct value *x = input(g, "x", SHAPE(2, C, 9, width)),
                 *k = input(g, "w", SHAPE(K, C, kernel, kernel)), *y = conv(x, k, w),
                 *dy = input(g, "d", y->shape);
    graph_root(g, "y", y);
    graph_root(g, "dx", conv_data_grad(dy, k, w, 9, width));
    graph_root(g, "dw", conv_weight_grad(x, dy, w, kernel, kernel));
    check(g, true, a, "few channels");
    const struct plan *p = plan_new(a, g, NULL, 0);
    for (int i = 0; i < plan_steps(p); i++)
        few -= strstr(plan_step_name(p, i), "few channels") != NULL;
    assert_int_equal(few, 0);
    arena_free(a);
}

// A critic's first layers, and their gradients, of which one asks for the sign of a sum.
static struct graph *first_layers(struct arena *a, int i)
{
    struct graph *g = graph_new(a);
    const struct window win = {{1 + i % 2, 1 + i % 2}, {1, 1, 1, 1}};
    struct value *x = input(g, "x", SHAPE(2, 1 + i % 4, 16, 20)),
                 *w = input(g, "w", SHAPE(32, 1 + i % 4, 2 + i, 2 + i)),
                 *v = input(g, "v", SHAPE(16, 32, 3, 3)), *dx[3];
    struct value *h = conv(x, w, win);
    h = i < 3 ? h : add(h, input(g, "b", SHAPE(1, 32, 1, 1)));
    struct value *y = conv(leaky_relu(h, i * 0.25), v, win);
    gradient(sum(square(y)), (struct value *[]){x, w, v}, 3, dx);
    for (int k = 0; k < 3; k++)
        graph_root(g, (const char *[]){"dx", "dw", "dv"}[k], dx[k]);
    return g;
}

static void an_activation_is_fused_behind_it(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = first_layers(a, i), *as_it_was = first_layers(a, i);
        compile_for_this_machine(g);
        assert_true(pass_fuse_post_ops(g));
        const struct reference source = {feed, NULL};
        double **is = graph_reference(g, &source, a),
               **was = graph_reference(as_it_was, &source, a);
        for (int r = 0; r < g->n_root; r++)
            assert_memory_equal(is[g->root[r].value->id], was[as_it_was->root[r].value->id],
                                sizeof(double) * (size_t)shape_size(g->root[r].value->shape));
        check(g, true, a, "activated");
        const struct plan *p = plan_new(a, g, NULL, 0);
        int found = 0;
        for (int k = 0; k < plan_steps(p); k++)
            found += !strncmp(plan_step_name(p, k), "conv forward, few channels", 26);
        assert_int_equal(found, 1);
        arena_free(a);
    }
}

static void few_channels_take_our_kernels(void **state)
{
    (void)state;
    for (int64_t stride = 1; stride <= 2; stride++)
        for (int64_t few = 1; few <= 5; few++) {
            const int ours = few <= FEW_MOST ? 2 : 0;
            for (int64_t width = 10; width <= 20; width += 10) {
                three_ops(48, few, 3, stride, width, ours);
                const bool forward = (width - 2) / stride + 1 >= TAPS_PIXELS;
                three_ops(few, 32, 4, stride, width, ours ? ours + forward : 0);
            }
        }
    three_ops(20, 3, 3, 1, 10, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_are_the_definition),
                                       cmocka_unit_test(weight_gradients_are_the_definition),
                                       cmocka_unit_test(products_by_taps_are_the_definition),
                                       cmocka_unit_test(an_activation_is_fused_behind_it),
                                       cmocka_unit_test(few_channels_take_our_kernels)};
    rng_init(&rng, 5, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
