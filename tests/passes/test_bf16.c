// Products of bf16: what the kernels round, which values the pass keeps as bf16, and convolutions
// and matrix products against float64, within what rounding the operands explains.
#include "base/arena.h"
#include "ir/build.h"
#include "ir/choice.h"
#include "ir/op.h"
#include "opt/winograd.h"
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "codegen/tasks.h"
#include "support/numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static double widened(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void round_all(const struct kernels *k, struct arena *a, const float *x, uint16_t *y, int n)
{
    const struct map_program copy = {.n_in = 1, .space = SHAPE(n)};
    const struct view from = {1, {n}, {1}}, to = {1, {n}, {1}, TYPE_BF16};
    k->map_store(map_task(a, &copy, (const void *[]){x}, &from, y, to));
}

// No bf16 is nearer, and of two as near it is the even one; NaN and infinities stay.
static void rounding_is_to_the_nearest_even(void **state)
{
    (void)state;
    enum { N = 4096 };
    static const float special[] = {0,    -0.0f,        INFINITY,    -INFINITY,   NAN,
                                    -NAN, 3.4e38f,      1.00390625f, 1.01171875f, 1e-38f,
                                    1.0f, -1.00390625f, 3.3895e38f};
    struct arena *a = arena_new(NULL);
    float *x = NEW_ARRAY(a, float, N);
    uint16_t *y = NEW_ARRAY(a, uint16_t, N);
    struct value seed = {.attr.name = "r"};
    for (int i = 0; i < N; i++)
        x[i] = ldexpf((float)number(&seed, i), i % 60 - 30);
    memcpy(x, special, sizeof special);
    for (int isa = 0; kernels_at(isa); isa++) {
        round_all(kernels_at(isa), a, x, y, N);
        for (int i = 0; i < N; i++) {
            const double got = widened(y[i]), off = fabs(got - x[i]);
            if (!isfinite(x[i])) {
                assert_true(isnan(x[i]) ? isnan(got) : got == x[i]);
                continue;
            }
            if (isinf(got)) {
                assert_true(fabsf(x[i]) >= 0x1.ffp127f);
                continue;
            }
            const double up = fabs(widened((uint16_t)(y[i] + 1)) - x[i]),
                         down = y[i] & 0x7fff ? fabs(widened((uint16_t)(y[i] - 1)) - x[i]) : 1;
            assert_true(off <= up && off <= down);
            assert_true((off != up && off != down) || !(y[i] & 1));
        }
    }
    arena_free(a);
}

// Widening is exact.
static void widening_is_exact(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    struct arena *a = arena_new(NULL);
    uint16_t *x = NEW_ARRAY(a, uint16_t, N);
    float *y = NEW_ARRAY(a, float, N);
    const struct map_program copy = {.n_in = 1, .space = SHAPE(N)};
    const struct view from = {1, {N}, {1}, TYPE_BF16}, to = {1, {N}, {1}};
    for (int i = 0; i < N; i++)
        x[i] = (uint16_t)i;
    for (int isa = 0; kernels_at(isa); isa++) {
        kernels_at(isa)->map_store(map_task(a, &copy, (const void *[]){x}, &from, y, to));
        for (int i = 0; i < N; i++)
            assert_true(isnan(widened(x[i])) ? isnan(y[i]) : y[i] == (float)widened(x[i]));
    }
    arena_free(a);
}

static int count(const struct graph *g, bool (*is)(const struct value *v))
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += is(g->value[i]);
    return n;
}

static bool takes_bf16(const struct value *v) { return v->takes == TYPE_BF16; }

static bool is_bf16(const struct value *v) { return v->type == TYPE_BF16; }

static const struct window same = {{1, 1}, {1, 1, 1, 1}};

