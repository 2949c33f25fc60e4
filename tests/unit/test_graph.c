// The IR by itself: every op's first and second derivative against central differences in float64,
// and the passes against the graph they started from.
#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/op.h"
#include "ir/update.h"
#include "codegen/compile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

struct fixture {
    struct arena *arena;
    struct graph *graph;
    double *given[4]; // what the inputs "x0" … "x3" hold
};

static void give(void *context, const struct value *v, double *out)
{
    const struct fixture *f = context;
    const double *x = f->given[v->attr.name[1] - '0'];
    memcpy(out, x, sizeof *out * (size_t)shape_size(v->shape));
}

static struct fixture *setup(void)
{
    struct arena *a = arena_new(NULL);
    struct fixture *f = NEW(a, struct fixture);
    *f = (struct fixture){.arena = a, .graph = graph_new(a)};
    return f;
}

static struct value *in(struct fixture *f, int i, struct shape shape, double low, double high)
{
    struct rng r;
    rng_init(&r, 7, (uint64_t)i);
    const int64_t n = shape_size(shape);
    f->given[i] = NEW_ARRAY(f->arena, double, n);
    for (int64_t k = 0; k < n; k++)
        f->given[i][k] = low + (high - low) * rng_uniform(&r);
    return input(f->graph, (char[]){'x', (char)('0' + i), 0}, shape);
}

static double value_of(struct fixture *f, const struct value *v)
{
    struct arena *a = arena_new(NULL);
    const struct reference r = {give, f};
    const double y = graph_reference(f->graph, &r, a)[v->id][0];
    arena_free(a);
    return y;
}

// Compares dy/dx_i with central differences, element by element.
static void check_gradient(struct fixture *f, struct value *y, struct value *const *x, int n,
                           const char *what)
{
    struct value *dx[4];
    gradient(y, x, n, dx);
    struct arena *a = arena_new(NULL);
    const struct reference r = {give, f};
    double **result = graph_reference(f->graph, &r, a);
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < shape_size(x[i]->shape); k++) {
            double *at = &f->given[x[i]->attr.name[1] - '0'][k];
            const double kept = *at, h = 1e-5;
            *at = kept + h;
            const double up = value_of(f, y);
            *at = kept - h;
            const double down = value_of(f, y);
            *at = kept;
            const double numeric = (up - down) / (2 * h), analytic = result[dx[i]->id][k];
            if (fabs(numeric - analytic) > 1e-6 * (1 + fabs(numeric)))
                fail_msg("%s: input %d element %d: %g by differences, %g by gradient", what, i,
                         (int)k, numeric, analytic);
        }
    arena_free(a);
}

// y and |dy/dx|² both differentiate correctly.
static void check_both(struct fixture *f, struct value *v, struct value *const *x, int n,
                       const char *what)
{
    struct value *y = mean(mul(square(v), affine(v, 0.3, 1))), *dx[4], *norm = NULL;
    check_gradient(f, y, x, n, what);
    gradient(y, x, n, dx);
    for (int i = 0; i < n; i++) {
        struct value *s = sum(square(affine(dx[i], 1, 0.1)));
        norm = norm ? add(norm, s) : s;
    }
    check_gradient(f, norm, x, n, what);
    arena_free(f->arena);
}

static void unary_derivatives_are_the_differences(void **state)
{
    (void)state;
    for (int op = PW_AFFINE; op < PW_COUNT; op++) {
        struct fixture *f = setup();
        const bool positive = op == PW_LOG || op == PW_SQRT || op == PW_RSQRT;
        struct value *x = in(f, 0, SHAPE(3, 4), positive ? 0.3 : -1.5, 1.7);
        struct value *v = graph_add(f->graph, &op_pointwise[op], x->shape, 1, &x,
                                    (struct attr){.number = {0.2, 0.5}});
        check_both(f, v, &x, 1, op_pointwise[op].name);
    }
}

