// Every kernel, in every instruction set this machine has, against the plainest loop that says the
// same in float64.
#include "ir/op.h"
#include "codegen/tasks.h"
#include "kernels/kernel_math.h"
#include "support/near.h"

#include <string.h>

static int below(int n) { return (int)rng_below(&rng, (uint32_t)n); }

// --- maps ----------------------------------------------------------------------------------------

static const float special[] = {0,      1,     -1,     0.5f,     -0.5f,     1e-6f, -1e-6f, 1e-30f,
                                1e-40f, 3e38f, -3e38f, 88,       89,        -88,   -104,   20,
                                -20,    9,     -9,     INFINITY, -INFINITY, NAN};

static void unary_ops_are_as_near_as_promised(void **state)
{
    (void)state;
    enum { N = 3000 };
    struct arena *a = arena_new(NULL);
    float *x = numbers(a, N, -6, 6), y[N];
    memcpy(x, special, sizeof special);
    for (int i = 0; i < 1000; i++)
        x[100 + i] = ldexpf(x[100 + i], below(30) - 24);
    for (int op = PW_AFFINE; op < PW_COUNT; op++)
        for (int isa = 0; kernels_at(isa); isa++) {
            const struct map_program p = {
                .n_in = 1, .n = 1, .inst = {{(uint8_t)op, 0, 0, 0, 0.2f, 0.5f}}, .space = SHAPE(N)};
            const struct view v = {1, {N}, {1}};
            const struct map_task *t = map_task(a, &p, (const void *[]){x}, &v, y, v);
            kernels_at(isa)->map_store(t);
            for (int i = 0; i < N; i++) {
                const double want = (float)pointwise_eval((enum pointwise)op, x[i], 0, 0, 0.2f,
                                                          0.5f);
                assert_near(op_pointwise[op].name, kernels_at(isa)->isa, i, y[i], want,
                            op == PW_AFFINE || op == PW_LOG ? 0.1 : 1e-31);
            }
        }
    arena_free(a);
}

// Divergence is looked for as NaN: nothing may hide it.
static void no_op_hides_a_nan(void **state)
{
    (void)state;
    enum { N = 40 };
    struct arena *a = arena_new(NULL);
    float *x = numbers(a, N, 1, 2), *z = numbers(a, N, -1, 3), y[N];
    x[17] = NAN;
    for (int op = PW_ADD; op <= PW_MIN; op++)
        for (int isa = 0; kernels_at(isa); isa++)
            for (uint8_t first = 0; first < 2; first++) { // NaN on either side
                const struct map_program p = {
                    .n_in = 2, .n = 1, .inst = {{(uint8_t)op, first, !first}}, .space = SHAPE(N)};
                const struct view v[] = {{1, {N}, {1}}, {1, {N}, {1}}};
                kernels_at(isa)->map_store(map_task(a, &p, (const void *[]){z, x}, v, y, v[0]));
                for (int i = 0; i < N; i++)
                    assert_true(isnan(y[i]) == (i == 17));
            }
    for (int isa = 0; kernels_at(isa); isa++) {
        const struct map_program p = {
            .n_in = 1, .n = 1, .inst = {{PW_LEAKY_RELU}}, .space = SHAPE(N)};
        const struct view v = {1, {N}, {1}};
        kernels_at(isa)->map_store(map_task(a, &p, (const void *[]){x}, &v, y, v));
        assert_true(isnan(y[17]));
        const struct map_program sum = {.n_in = 1, .reduce = MAP_SUM, .axes = 1, .space = SHAPE(N)};
        kernels_at(isa)->map_reduce(
            map_task(a, &sum, (const void *[]){x}, &v, y, (struct view){1, {1}, {0}}));
        assert_true(isnan(y[0]));
    }
    arena_free(a);
}

