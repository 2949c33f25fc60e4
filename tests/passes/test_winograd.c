// Winograd's algorithm: its matrices exactly, its maps as adjoints, and convolutions by it against
// convolutions without.
#include "base/arena.h"
#include "base/philox.h"
#include "ir/build.h"
#include "ir/choice.h"
#include "ir/op.h"
#include "ir/winograd_points.h"
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
#include <string.h>
#include <cmocka.h> // last: its fail() is another
#include "support/roots.h"

static double **meaning(struct graph *g)
{
    const struct reference r = {feed, NULL};
    return graph_reference(g, &r, g->arena);
}

static int64_t common_multiple(int64_t a, int64_t b)
{
    int64_t x = a, y = b;
    while (y) {
        const int64_t rest = x % y;
        x = y;
        y = rest;
    }
    return a / x * b;
}

// Σ_q fine[q][j]·coarse[q][m]·weight[q][s]/divisor[q] is 1 where j = m + s and 0 elsewhere: in
// whole numbers, times what all divisors divide.
static void the_transforms_are_exact_in_whole_numbers(void **state)
{
    (void)state;
    for (int n = 1; n <= WINOGRAD_POINTS_MAX; n++)
        for (int r = 1; n + r - 1 <= WINOGRAD_POINTS_MAX; r++) {
            const struct winograd_points t = winograd_points_of(n, r);
            int64_t common = 1;
            for (int q = 0; q < t.q; q++)
                common = common_multiple(common, t.divisor[q]);
            for (int i = 0; i < t.q * n * r; i++) {
                const int j = i / (n * r), m = i / r % n, s = i % r;
                int64_t sum = 0;
                for (int q = 0; q < t.q; q++)
                    sum += t.fine[q][j] * t.coarse[q][m] * t.weight[q][s] * (common / t.divisor[q]);
                assert_int_equal(sum, j == m + s ? common : 0);
            }
        }
}

// ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ for each role; and each is the other's gradient.
static void transforms_and_adjoints_are_each_others_gradients(void **state)
{
    (void)state;
    const struct winograd_tiling t = {3, 2, 4, {1, 0}, {2, 3}};
    const struct shape shape[] = {SHAPE(2, 3, 5, 7), SHAPE(2, 3, 9, 13), SHAPE(4, 3, 4, 4)};
    for (int role = 0; role < 3; role++) {
        struct graph *g = graph_new(arena_new(NULL));
        struct value *x = input(g, "x", shape[role]),
                     *ax = winograd_transform(x, (enum winograd_role)role, t),
                     *y = input(g, "y", ax->shape), *dx, *dy;
        struct value *aty = winograd_transform_adjoint(y, (enum winograd_role)role, t, x->shape);
        struct value *left = sum(mul(ax, y)), *right = sum(mul(x, aty));
        gradient(left, &x, 1, &dx);
        gradient(right, &y, 1, &dy);
        double **v = meaning(g);
        assert_true(fabs(v[left->id][0] - v[right->id][0]) < 1e-9);
        for (int64_t i = 0; i < shape_size(x->shape); i++)
            assert_true(v[dx->id][i] == v[aty->id][i]);
        for (int64_t i = 0; i < shape_size(y->shape); i++)
            assert_true(v[dy->id][i] == v[ax->id][i]);
        arena_free(g->arena);
    }
}

// All `roots` within `limit` of the largest.
static void assert_near(const struct graph *g, struct plan *p, double *want[], int roots,
                        double limit)
{
    for (int k = 0; k < roots; k++) {
        const int64_t n = shape_size(g->root[k].value->shape);
        const float *got = plan_output(p, g->root[k].name);
        double most = 0, off = 0;
        for (int64_t i = 0; i < n; i++) {
            most = fmax(most, fabs(want[k][i]));
            off = fmax(off, fabs(want[k][i] - got[i]));
        }
        if (!(off <= limit * most))
            fail_msg("%s is off by %g of %g", g->root[k].name, off, most);
    }
}