static void broadcast_derivatives_are_the_differences(void **state)
{
    (void)state;
    for (int op = PW_ADD; op <= PW_GREATER; op++) {
        struct fixture *f = setup();
        struct value *x[] = {in(f, 0, SHAPE(3, 4, 2), 0.5, 2), in(f, 1, SHAPE(1, 4, 1), 0.4, 1.9)};
        struct value *v = graph_add(f->graph, &op_pointwise[op], x[0]->shape, 2, x,
                                    (struct attr){0});
        check_both(f, v, x, 2, op_pointwise[op].name);
    }
}

static void select_derivatives_are_the_differences(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x[] = {in(f, 0, SHAPE(3, 4), -1, 1), in(f, 1, SHAPE(3, 1), -1, 1)};
    check_both(f, select_value(greater(x[0], x[1]), square(x[0]), mul(x[0], x[1])), x, 2, "select");
}

static void shape_ops_derivatives_are_the_differences(void **state)
{
    (void)state;
    const int perm[] = {2, 0, 3, 1};
    const int64_t before[] = {0, 1, 0, 2}, after[] = {0, 0, 1, 1};
    for (int which = 0; which < 9; which++) {
        struct fixture *f = setup();
        struct value *x = in(f, 0, SHAPE(2, 3, 4, 2), -1, 1), *v = NULL;
        switch (which) {
        case 0: v = reshape(x, SHAPE(6, 8)); break;
        case 1: v = transpose(x, perm); break;
        case 2: v = slice(x, 2, 1, 2); break;
        case 3: v = pad(x, before, after); break;
        case 4: v = concat((struct value *[]){x, square(x), x}, 3, 1); break;
        case 5: v = broadcast(reduce_sum(x, 1 << 2), x->shape); break;
        case 6: v = upsample(x, 2); break;
        case 7: v = pool_sum(x, 2); break;
        case 8: v = reduce_sum(x, 1 << 0 | 1 << 3); break;
        }
        check_both(f, v, &x, 1, v->op->name);
    }
}

static void shift_derivatives_are_the_differences(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x = in(f, 0, SHAPE(3, 2, 4, 3), -1, 1);
    struct value *by = reshape(affine(count_up(f->graph, 6), 1, -2), SHAPE(3, 2)); // −2 … 3
    check_both(f, shift(x, by), &x, 1, "shift");
}

static void resampling_derivatives_are_the_differences(void **state)
{
    (void)state;
    for (int64_t rule = RESAMPLE_REFLECT; rule < RESAMPLE_RULES; rule++)
        for (int larger = 0; larger < 2; larger++) {
            struct fixture *f = setup();
            struct value *x = in(f, 0, SHAPE(2, 2, 3, 5), -1, 1);
            const bool sized = rule != RESAMPLE_REVERSE;
            const struct resampling down = {rule, 3, sized ? 5 : 3, 1},
                                    across = {rule, 5,
                                              !sized   ? 5
                                              : larger ? 8
                                                       : 7,
                                              1},
                                    shrinks = {rule, 5, 3, 0};
            const bool smaller = !larger && rule >= RESAMPLE_NEAREST;
            check_both(f, resample(x, down, smaller ? shrinks : across), &x, 1,
                       resampling_name(rule));
        }
}

static void matmul_derivatives_are_the_differences(void **state)
{
    (void)state;
    for (int t = 0; t < 4; t++) {
        struct fixture *f = setup();
        const bool ta = t & 1, tb = t >> 1;
        struct value *x[] = {in(f, 0, ta ? SHAPE(4, 3) : SHAPE(3, 4), -1, 1),
                             in(f, 1, tb ? SHAPE(2, 4) : SHAPE(4, 2), -1, 1)};
        check_both(f, matmul(x[0], x[1], ta, tb), x, 2, "matmul");
        f = setup();
        struct value *b[] = {in(f, 0, ta ? SHAPE(2, 4, 3) : SHAPE(2, 3, 4), -1, 1),
                             in(f, 1, tb ? SHAPE(2, 2, 4) : SHAPE(2, 4, 2), -1, 1)};
        check_both(f, matmul(b[0], b[1], ta, tb), b, 2, "matmul of batches");
    }
}