// A view of random dimension order; some dimensions (those in `one`) are of size 1 and repeat.
static struct view random_view(struct shape s, unsigned one, int64_t *size)
{
    int order[RANK_MAX];
    for (int d = 0; d < s.rank; d++)
        order[d] = d;
    for (int d = s.rank - 1; d > 0; d--) {
        const int j = below(3) ? d : below(d + 1), o = order[d];
        order[d] = order[j];
        order[j] = o;
    }
    struct view v = {.rank = s.rank};
    *size = 1;
    for (int i = s.rank - 1; i >= 0; i--) {
        const int d = order[i];
        const bool repeats = one >> d & 1;
        v.dim[d] = s.dim[d];
        v.stride[d] = repeats ? 0 : *size;
        *size *= repeats ? 1 : s.dim[d];
    }
    return v;
}

static int64_t at(struct shape s, struct view v, int64_t i)
{
    int64_t sum = 0;
    for (int d = s.rank - 1; d >= 0; d--) {
        sum += i % s.dim[d] * v.stride[d];
        i /= s.dim[d];
    }
    return sum;
}

static struct shape random_shape(int64_t most)
{
    struct shape s = {.rank = below(5)};
    for (int d = 0; d < s.rank; d++)
        s.dim[d] = below(4) ? 1 + below(12) : below(6) ? 1 + below(90) : 1 + below(2500);
    return shape_size(s) <= most ? s : random_shape(most);
}

static struct map_program random_program(struct shape s)
{
    static const uint8_t codes[] = {PW_ADD,     PW_SUB,     PW_MUL,    PW_MAX,        PW_MIN,
                                    PW_GREATER, PW_SELECT,  PW_AFFINE, PW_LEAKY_RELU, PW_STEP,
                                    PW_TANH,    PW_SIGMOID, PW_ABS,    PW_SOFTPLUS,   PW_SIGN};
    struct map_program p = {
        .n_in = 1 + below(MAP_INPUTS), .space = s, .reduce = (enum map_reduce)below(3)};
    p.n = below(3) ? below(MAP_LENGTH + 1) : 0;
    for (int i = 0; i < p.n; i++) {
        const int n = p.n_in + i;
        p.inst[i] = (struct map_inst){codes[below(LENGTH(codes))],
                                      (uint8_t)(i ? n - 1 : below(n)),
                                      (uint8_t)below(n),
                                      (uint8_t)below(n),
                                      0.3f,
                                      -0.1f};
    }
    p.axes = (unsigned)below(1 << s.rank);
    p.n_result = p.reduce == MAP_STORE ? 0 : below(MAP_RESULTS + 1);
    for (int i = 0; i < p.n_result; i++)
        p.result[i] = (uint8_t)below(p.n_in + p.n);
    return p;
}

struct map_case {
    struct map_program p;
    const float *in[MAP_INPUTS];
    const void *raw[MAP_INPUTS]; // the same numbers, some of them as bf16
    struct view view[MAP_INPUTS], to;
    int64_t size;
};

static void map_element(const struct map_case *c, int64_t i, double *scale, double *x)
{
    for (int k = 0; k < c->p.n_in; k++)
        x[k] = c->in[k][at(c->p.space, c->view[k], i)];
    for (int k = 0; k < c->p.n; k++) {
        const struct map_inst *s = &c->p.inst[k];
        x[c->p.n_in + k] = (float)pointwise_eval((enum pointwise)s->code, x[s->a], x[s->b], x[s->c],
                                                 s->f0, s->f1);
        *scale = fmax(*scale, fabs(x[c->p.n_in + k]));
    }
}