// Every set of kernels, in both layouts, with channels that fill no vector.
static void transform_kernels_give_the_reference(void **state)
{
    (void)state;
    const struct winograd_tiling t = {6, 2, 5, {2, 1}, {2, 1}};
    const struct shape shape[] = {SHAPE(3, 70, 11, 6), SHAPE(3, 70, 21, 12), SHAPE(6, 70, 5, 5)};
    for (int role = 0; role < 3; role++)
        for (int laid = 0; laid < 2; laid++) {
            struct graph *g = graph_new(arena_new(NULL));
            struct value *x = input(g, "x", shape[role]),
                         *ax = winograd_transform(x, (enum winograd_role)role, t);
            graph_root(g, "there", ax);
            graph_root(g, "back",
                       winograd_transform_adjoint(ax, (enum winograd_role)role, t, x->shape));
            double **want = meaning(g),
                   *kept[] = {want[g->root[0].value->id], want[g->root[1].value->id]};
            if (laid)
                pass_assign_layouts(g);
            pass_assign_memory(g);
            struct plan *p = plan_new(g->arena, g, NULL, 0);
            for (int64_t i = 0; i < shape_size(shape[role]); i++)
                plan_input(p, "x")[i] = (float)number(x, i);
            plan_run(p, 0);
            assert_near(g, p, kept, 2, 1e-5);
            arena_free(g->arena);
        }
}

struct example {
    int64_t kernel, H, W;
    struct window window;
    int64_t channels[2]; // of x, of y
};

// y = conv(x, w) and both gradients of (y, d).
static struct graph *convolution(const struct example *e)
{
    struct graph *g = graph_new(arena_new(NULL));
    struct value *x = input(g, "x", SHAPE(8, e->channels[0], e->H, e->W)),
                 *w = input(g, "w", SHAPE(e->channels[1], e->channels[0], e->kernel, e->kernel));
    struct value *y = conv(x, w, e->window), *d = input(g, "d", y->shape);
    graph_root(g, "y", y);
    graph_root(g, "dx", conv_data_grad(d, w, e->window, e->H, e->W));
    graph_root(g, "dw", conv_weight_grad(x, d, e->window, e->kernel, e->kernel));
    return g;
}

static const struct example example[] = {
    {4, 16, 16, {{2, 2}, {1, 1, 1, 1}}, {36, 48}}, {4, 15, 23, {{2, 2}, {1, 2, 2, 0}}, {36, 48}},
    {5, 15, 16, {{2, 2}, {2, 2, 1, 2}}, {36, 48}}, {3, 8, 8, {{1, 1}, {1, 1, 1, 1}}, {36, 48}},
    {3, 9, 10, {{1, 1}, {0, 0, 0, 2}}, {36, 48}},  {4, 9, 8, {{1, 1}, {1, 2, 1, 2}}, {36, 48}},
};

static struct plan *ran(struct graph *g)
{
    assert_true(passes_run(g, NULL));
    struct plan *p = plan_new(g->arena, g, NULL, 0);
    for (int k = 0; k < g->n; k++) {
        const struct value *v = g->value[k];
        float *to = v->attr.name ? plan_input(p, v->attr.name) : NULL;
        for (int64_t i = 0, n = to ? shape_size(v->shape) : 0; i < n; i++)
            to[i] = (float)number(v, i);
    }
    plan_run(p, 0);
    return p;
}

// Three maps and three adjoints, each shared where two ops need it; none where they are transposed off;
// and the same numbers.
static void transforms_are_shared_and_numbers_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(example); i++)
        for (int on = 0; on < 2; on++) {
            struct graph *g = convolution(&example[i]), *exact = convolution(&example[i]);
            double **v = meaning(exact), *want[3];
            for (int k = 0; k < 3; k++)
                want[k] = v[exact->root[k].value->id];
            g->minimal_filtering = on;
            assert_near(g, ran(g), want, 3, 1e-4);
            assert_int_equal(count(g, &op_winograd_transform), 3 * on);
            assert_int_equal(count(g, &op_winograd_transform_adjoint), 3 * on);
            assert_int_equal(count(g, &op_matmul), 3 * on);
            arena_free(g->arena);
            arena_free(exact->arena);
        }
}