static void convolution_derivatives_are_the_differences(void **state)
{
    (void)state;
    const struct window windows[] = {
        {{1, 1}, {1, 1, 1, 1}}, {{2, 2}, {0, 1, 0, 1}}, {{2, 1}, {1, 0, 2, 1}}, {{1, 1}, {0}}};
    for (size_t i = 0; i < LENGTH(windows); i++) {
        struct fixture *f = setup();
        struct value *x[] = {in(f, 0, SHAPE(2, 2, 5, 4), -1, 1),
                             in(f, 1, SHAPE(3, 2, 3, 2), -1, 1)};
        struct value *y = conv(x[0], x[1], windows[i]);
        const struct shape ys = y->shape;
        check_both(f, y, x, 2, "conv");
        f = setup();
        struct value *d[] = {in(f, 0, ys, -1, 1), in(f, 1, SHAPE(3, 2, 3, 2), -1, 1)};
        check_both(f, conv_data_grad(d[0], d[1], windows[i], 5, 4), d, 2, "conv_data_grad");
        f = setup();
        struct value *w[] = {in(f, 0, SHAPE(2, 2, 5, 4), -1, 1), in(f, 1, ys, -1, 1)};
        check_both(f, conv_weight_grad(w[0], w[1], windows[i], 3, 2), w, 2, "conv_weight_grad");
    }
}

// A convolution of an upsampled image and both its gradients, before and after the rewrite: the
// same numbers, no upsampling left.
static void a_folded_upsampling_has_the_same_numbers(void **state)
{
    (void)state;
    const struct {
        int64_t factor, kernel;
        struct window window;
    } cases[] = {
        {2, 3, {{1, 1}, {1, 1, 1, 1}}}, {2, 4, {{1, 1}, {1, 2, 1, 2}}},
        {3, 5, {{1, 1}, {2, 2, 0, 4}}}, {2, 2, {{1, 1}, {0, 1, 1, 0}}},
        {2, 3, {{1, 1}, {0}}},          {4, 5, {{1, 1}, {4, 0, 2, 1}}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct fixture *f = setup();
        const int64_t k = cases[i].kernel;
        struct value *x[] = {in(f, 0, SHAPE(2, 2, 3, 4), -1, 1), in(f, 1, SHAPE(3, 2, k, k), -1, 1),
                             in(f, 2, SHAPE(1, 2, 1, 1), -1, 1)},
                     *dx[3];
        struct value *y = conv(upsample(add(x[0], x[2]), cases[i].factor), x[1], cases[i].window);
        gradient(mean(mul(square(y), affine(y, 0.3, 1))), x, 3, dx);
        struct value *result[] = {y, dx[0], dx[1], dx[2]};
        const struct reference r = {give, f};
        double **before = graph_reference(f->graph, &r, f->arena), *kept[4];
        for (int j = 0; j < 4; j++) {
            graph_root(f->graph, (char[]){(char)('a' + j), 0}, result[j]);
            kept[j] = before[result[j]->id];
        }
        assert_true(passes_run(f->graph, "fold_upsample"));
        for (int j = 0; j < f->graph->n; j++)
            assert_true(f->graph->value[j]->op != &op_upsample &&
                        f->graph->value[j]->op != &op_pool_sum &&
                        (f->graph->value[j]->op != &op_conv_data_grad ||
                         f->graph->value[j]->attr.factor.by == cases[i].factor));
        double **after = graph_reference(f->graph, &r, f->arena);
        for (int j = 0; j < 4; j++) {
            const struct value *v = f->graph->root[j].value;
            for (int64_t n = 0; n < shape_size(v->shape); n++)
                assert_true(fabs(after[v->id][n] - kept[j][n]) < 1e-12 * (1 + fabs(kept[j][n])));
        }
        arena_free(f->arena);
    }
}

static void upsampled_kernel_derivatives_are_the_differences(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *w = in(f, 0, SHAPE(2, 3, 3, 2), -1, 1);
    check_both(f, upsampled_kernel(w, 2), &w, 1, "upsampled_kernel");
    f = setup();
    w = in(f, 0, SHAPE(3, 2, 4, 3), -1, 1);
    check_both(f, upsampled_kernel_grad(w, 2), &w, 1, "upsampled_kernel_grad");
    f = setup();
    w = in(f, 0, SHAPE(2, 3, 3, 2), -1, 1);
    check_both(f, pooled_kernel(w, 2), &w, 1, "pooled_kernel");
    f = setup();
    w = in(f, 0, SHAPE(3, 2, 4, 3), -1, 1);
    check_both(f, pooled_kernel_grad(w, 2), &w, 1, "pooled_kernel_grad");
}

static void label_derivatives_are_the_differences(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *table = in(f, 0, SHAPE(5, 3), -1, 1), *index = in(f, 1, SHAPE(4), 0, 0);
    memcpy(f->given[1], (double[]){3, 0, 3, 4}, sizeof(double[4]));
    check_both(f, gather(table, index), &table, 1, "gather");
    f = setup();
    struct value *x = in(f, 0, SHAPE(4, 3), -1, 1);
    index = in(f, 1, SHAPE(4), 0, 0);
    memcpy(f->given[1], (double[]){3, 0, 3, 4}, sizeof(double[4]));
    check_both(f, scatter_add(x, index, 5), &x, 1, "scatter_add");
}

static void detach_stops_the_gradient(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x = in(f, 0, SHAPE(3), 1, 2), *dx;
    struct value *y = sum(mul(x, detach(x)));
    gradient(y, &x, 1, &dx);
    const struct reference r = {give, f};
    double **result = graph_reference(f->graph, &r, f->arena);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(result[dx->id][i] - f->given[0][i]) < 1e-12);
    arena_free(f->arena);
}