static void checnmap(struct arena *a, const struct map_case *c)
{
    const bool store = c->p.reduce == MAP_STORE;
    const int64_t n = shape_size(c->p.space), all = c->size * map_results(&c->p);
    double *want = NEW_ARRAY(a, double, all), scale = 1;
    for (int64_t i = 0; i < all; i++)
        want[i] = c->p.reduce == MAP_MAX ? -INFINITY : 0;
    for (int64_t i = 0; i < n; i++) {
        double x[MAP_INPUTS + MAP_LENGTH], *to = &want[at(c->p.space, c->to, i)];
        map_element(c, i, &scale, x);
        for (int k = 0; k < map_results(&c->p); k++, to += c->size) {
            const double r = x[map_result(&c->p, k)];
            *to = store ? r : c->p.reduce == MAP_SUM ? *to + r : fmax(*to, r);
        }
    }
    float *y = NEW_ARRAY(a, float, all);
    const uint16_t *half = (const uint16_t *)y;
    for (int isa = 0; kernels_at(isa); isa++) {
        const struct map_task *t = map_task(a, &c->p, c->raw, c->view, y, c->to);
        (t->reduce == MAP_STORE ? kernels_at(isa)->map_store : kernels_at(isa)->map_reduce)(t);
        for (int64_t i = 0; i < all; i++)
            if (c->to.type == TYPE_F32)
                assert_near("map", kernels_at(isa)->isa, i, y[i], want[i],
                            scale * sqrt((double)(n / c->size)) * 4);
            else if (!(fabs(of_bf16(half[i]) - want[i]) <= 0x1p-8 * fabs(want[i]) + 1e-5 * scale))
                fail_msg("map to bf16 of %s: [%d] is %g, not %g", kernels_at(isa)->isa, (int)i,
                         of_bf16(half[i]), want[i]);
    }
}

// x as bf16, after x itself was rounded to it.
static const void *halved(struct arena *a, float *x, int64_t n)
{
    uint16_t *half = NEW_ARRAY(a, uint16_t, n);
    for (int64_t i = 0; i < n; i++) {
        half[i] = bf16_of(x[i]);
        x[i] = of_bf16(half[i]);
    }
    return half;
}

static void random_maps_give_the_reference(void **state)
{
    (void)state;
    for (int round = 0; round < 600; round++) {
        struct arena *a = arena_new(NULL);
        struct map_case c = {.p = random_program(random_shape(round % 20 ? 6000 : 200000))};
        // steps are discontinuous: keep the operands apart from each other's rounding
        for (int k = 0; k < c.p.n_in; k++) {
            int64_t size;
            c.view[k] = random_view(c.p.space, below(2) ? 0 : (unsigned)below(1 << c.p.space.rank),
                                    &size);
            float *x = numbers(a, size, -1, 1);
            for (int64_t i = 0; i < size; i++)
                x[i] = roundf(x[i] * 512) / 512;
            c.view[k].type = (round + k) % 4 ? TYPE_F32 : TYPE_BF16;
            c.raw[k] = c.view[k].type == TYPE_BF16 ? halved(a, x, size) : x;
            c.in[k] = x;
        }
        c.to = random_view(c.p.space, c.p.reduce == MAP_STORE ? 0 : c.p.axes, &c.size);
        c.to.type = c.p.reduce == MAP_STORE && round % 3 == 0 ? TYPE_BF16 : TYPE_F32;
        checnmap(a, &c);
        arena_free(a);
    }
}

// The shapes that training meets, large enough for every path and for several threads.
static void reductions_give_the_reference(void **state)
{
    (void)state;
    const struct {
        struct shape s;
        int64_t stride[4];
        unsigned axes;
    } cases[] = {
        {{4, {8, 64, 14, 14}}, {64 * 196, 1, 14 * 64, 64}, 13}, // channels-last statistics
        {{4, {8, 3, 32, 32}}, {3 * 1024, 1, 96, 3}, 13},        // few channels
        {{4, {8, 64, 14, 14}}, {64 * 196, 196, 14, 1}, 13},     // plain statistics
        {{4, {8, 64, 14, 14}}, {64 * 196, 196, 14, 1}, 12},     // planes
        {{4, {8, 64, 14, 14}}, {64 * 196, 1, 14 * 64, 64}, 12}, // planes, channels-last
        {{4, {8, 64, 14, 14}}, {64 * 196, 196, 14, 1}, 14},     // samples
        {{4, {8, 64, 14, 14}}, {64 * 196, 196, 14, 1}, 15},     // all
        {{4, {8, 64, 14, 14}}, {64 * 196, 196, 14, 1}, 1},      // the batch
        {{4, {64, 2048, 1, 1}}, {2048, 1, 1, 1}, 1},            // a bias
        {{4, {20000, 10, 1, 1}}, {10, 1, 1, 1}, 2},             // a softmax
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct arena *a = arena_new(NULL);
        struct map_case c = {.p = {.n_in = 1,
                                   .n = (int)i % 2,
                                   .inst = {{.code = PW_SQUARE}},
                                   .reduce = MAP_SUM,
                                   .axes = cases[i].axes,
                                   .space = cases[i].s}};
        c.view[0] = (struct view){.rank = 4};
        memcpy(c.view[0].dim, cases[i].s.dim, sizeof c.view[0].dim);
        memcpy(c.view[0].stride, cases[i].stride, sizeof cases[i].stride);
        c.raw[0] = c.in[0] = numbers(a, shape_size(cases[i].s), -1, 1);
        c.to = random_view(cases[i].s, cases[i].axes, &c.size);
        checnmap(a, &c);
        arena_free(a);
    }
}

