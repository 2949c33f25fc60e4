// Sums and squares of deviations, and the sums of a normalisation's gradient, in every instruction
// set and over every way a tensor can lie, against two passes in float64.
#include "base/arena.h"
#include "base/philox.h"
#include "ir/op.h"
#include "codegen/tasks.h"
#include "kernels/kernel_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

// Numbers [kept index] of an (A, B, C) tensor that lies as `stride` says.
struct lying {
    int64_t dim[3], stride[3];
    unsigned axes;
};

static const struct lying layouts[] = {
    {{8, 64, 196}, {64 * 196, 1, 64}, 5},     // channels-last statistics, several threads
    {{4, 2048, 11}, {2048 * 11, 1, 2048}, 5}, // of rows that are longer than a block
    {{9, 77, 20}, {77 * 20, 1, 77}, 5},       // of no whole vectors
    {{16, 3, 900}, {3 * 900, 1, 3}, 5},       // few channels
    {{8, 64, 196}, {64 * 196, 196, 1}, 5},    // plain statistics
    {{8, 64, 196}, {64 * 196, 196, 1}, 4},    // planes
    {{8, 64, 196}, {64 * 196, 1, 64}, 4},     // planes, channels-last
    {{8, 64, 196}, {64 * 196, 196, 1}, 6},    // samples
    {{8, 64, 196}, {64 * 196, 196, 1}, 7},    // all
    {{1, 64, 1}, {64, 1, 1}, 5},              // of one number each
};

enum { DIMS = 3 };

static int64_t place(const struct lying *l, int64_t i, int64_t *kept)
{
    int64_t at = 0, step = 1;
    *kept = 0;
    for (int d = DIMS - 1; d >= 0; d--) {
        const int64_t k = i % l->dim[d];
        at += k * l->stride[d];
        i /= l->dim[d];
        if (l->axes >> d & 1)
            continue;
        *kept += k * step;
        step *= l->dim[d];
    }
    return at;
}

// What beside `mean` deviates by up to 0.01; every third result begins with zeros.
static float number(struct rng *rng, int64_t i, int64_t n, int64_t kept, double mean)
{
    const double x = mean + 0.02 * (rng_uniform(rng) - 0.5);
    return kept % 3 == 1 && i < n / 7 ? 0 : (float)x;
}

static void check(const struct lying *l, const float *x, const float *y, int64_t n, int64_t kept,
                  bool squared, const char *isa)
{
    struct arena *a = arena_new(NULL);
    double *sum = NEW_ARRAY(a, double, kept), *square = NEW_ARRAY(a, double, kept);
    const double each = (double)(n / kept);
    int64_t to;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < n; i++) {
            double v = x[place(l, i, &to)];
            v = squared ? (float)(v * v) : v;
            if (pass == 0)
                sum[to] += v;
            else
                square[to] += pow(v - sum[to] / each, 2);
        }
    for (int64_t i = 0; i < kept; i++)
        if (!(fabs(y[i] - sum[i]) <= 1e-6 * (each + fabs(sum[i])) &&
              fabs(y[kept + i] - square[i]) <= 1e-5 * square[i] + 1e-9))
            fail_msg("%s: moments %d are %.9g and %.9g, not %.9g and %.9g", isa, (int)i, y[i],
                     y[kept + i], sum[i], square[i]);
    arena_free(a);
}

// As it lies, as bf16, and of what a program makes.
static void mean_and_variance_are_right_in_every_layout(void **state)
{
    (void)state;
    struct rng rng = {0};
    for (size_t k = 0; k < LENGTH(layouts) * 3; k++) {
        struct arena *a = arena_new(NULL);
        const struct lying *l = &layouts[k / 3];
        const bool half = k % 3 == 1, squared = k % 3 == 2;
        struct view from = {.rank = DIMS, .type = half ? TYPE_BF16 : TYPE_F32}, to = {.rank = DIMS};
        struct map_program p = {.n_in = 1,
                                .n = squared,
                                .inst = {{.code = PW_SQUARE}},
                                .reduce = MAP_SUM_VAR,
                                .axes = l->axes,
                                .n_result = 2,
                                .result = {squared, squared},
                                .space = SHAPE(l->dim[0], l->dim[1], l->dim[2])};
        int64_t n = 1, kept = 1, at;
        for (int d = DIMS - 1; d >= 0; d--) {
            from.dim[d] = to.dim[d] = l->dim[d];
            from.stride[d] = l->stride[d];
            to.stride[d] = l->axes >> d & 1 ? 0 : kept;
            kept *= l->axes >> d & 1 ? 1 : l->dim[d];
            n *= l->dim[d];
        }
        float *x = NEW_ARRAY(a, float, n), *y = NEW_ARRAY(a, float, 2 * kept);
        uint16_t *h = NEW_ARRAY(a, uint16_t, n);
        for (int64_t i = 0; i < n; i++) {
            const int64_t in = place(l, i, &at);
            x[in] = number(&rng, i, n, at, k % 3 ? 1 : 1000);
            h[in] = bf16_of(x[in]);
            x[in] = half ? of_bf16(h[in]) : x[in];
        }
        const void *in = half ? (const void *)h : x;
        for (int isa = 0; kernels_at(isa); isa++) {
            kernels_at(isa)->map_reduce(map_task(a, &p, &in, &from, y, to));
            check(l, x, y, n, kept, squared, kernels_at(isa)->isa);
        }
        arena_free(a);
    }
}