// Passes keep the meaning: a batch normalised, penalised by its second derivative, before and
// after.
static void passes_keep_first_and_second_derivatives(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x[] = {in(f, 0, SHAPE(3, 2, 4, 4), -1, 1), in(f, 1, SHAPE(2, 2, 3, 3), -1, 1)};
    struct value *h = conv(x[0], x[1], (struct window){{1, 1}, {1, 1, 1, 1}}), *dx[2];
    struct value *centred = sub(h, mean_axes(h, 1 << 0 | 1 << 2 | 1 << 3));
    struct value *n = mul(
        centred,
        rsqrt_value(affine(mean_axes(square(centred), 1 << 0 | 1 << 2 | 1 << 3), 1, 1e-5)));
    gradient(mean(leaky_relu(n, 0.2)), x, 1, dx);
    struct value *y = add(mean(square(leaky_relu(n, 0.2))), sum(square(dx[0])));
    gradient(y, x, 2, dx);
    graph_root(f->graph, "y", y);
    graph_root(f->graph, "dw", dx[1]);
    const struct reference r = {give, f};
    const double *before = graph_reference(f->graph, &r, f->arena)[dx[1]->id];
    const double y_before = value_of(f, y);
    const int size = f->graph->n;
    assert_true(passes_run(f->graph, "simplify"));
    assert_true(f->graph->n < size * 3 / 4);
    const struct value *after = graph_find_root(f->graph, "dw");
    const double *now = graph_reference(f->graph, &r, f->arena)[after->id];
    for (int64_t i = 0; i < shape_size(after->shape); i++)
        assert_true(fabs(before[i] - now[i]) < 1e-9 * (1 + fabs(now[i])));
    assert_true(fabs(value_of(f, graph_find_root(f->graph, "y")) - y_before) < 1e-9);
    arena_free(f->arena);
}

// m ← m + g, p ← p − m
static void add_up(const void *options, double *p, const double *g, double *const *moment,
                   const double *number, int64_t from, int64_t to)
{
    (void)options, (void)number;
    for (int64_t i = from; i < to; i++)
        p[i] -= moment[0][i] += g[i];
}