// --- copies --------------------------------------------------------------------------------------

static void copies_between_views_move_every_element(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct arena *a = arena_new(NULL);
        const struct shape s = random_shape(round % 20 ? 8000 : 300000);
        int64_t n, m;
        const struct view to = random_view(s, 0, &n),
                          from = random_view(s, below(2) ? 0 : (unsigned)below(1 << s.rank), &m);
        const float *x = numbers(a, m, -1, 1);
        for (int isa = 0; kernels_at(isa); isa++) {
            float *y = NEW_ARRAY(a, float, n);
            struct copy_task t = copy_task(y, to, x, from);
            kernels_at(isa)->copy(&(struct copy_tasks){1, &t});
            for (int64_t i = 0; i < n; i++)
                assert_true(y[at(s, to, i)] == x[at(s, from, i)]);
        }
        arena_free(a);
    }
}

static void upsampling_and_pooling_give_the_reference(void **state)
{
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct arena *a = arena_new(NULL);
        const int64_t N = 1 + below(3), C = 1 + below(40), H = 1 + below(6), W = 1 + below(9),
                      f = 1 + below(3);
        const bool last = round & 1;
        const struct view fine = last ? (struct view){4,
                                                      {N, C, H * f, W * f},
                                                      {C * H * W * f * f, 1, W * f * C, C}}
                                      : (struct view){4,
                                                      {N, C, H * f, W * f},
                                                      {C * H * W * f * f, H * W * f * f, W * f, 1}};
        const struct view coarse = last ? (struct view){4, {N, C, H, W}, {C * H * W, 1, W * C, C}}
                                        : (struct view){4, {N, C, H, W}, {C * H * W, H * W, W, 1}};
        const struct shape s = SHAPE(N, C, H, W), t = SHAPE(N, C, H * f, W * f);
        const int64_t n = shape_size(s), m = shape_size(t);
        float *small = numbers(a, n, -1, 1), *big = NEW_ARRAY(a, float, m),
              *back = NEW_ARRAY(a, float, n);
        for (int isa = 0; kernels_at(isa); isa++) {
            const struct upsample_task up = {small, big, N, C, H, W, f, last, 1 + isa},
                                       down = {big, back, N, C, H, W, f, last, 1 + isa};
            kernels_at(isa)->upsample(&up);
            for (int64_t i = 0; i < m; i++) {
                const int64_t w = i % (W * f) / f, h = i / (W * f) % (H * f) / f,
                              c = i / (W * f * H * f);
                assert_true(big[at(t, fine, i)] == small[at(s, coarse, (c * H + h) * W + w)]);
            }
            kernels_at(isa)->pool_sum(&down);
            for (int64_t i = 0; i < n; i++)
                assert_near("pool_sum", kernels_at(isa)->isa, i, back[i],
                            (double)(f * f) * small[i], 1);
        }
        arena_free(a);
    }
}

// --- draws ---------------------------------------------------------------------------------------