enum { DY, X, MEAN, SCALE, SHIFT, OPERANDS };

// Σ g and Σ g·d of column j: d = x − mean, g = dy where d·scale + shift > 0, else dy/4.
static void gated(const float *const *x, int64_t rows, int64_t C, int64_t j, double *want)
{
    want[0] = want[1] = 0;
    for (int64_t i = j; i < rows * C; i += C) {
        const float d = x[X][i] - x[MEAN][j], u = d * x[SCALE][j] + x[SHIFT][j];
        const double g = u > 0 ? x[DY][i] : 0.25 * x[DY][i];
        want[0] += g;
        want[1] += g * d;
    }
}

// The sums that a normalisation's gradient begins with, in two orders.
static void gated_sums_are_right_in_both_orders(void **state)
{
    (void)state;
    const int64_t sizes[][2] = {{4096, 64}, {700, 77}, {300, 512}, {2000, 3}, {9, 1024}, {5, 1200}};
    struct rng rng = {0};
    for (size_t k = 0; k < 2 * LENGTH(sizes); k++) {
        struct arena *a = arena_new(NULL);
        const int64_t rows = sizes[k / 2][0], C = sizes[k / 2][1];
        const uint8_t transposed = k % 2;
        const struct map_program p = {
            .n_in = OPERANDS,
            .n = 6,
            .inst = {{PW_SUB, X, MEAN},
                     {PW_MUL, transposed ? SCALE : 5, transposed ? 5 : SCALE},
                     {PW_ADD, transposed ? SHIFT : 6, transposed ? 6 : SHIFT},
                     {.code = PW_STEP, .a = 7, .f0 = 0.25f},
                     {PW_MUL, DY, 8},
                     {PW_MUL, transposed ? 5 : 9, transposed ? 9 : 5}},
            .reduce = MAP_SUM,
            .axes = 1,
            .n_result = 2,
            .result = {9 + transposed, 10 - transposed},
            .space = SHAPE(rows, C)};
        const float *x[OPERANDS];
        struct view view[OPERANDS];
        for (int i = 0; i < OPERANDS; i++) {
            const int64_t n = i < MEAN ? rows * C : C;
            float *to = NEW_ARRAY(a, float, n);
            for (int64_t j = 0; j < n; j++) // no gate is asked for the sign of a rounding
                to[j] = (float)((int)rng_below(&rng, 513) - 256) / 64 + (i == SHIFT) * 0x1p-15f;
            x[i] = to;
            view[i] = (struct view){2, {rows, C}, {i < MEAN ? C : 0, 1}};
        }
        float *y = NEW_ARRAY(a, float, 2 * C);
        for (int isa = 0; kernels_at(isa); isa++) {
            kernels_at(isa)->map_reduce(map_task(a, &p, (const void *const *)x, view, y,
                                                 (struct view){2, {rows, C}, {0, 1}}));
            for (int64_t j = 0; j < 2 * C; j++) {
                double want[2];
                gated(x, rows, C, j % C, want);
                if (!(fabs(y[j] - want[(j / C) ^ transposed]) <= 2e-5 * (double)rows))
                    fail_msg("%s: sum %d of %d is %.9g, not %.9g", kernels_at(isa)->isa, (int)j,
                             (int)C, y[j], want[(j / C) ^ transposed]);
            }
        }
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_variance_are_right_in_every_layout),
        cmocka_unit_test(gated_sums_are_right_in_both_orders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