static void zeros(void *context, const struct value *v, double *out)
{
    (void)context;
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
}

static void a_second_update_finds_the_moments_of_the_first(void **state)
{
    (void)state;
    static const struct update_rule rule = {"add_up", add_up};
    struct fixture *f = setup();
    struct slots slots;
    slots_init(&slots, f->arena);
    const struct place nowhere = {0};
    struct slot *w = slots_add(&slots, "w", SLOT_PARAM, SHAPE(2), (struct init){0}, nowhere),
                *m = slots_add(&slots, "m", SLOT_MOMENT, SHAPE(2), (struct init){0}, nowhere);
    struct value *g = constant(f->graph, 1, SHAPE(2)),
                 *number = constant(f->graph, 0, SHAPE(UPDATE_NUMBERS));
    struct value *once = update_slot(&rule, NULL, 0, param(f->graph, w), g, number, &m, 1);
    struct value *twice = update_slot(&rule, NULL, 0, once, g, number, &m, 1);
    const struct reference r = {zeros, NULL};
    double **result = graph_reference(f->graph, &r, f->arena);
    assert_true(result[once->id][0] == -1 && result[twice->id][0] == -3);
    arena_free(f->arena);
}

// What stands in a shape beyond its rank says nothing.
static void equal_values_merge_whatever_stands_beyond_their_rank(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct shape same = SHAPE(2, 3);
    same.dim[4] = 7;
    graph_root(f->graph, "a", square(constant(f->graph, 2, SHAPE(2, 3))));
    graph_root(f->graph, "b", square(constant(f->graph, 2, same)));
    while (pass_cse(f->graph))
        ;
    assert_ptr_equal(graph_find_root(f->graph, "a"), graph_find_root(f->graph, "b"));
    arena_free(f->arena);
}

// The same draw, the same op, the same version: one value. After an update: two.
static void equal_ops_on_other_versions_stay_two(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct slots slots;
    slots_init(&slots, f->arena);
    struct slot *w = slots_add(&slots, "w", SLOT_PARAM, SHAPE(2), (struct init){0},
                               (struct place){0});
    struct graph *g = f->graph;
    struct value *w0 = param(g, w), *again = param(g, w);
    struct value *a = square(w0), *b = square(again);
    struct value *w1 = lerp_slot(w0, a, 0.5);
    struct value *c = square(w1);
    graph_root(g, "a", a);
    graph_root(g, "b", b);
    graph_root(g, "c", c);
    passes_run(g, "simplify");
    assert_ptr_equal(graph_find_root(g, "a"), graph_find_root(g, "b"));
    assert_ptr_not_equal(graph_find_root(g, "a"), graph_find_root(g, "c"));
    arena_free(f->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_derivatives_are_the_differences),
        cmocka_unit_test(broadcast_derivatives_are_the_differences),
        cmocka_unit_test(select_derivatives_are_the_differences),
        cmocka_unit_test(shape_ops_derivatives_are_the_differences),
        cmocka_unit_test(resampling_derivatives_are_the_differences),
        cmocka_unit_test(shift_derivatives_are_the_differences),
        cmocka_unit_test(matmul_derivatives_are_the_differences),
        cmocka_unit_test(convolution_derivatives_are_the_differences),
        cmocka_unit_test(a_folded_upsampling_has_the_same_numbers),
        cmocka_unit_test(upsampled_kernel_derivatives_are_the_differences),
        cmocka_unit_test(label_derivatives_are_the_differences),
        cmocka_unit_test(detach_stops_the_gradient),
        cmocka_unit_test(passes_keep_first_and_second_derivatives),
        cmocka_unit_test(equal_ops_on_other_versions_stay_two),
        cmocka_unit_test(equal_values_merge_whatever_stands_beyond_their_rank),
        cmocka_unit_test(a_second_update_finds_the_moments_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