static void draws_have_their_distribution_on_every_isa(void **state)
{
    (void)state;
    enum { N = 70001 };
    static float x[N];
    const struct plan_clock clock = {0x123456789abcdefull, 7};
    for (int kind = RANDOM_UNIFORM; kind <= RANDOM_LABEL; kind++)
        for (int isa = 0; kernels_at(isa); isa++) {
            const double a = kind == RANDOM_LABEL       ? 10
                             : kind == RANDOM_BERNOULLI ? 0.25
                                                        : -0.5,
                         b = 2;
            const struct random_task t = {x, N, 1, 1,      (enum random_kind)kind,
                                          a, b, 3, &clock, 1 + isa};
            kernels_at(isa)->random(&t);
            double sum = 0, squares = 0;
            for (int i = 0; i < N; i++) {
                assert_near("random", kernels_at(isa)->isa, i, x[i],
                            random_at((enum random_kind)kind, a, b, 3, clock, i), 1);
                sum += x[i];
                squares += x[i] * x[i];
            }
            const double mean[] = {0.75, -0.5, 0.25, 4.5},
                         deviation[] = {2.5 / sqrt(12), 2, sqrt(0.1875), sqrt(8.25)};
            sum /= N;
            assert_true(fabs(sum - mean[kind]) < 5 * deviation[kind] / sqrt(N));
            assert_true(fabs(sqrt(squares / N - sum * sum) / deviation[kind] - 1) < 0.02);
        }
}

// Element (n, c, p) draws what it draws anywhere else.
static void an_element_draws_the_same_in_any_layout(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{2, 32, 196}, {3, 100, 4}, {2, 3, 49},  {2, 128, 49},
                                       {5, 1, 16},   {2, 64, 64}, {1, 17, 12}, {3, 5, 1}};
    static float x[2 * 32 * 196];
    const struct plan_clock clock = {0x123456789abcdefull, 7};
    for (size_t k = 0; k < LENGTH(cases); k++)
        for (int isa = 0; kernels_at(isa); isa++) {
            const int64_t C = cases[k][1], P = cases[k][2], n = cases[k][0] * C * P;
            const enum random_kind kind = (enum random_kind)(k % 4);
            const struct random_task t = {x, n, C, P, kind, 0.75, 2, 3, &clock, 1 + isa};
            kernels_at(isa)->random(&t);
            for (int64_t i = 0; i < n; i++)
                assert_near("random, channels last", kernels_at(isa)->isa, i,
                            x[i / (C * P) * C * P + i % P * C + i / P % C],
                            random_at(kind, 0.75, 2, 3, clock, i), 1);
        }
}

// --- labels --------------------------------------------------------------------------------------

static void label_kernels_give_the_reference(void **state)
{
    (void)state;
    enum { N = 9, R = 5, D = 37 };
    struct arena *a = arena_new(NULL);
    const float index[N] = {3, 0, 3, 4, -1, 5, 1, 3, 0};
    const float *table = numbers(a, R * D, -1, 1), *x = numbers(a, N * D, -1, 1);
    float y[N * D];
    for (int isa = 0; kernels_at(isa); isa++) {
        const struct kernels *k = kernels_at(isa);
        k->gather(&(struct label_task){table, index, y, N, R, D, 2});
        for (int i = 0; i < N * D; i++) {
            const int r = (int)index[i / D];
            assert_true(r < 0 || r >= R ? isnan(y[i]) : y[i] == table[r * D + i % D]);
        }
        k->scatter_add(&(struct label_task){x, index, y, N, R, D, 2});
        for (int i = 0; i < R * D; i++) {
            double want = 0;
            for (int n = 0; n < N; n++)
                want += (int)index[n] == i / D ? x[n * D + i % D] : 0;
            assert_near("scatter_add", k->isa, i, y[i], want, 1);
        }
        k->one_hot(&(struct label_task){index, index, y, N, R, R, 1});
        for (int i = 0; i < N * R; i++)
            assert_true(y[i] == (index[i / R] == (float)(i % R)));
    }
    arena_free(a);
}

int main(void)
{
    rng_init(&rng, 11, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_ops_are_as_near_as_promised),
        cmocka_unit_test(no_op_hides_a_nan),
        cmocka_unit_test(random_maps_give_the_reference),
        cmocka_unit_test(reductions_give_the_reference),
        cmocka_unit_test(copies_between_views_move_every_element),
        cmocka_unit_test(upsampling_and_pooling_give_the_reference),
        cmocka_unit_test(draws_have_their_distribution_on_every_isa),
        cmocka_unit_test(an_element_draws_the_same_in_any_layout),
        cmocka_unit_test(label_kernels_give_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