// Exactly the convolution, but for float64's rounding.
static void it_is_the_convolution_but_for_rounding(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(example); i++) {
        struct graph *g = convolution(&example[i]);
        double **v = meaning(g), *want[3];
        for (int k = 0; k < 3; k++)
            want[k] = v[g->root[k].value->id];
        compile_for_this_machine(g);
        g->minimal_filtering = true;
        assert_true(pass_winograd(g));
        v = meaning(g);
        for (int k = 0; k < 3; k++)
            for (int64_t n = 0; n < shape_size(g->root[k].value->shape); n++)
                assert_true(fabs(v[g->root[k].value->id][n] - want[k][n]) < 1e-9);
        arena_free(g->arena);
    }
}

// Tiles of n, where they are offered; n·BLOCKS where they are to be computed in blocks.
enum { BLOCKS = WINOGRAD_BLOCKED + 1, OFFERS = 8 * BLOCKS + 1 };
struct forced {
    struct chooser chooser;
    int n;
    bool offered;
};

static void force(struct chooser *c, const struct question *q, int answer[CHOICE_AXES])
{
    struct forced *f = (struct forced *)c;
    for (int o = 0; o < q->n_options; o++)
        f->offered |= q->option[o] == f->n;
    for (int axis = 0; axis < q->n_axes; axis++)
        answer[axis] = f->offered ? f->n : 0;
}

static bool tiled(const struct example *e, int n, double *direct[3])
{
    struct forced forced = {{force}, n, false};
    struct graph *g = convolution(e);
    g->minimal_filtering = true;
    g->chooser = &forced.chooser;
    struct plan *p = ran(g);
    assert_int_equal(count(g, &op_matmul), forced.offered && n < BLOCKS ? 3 : 0);
    assert_near(g, p, direct, 3, 1e-4 / 3); // a factor for more channels than these
    arena_free(g->arena);
    return forced.offered;
}

// Adds what tiles are offered where results are `size` pixels wide and high; results and gradients
// are near those of the direct way.
static void try_tiles(int64_t kernel, int64_t stride, int64_t size, bool offered[OFFERS])
{
    const int64_t H = (size - 1) * stride + kernel - 2;
    const struct example e = {kernel, H, H, {{stride, stride}, {1, 1, 1, 1}}, {64, 64}};
    struct graph *g = convolution(&e);
    struct plan *p = ran(g);
    double *direct[3];
    for (int k = 0; k < 3; k++) {
        const int64_t n = shape_size(g->root[k].value->shape);
        direct[k] = NEW_ARRAY(g->arena, double, n);
        for (int64_t i = 0; i < n; i++)
            direct[k][i] = plan_output(p, g->root[k].name)[i];
    }
    for (int n = 2; n < 9; n++) {
        offered[n] |= tiled(&e, n, direct);
        offered[n * BLOCKS] |= tiled(&e, n * BLOCKS, direct);
    }
    arena_free(g->arena);
}

// Every kernel and stride with every tile that is offered: F(2, ·) to F(4, ·) always, F(5, ·) and
// F(6, ·) where there are points for it and it saves products, as with 10 and with 12 pixels.
static void every_offered_tile_is_exact(void **state)
{
    (void)state;
    for (int64_t stride = 1; stride <= 2; stride++)
        for (int64_t kernel = 2; kernel <= 5; kernel++) {
            const int taps = (int)((kernel + stride - 1) / stride),
                      most = taps == 1 ? 4 : WINOGRAD_POINTS_MAX + 1 - taps;
            bool offered[OFFERS] = {false};
            try_tiles(kernel, stride, 10, offered);
            try_tiles(kernel, stride, 12, offered);
            for (int n = 2; n < 9; n++) {
                assert_int_equal(offered[n], n <= most && n <= 6);
                assert_int_equal(offered[n * BLOCKS], n <= most && n <= 6);
            }
        }
}