// relu(conv(x)) is written as bf16, for the next convolution and for the sum that only reads it; x
// is rounded apart from it, since an input arrives as float32; weights are rounded with the reorder
// they need anyway.
static void a_value_is_written_as_its_readers_want_it(void **state)
{
    (void)state;
    for (int precision = TYPE_F32; precision <= TYPE_BF16; precision++) {
        struct graph *g = graph_new(arena_new(NULL));
        g->precision = (enum type)precision;
        struct value *x = input(g, "x", SHAPE(2, 32, 8, 8)),
                     *v = input(g, "v", SHAPE(32, 32, 3, 3)),
                     *w = input(g, "w", SHAPE(32, 32, 3, 3));
        struct value *h = leaky_relu(conv(x, v, same), 0.2);
        graph_root(g, "y", conv(h, w, same));
        graph_root(g, "s", sum(h));
        passes_run(g, "bf16");
        assert_int_equal(count(g, takes_bf16), 2 * precision);
        assert_int_equal(count(g, is_bf16), precision);
        assert_int_equal(graph_find_root(g, "y")->in[0]->type, precision);
        arena_free(g->arena);
    }
}

// What is too little work, what crops, and the weight gradient of a small picture stay.
static void what_gains_nothing_stays_float32(void **state)
{
    (void)state;
    struct graph *g = graph_new(arena_new(NULL));
    g->precision = TYPE_BF16;
    struct value *x = input(g, "x", SHAPE(32, 64, 4, 4)), *d = input(g, "d", SHAPE(32, 64, 4, 4)),
                 *w = input(g, "w", SHAPE(64, 64, 3, 3));
    const struct window crop = {{1, 1}, {-1, 0, 0, 0}};
    graph_root(g, "small", matmul(input(g, "a", SHAPE(8, 4)), input(g, "b", SHAPE(4, 8)), 0, 0));
    graph_root(g, "dw", conv_weight_grad(x, d, same, 3, 3));
    graph_root(g, "crop", conv(x, w, crop));
    assert_false(pass_bf16(g));
    assert_int_equal(count(g, is_bf16), 0);
    arena_free(g->arena);
}

// Σ |products|, which the rounding of operands is a part of.
static void magnitude(void *context, const struct value *v, double *out)
{
    feed(context, v, out);
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = fabs(out[i]);
}

static void keep_roots(const struct graph *g,
                       void (*numbers)(void *, const struct value *, double *), double **to)
{
    const struct reference r = {numbers, NULL};
    double **v = graph_reference(g, &r, g->arena);
    for (int k = 0; k < g->n_root; k++)
        to[k] = v[g->root[k].value->id];
}

// Products alone under the roots; each operand is off by 2^-9 of itself at most, and so is a result
// that is itself kept as bf16. `slack` is for Winograd's planes.
static void check(struct graph *g, double slack, int least)
{
    double *want[8], *scale[8];
    keep_roots(g, feed, want);
    keep_roots(g, magnitude, scale);
    g->precision = TYPE_BF16;
    assert_true(passes_run(g, NULL));
    assert_true(count(g, takes_bf16) >= least);
    struct plan *p = plan_new(g->arena, g, NULL, 0);
    for (int k = 0; k < g->n; k++) {
        const struct value *v = g->value[k];
        float *to = v->attr.name ? plan_input(p, v->attr.name) : NULL;
        for (int64_t i = 0, n = to ? shape_size(v->shape) : 0; i < n; i++)
            to[i] = (float)number(v, i);
    }
    plan_run(p, 0);
    double most[8] = {0};
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0; i < shape_size(g->root[k].value->shape); i++)
            most[k] = fmax(most[k], scale[k][i]);
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0; i < shape_size(g->root[k].value->shape); i++) {
            const double got = plan_output(p, g->root[k].name)[i];
            if (!(fabs(got - want[k][i]) <= slack * 0x1p-8 * most[k]))
                fail_msg("%s[%d] is %g, not %g ± %g", g->root[k].name, (int)i, got, want[k][i],
                         slack * 0x1p-8 * most[k]);
        }
    arena_free(g->arena);
}

static struct graph *convolution(int64_t n, int64_t c, int64_t k, int64_t kernel, int64_t H,
                                 struct window window)
{
    struct graph *g = graph_new(arena_new(NULL));
    struct value *x = input(g, "x", SHAPE(n, c, H, H)),
                 *w = input(g, "w", SHAPE(k, c, kernel, kernel));
    struct value *y = conv(x, w, window), *d = input(g, "d", y->shape);
    graph_root(g, "y", y);
    graph_root(g, "dx", conv_data_grad(d, w, window, H, H));
    graph_root(g, "dw", conv_weight_grad(x, d, window, kernel, kernel));
    return g;
}

