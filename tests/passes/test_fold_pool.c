// Convolutions beside upsampling and block sums: exactly the numbers they were, with fewer
// products, for the result and both gradients.
#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "codegen/compile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = sin((double)i * 0.7 + v->attr.name[0]);
}

static double **meaning(const struct graph *g)
{
    const struct reference r = {feed, NULL};
    return graph_reference(g, &r, g->arena);
}

static double products(const struct graph *g)
{
    double n = 0;
    for (int i = 0; i < g->n; i++)
        n += g->value[i]->op->multiply_adds ? g->value[i]->op->multiply_adds(g->value[i]) : 0;
    return n;
}

static void add_roots(struct value *y, struct value *x, struct value *w, struct value *b)
{
    struct value *dx[3];
    gradient(sum(mul(square(y), affine(y, 0.3, 1))), (struct value *[]){x, w, b}, 3, dx);
    graph_root(y->graph, "y", y);
    graph_root(y->graph, "dx", dx[0]);
    graph_root(y->graph, "dw", dx[1]);
    graph_root(y->graph, "db", dx[2]);
}

// Runs the passes up to `last`: the same roots, `fewer` times fewer products.
static void check(struct graph *g, const char *last, double fewer)
{
    passes_run(g, "simplify");
    double **before = meaning(g), *want[4];
    const double many = products(g);
    for (int k = 0; k < g->n_root; k++)
        want[k] = before[g->root[k].value->id];
    assert_true(passes_run(g, last));
    double **after = meaning(g);
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0, n = shape_size(g->root[k].value->shape); i < n; i++)
            if (!(fabs(after[g->root[k].value->id][i] - want[k][i]) <=
                  1e-12 * (1 + fabs(want[k][i]))))
                fail_msg("%s of %s", g->root[k].name, last);
    assert_float_equal(many / products(g), fewer, 1e-9);
    arena_free(g->arena);
}

static struct value *channels(struct graph *g, const char *name, int64_t n)
{
    return input(g, name, SHAPE(1, n, 1, 1));
}

struct example {
    int64_t factor, kernel, H, W;
    struct window window;
    double fewer;
};

// conv, bias, mean of blocks
static void a_pooled_convolution_becomes_one_with_a_stride(void **state)
{
    (void)state;
    static const struct example example[] = {
        {2, 3, 6, 8, {{1, 1}, {1, 1, 1, 1}}, 2.25}, // 9·4 / 16
        {2, 3, 8, 6, {{1, 1}, {0}}, 2.25},
        {2, 4, 7, 6, {{1, 1}, {1, 1, 0, 3}}, 64.0 / 25},
        {3, 2, 6, 6, {{1, 1}, {1, 0, 0, 1}}, 36.0 / 16},
        {2, 1, 4, 6, {{1, 1}, {0}}, 4},
    };
    for (size_t i = 0; i < LENGTH(example); i++) {
        const struct example *e = &example[i];
        struct graph *g = graph_new(arena_new(NULL));
        struct value *x = input(g, "x", SHAPE(2, 2, e->H, e->W)),
                     *w = input(g, "w", SHAPE(3, 2, e->kernel, e->kernel)),
                     *b = channels(g, "b", 3);
        struct value *sums = pool_sum(add(conv(x, w, e->window), b), e->factor);
        add_roots(affine(sums, 0.25, 0), x, w, b);
        check(g, "fold_pool", e->fewer);
    }
}

// upsampling, conv of one pixel, bias
static void an_upsampled_convolution_of_one_pixel_is_folded(void **state)
{
    (void)state;
    struct graph *g = graph_new(arena_new(NULL));
    struct value *x = input(g, "x", SHAPE(2, 2, 3, 4)), *w = input(g, "w", SHAPE(3, 2, 1, 1)),
                 *b = channels(g, "b", 3);
    add_roots(add(conv(upsample(x, 2), w, (struct window){{1, 1}, {0}}), b), x, w, b);
    check(g, "fold_upsample", 4);
}

// What something else reads as well, or has a stride already, stays.
static void what_is_read_twice_or_strided_stays(void **state)
{
    (void)state;
    for (int strided = 0; strided < 2; strided++) {
        struct graph *g = graph_new(arena_new(NULL));
        const struct window win = {{1 + strided, 1 + strided}, {1, 1, 1, 1}};
        struct value *y = conv(input(g, "x", SHAPE(2, 2, 8, 8)), input(g, "w", SHAPE(3, 2, 3, 3)),
                               win);
        graph_root(g, "pooled", pool_sum(y, 2));
        if (!strided)
            graph_root(g, "y", square(y));
        assert_false(pass_fold_pool(g));
        arena_free(g->arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pooled_convolution_becomes_one_with_a_stride),
        cmocka_unit_test(an_upsampled_convolution_of_one_pixel_is_folded),
        cmocka_unit_test(what_is_read_twice_or_strided_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