// The square error of all results of a product of random polynomials, where what is multiplied is
// off by random parts of itself.
static double square_error(const struct winograd_points *t, struct rng *rng)
{
    double c[WINOGRAD_POINTS_MAX], w[WINOGRAD_POINTS_MAX], error[WINOGRAD_POINTS_MAX] = {0},
                                                           sum = 0;
    for (int i = 0; i < WINOGRAD_POINTS_MAX; i++) {
        c[i] = rng_normal(rng);
        w[i] = rng_normal(rng);
    }
    for (int u = 0; u < t->q; u++) {
        double coarse = 0, weight = 0;
        for (int i = 0; i < t->n; i++)
            coarse += (double)t->coarse[u][i] * c[i];
        for (int i = 0; i < t->r; i++)
            weight += (double)t->weight[u][i] / (double)t->divisor[u] * w[i];
        const double off = coarse * weight * (rng_normal(rng) + rng_normal(rng));
        for (int j = 0; j < t->q; j++)
            error[j] += off * (double)t->fine[u][j];
    }
    for (int j = 0; j < t->q; j++)
        sum += error[j] * error[j];
    return sum;
}

// Directly, n·r products would each be off by a square of two, in the mean.
static void points_are_as_noisy_as_said(void **state)
{
    (void)state;
    enum { ROUNDS = 8000 };
    struct rng rng;
    rng_init(&rng, 1, 2);
    for (int q = 2; q <= WINOGRAD_POINTS_MAX; q++)
        for (int r = 1; r <= 3 && r < q; r++) {
            const struct winograd_points t = winograd_points_of(q + 1 - r, r);
            double sum = 0;
            for (int i = 0; i < ROUNDS; i++)
                sum += square_error(&t, &rng);
            const double is = sum / ROUNDS / (2 * t.n * t.r), said = winograd_noise(t.n, t.r);
            if (!(fabs(is / said - 1) < 0.2))
                fail_msg("F(%d, %d) is off by %g, not %g", t.n, t.r, is, said);
        }
}

// What is too small to pay, or no case of it, stays.
static void what_is_too_small_stays_direct(void **state)
{
    (void)state;
    const struct {
        int64_t channels, kernel;
        struct window window;
    } of[] = {
        {3, 3, {{1, 1}, {1, 1, 1, 1}}},  {64, 1, {{1, 1}, {0}}},
        {64, 6, {{2, 2}, {2, 2, 2, 2}}}, {64, 3, {{1, 2}, {1, 1, 1, 1}}},
        {64, 4, {{3, 3}, {1, 1, 1, 1}}},
    };
    for (size_t i = 0; i < LENGTH(of); i++) {
        struct graph *g = graph_new(arena_new(NULL));
        const int64_t c = of[i].channels, k = of[i].kernel;
        graph_root(g, "y",
                   conv(input(g, "x", SHAPE(64, c, 16, 16)), input(g, "w", SHAPE(c, c, k, k)),
                        of[i].window));
        compile_for_this_machine(g);
        g->minimal_filtering = true;
        assert_false(pass_winograd(g));
        arena_free(g->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transforms_are_exact_in_whole_numbers),
        cmocka_unit_test(transforms_and_adjoints_are_each_others_gradients),
        cmocka_unit_test(transform_kernels_give_the_reference),
        cmocka_unit_test(transforms_are_shared_and_numbers_stay),
        cmocka_unit_test(it_is_the_convolution_but_for_rounding),
        cmocka_unit_test(every_offered_tile_is_exact),
        cmocka_unit_test(points_are_as_noisy_as_said),
        cmocka_unit_test(what_is_too_small_stays_direct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