static bool able(void)
{
    if (plan_multiplies(TYPE_BF16))
        return true;
    printf("skipped: no products of bf16 here, only %s\n", plan_isa());
    return false;
}

static void rounded_convolutions_give_the_reference(void **state)
{
    (void)state;
    const struct window two = {{2, 2}, {1, 1, 1, 1}};
    if (!able())
        skip();
    check(convolution(2, 36, 48, 4, 16, two), 1, 3);
    check(convolution(2, 16, 32, 3, 9, same), 1, 3);
    check(convolution(2, 3, 64, 5, 17, two), 1, 1);
}

static void winograd_of_bf16_products_gives_the_reference(void **state)
{
    (void)state;
    const struct window two = {{2, 2}, {1, 1, 1, 1}};
    if (!able())
        skip();
    for (int i = 0; i < 2; i++) {
        struct graph *g = i ? convolution(8, 64, 64, 3, 16, same)
                            : convolution(8, 64, 64, 4, 16, two);
        g->minimal_filtering = true;
        check(g, 1, 3);
    }
}

// Blocks with tiles of 4 × 2.
static void say_blocks(struct chooser *c, const struct question *q, int answer[CHOICE_AXES])
{
    (void)c;
    for (int axis = 0; axis < q->n_axes; axis++)
        answer[axis] = WINOGRAD_BLOCKED * 4 + 2;
}

// Nothing is rounded but inside.
static void blocks_round_inside_only(void **state)
{
    (void)state;
    struct chooser chooser = {say_blocks};
    if (!able())
        skip();
    struct graph *g = convolution(8, 64, 64, 4, 16, (struct window){{2, 2}, {1, 1, 1, 1}});
    g->minimal_filtering = true;
    g->chooser = &chooser;
    check(g, 1, 3);
}

static void rounded_matmuls_give_the_reference(void **state)
{
    (void)state;
    if (!able())
        skip();
    for (int transposed = 0; transposed < 4; transposed++) {
        struct graph *g = graph_new(arena_new(NULL));
        const bool ta = transposed & 1, tb = transposed & 2;
        struct value *a = input(g, "a", ta ? SHAPE(3, 40, 70) : SHAPE(3, 70, 40)),
                     *b = input(g, "b", tb ? SHAPE(3, 90, 40) : SHAPE(3, 40, 90));
        graph_root(g, "y", matmul(a, b, ta, tb));
        graph_root(g, "z", matmul(matmul(a, b, ta, tb), input(g, "c", SHAPE(3, 90, 50)), 0, 0));
        check(g, 2, 2);
    }
}

// The same bits every time.
static void bf16_gives_the_same_bits_every_time(void **state)
{
    (void)state;
    if (!able())
        skip();
    float *first = NULL;
    for (int round = 0; round < 3; round++) {
        struct graph *g = convolution(4, 32, 32, 3, 16, same);
        g->precision = TYPE_BF16;
        passes_run(g, NULL);
        struct plan *p = plan_new(g->arena, g, NULL, 0);
        for (int k = 0; k < g->n; k++)
            for (int64_t i = 0; g->value[k]->attr.name && i < shape_size(g->value[k]->shape); i++)
                plan_input(p, g->value[k]->attr.name)[i] = (float)number(g->value[k], i);
        plan_run(p, 0);
        const size_t bytes = 32 * 32 * 9 * sizeof(float);
        if (!first)
            first = memcpy(malloc(bytes), plan_output(p, "dw"), bytes);
        assert_memory_equal(first, plan_output(p, "dw"), bytes);
        arena_free(g->arena);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_to_the_nearest_even),
        cmocka_unit_test(widening_is_exact),
        cmocka_unit_test(a_value_is_written_as_its_readers_want_it),
        cmocka_unit_test(what_gains_nothing_stays_float32),
        cmocka_unit_test(rounded_convolutions_give_the_reference),
        cmocka_unit_test(winograd_of_bf16_products_gives_the_reference),
        cmocka_unit_test(blocks_round_inside_only),
        cmocka_unit_test(rounded_matmuls_give_the_reference),
        cmocka_unit_test(bf16_gives_the_same_bits_every_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
