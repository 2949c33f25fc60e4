// Whatever an op makes of numbers within its inputs' bounds lies within the bounds it names; and a few graphs whose bounds are known.
#include "base/arena.h"
#include "base/philox.h"
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { INTERVALS = 200, DRAWS = 50 };

static double between(struct rng *r, double low, double high)
{
    low = fmax(low, -20);
    high = fmin(high, 20);
    return low + (high - low) * rng_uniform(r);
}

static struct bounds some_bounds(struct rng *r)
{
    const double a = between(r, -10, 10), b = between(r, -10, 10), p = rng_uniform(r);
    return (struct bounds){p < 0.2 ? -INFINITY : fmin(a, b),
                           p > 0.1 && p < 0.3 ? INFINITY : fmax(a, b)};
}

static void check_interval(struct graph *g, enum pointwise op, struct rng *r)
{
    struct value *x[3];
    struct bounds in[3];
    struct attr attr = {0};
    for (int i = 0; i < 3; i++) {
        x[i] = input(g, "x", SHAPE(1));
        in[i] = some_bounds(r);
    }
    attr.number[0] = between(r, -2, 2);
    attr.number[1] = between(r, -2, 2);
    const int arity = pointwise_operands(op);
    struct value *v = graph_add(g, &op_pointwise[op], SHAPE(1), arity, x, attr);
    const struct bounds is = v->op->bounds(v, in);
    assert_true(is.low <= is.high);
    for (int i = 0; i < DRAWS; i++) {
        const double y = pointwise_eval(
            op, between(r, in[0].low, in[0].high), between(r, in[1].low, in[1].high),
            between(r, in[2].low, in[2].high), attr.number[0], attr.number[1]);
        const double near = 1e-9 * (1 + fabs(y));
        if (!isnan(y) && (y < is.low - near || y > is.high + near))
            print_error("%s: %g is not in [%g, %g]\n", op_pointwise[op].name, y, is.low, is.high);
        assert_true(isnan(y) || (y >= is.low - near && y <= is.high + near));
    }
}

static void results_lie_within_bounds(void **state)
{
    (void)state;
    struct rng r;
    int known = 0;
    rng_init(&r, 1, 2);
    for (int op = 0; op < PW_COUNT; op++) {
        struct arena *a = arena_new(NULL);
        known += op_pointwise[op].bounds != NULL;
        for (int i = 0; op_pointwise[op].bounds && i < INTERVALS; i++)
            check_interval(graph_new(a), (enum pointwise)op, &r);
        arena_free(a);
    }
    assert_true(known >= 20);
}

static struct bounds bounds_of(struct value *v)
{
    struct arena *a = arena_new(NULL);
    const struct bounds is = graph_bounds(v->graph, NULL, a)[v->id];
    arena_free(a);
    return is;
}

#define ASSERT_BOUNDS(v, lowest, highest)       \
    do {                                        \
        const struct bounds is_ = bounds_of(v); \
        assert_true(is_.low == (lowest));       \
        assert_true(is_.high == (highest));     \
    } while (0)

static void bounds_of_graphs(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(4, 6)), *e = exp_value(sub(x, reduce_max(x, 2)));
    ASSERT_BOUNDS(x, -INFINITY, INFINITY);
    ASSERT_BOUNDS(tanh_value(x), -1, 1);
    ASSERT_BOUNDS(affine(tanh_value(x), 0.5, 0.5), 0, 1);
    ASSERT_BOUNDS(leaky_relu(x, 0), 0, INFINITY);
    ASSERT_BOUNDS(leaky_relu(x, 0.2), -INFINITY, INFINITY);
    ASSERT_BOUNDS(divide(e, reduce_sum(e, 2)), 0, 1); // a softmax
    ASSERT_BOUNDS(mean(sigmoid(x)), 0, 1);
    ASSERT_BOUNDS(reshape(sigmoid(x), SHAPE(24)), 0, 1);
    ASSERT_BOUNDS(slice(sigmoid(x), 1, 2, 3), 0, 1);
    ASSERT_BOUNDS(reduce_sum(sigmoid(x), 2), 0, 6);
    ASSERT_BOUNDS(matmul(sigmoid(x), sigmoid(x), false, true), -INFINITY, INFINITY);
    ASSERT_BOUNDS(softplus(x), 0, INFINITY);
    ASSERT_BOUNDS(constant(g, 3, SHAPE(2)), 3, 3);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results_lie_within_bounds),
                                       cmocka_unit_test(bounds_of_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
