// Products that end in pointwise steps (opt/fuse_post_ops.c): against the reference kernels, with and
// without the pass, and what the pass has to leave alone.
#include "base/philox.h"
#include "ir/post_ops.h"
#include "support/against_reference.h"

static struct rng rng;

static int below(int n) { return (int)rng_below(&rng, (uint32_t)n); }

static int ends(const struct graph *g)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += post_ops_of(g->value[i]).n;
    return n;
}

// --- what it computes ----------------------------------------------------------------------------

static struct value *activation(struct value *x, int which)
{
    return which == 0   ? leaky_relu(x, 0.2)
           : which == 1 ? leaky_relu(x, 0)
           : which == 2 ? tanh_value(x)
           : which == 3 ? sigmoid(x)
           : which == 4 ? elu(x, 0.7)
                        : x;
}

// Up to three sums and factors, then perhaps an activation.
static struct value *some_steps(struct value *y, int *n)
{
    struct graph *g = y->graph;
    struct shape one = y->shape;
    for (int d = 0; d < one.rank; d++)
        one.dim[d] = d == 1 ? one.dim[1] : 1;
    for (int i = below(4); i > 0; i--, ++*n)
        switch (below(3)) {
        case 0: y = add(y, input(g, arena_printf(g->arena, "b%d", *n), one)); break;
        case 1: y = affine(y, 0.5, 0); break;
        default: y = add(input(g, arena_printf(g->arena, "r%d", *n), y->shape), y);
        }
    const int which = below(6);
    *n += which < 5;
    return activation(y, which);
}

// What Winograd's algorithm makes of planes: a result, or an image of 9 × 12 pixels.
static struct value *random_planes(struct graph *g)
{
    const bool fine = below(2);
    const int64_t n = 2 + below(3), stride = 1 + below(2), C = 3 + below(6),
                  taps = stride == 1 ? 3 : 2, down = stride == 1 ? 9 : 5,
                  across = stride == 1 ? 12 : 6;
    const struct winograd_tiling t = {
        n, stride, 3, {1, 1}, {(down + n - 1) / n, (across + n - 1) / n}};
    const int64_t points = (n + taps - 1) * (n + taps - 1), rows = 2 * t.count[0] * t.count[1],
                  columns = fine ? stride * stride * C : C;
    return winograd_transform_adjoint(
        matmul(input(g, "a", SHAPE(points, rows, 2)), input(g, "w", SHAPE(points, 2, columns)),
               false, false),
        fine ? TILE_FINE : TILE_COARSE, t, fine ? SHAPE(2, C, 9, 12) : SHAPE(2, C, down, across));
}

static struct value *random_product(struct graph *g)
{
    if (below(3) == 0)
        return random_planes(g);
    const int c = below(2) ? 1 + below(4) : 8 * (1 + below(3)), k = 16 * (1 + below(3)),
              taps = 1 + below(4);
    if (below(2)) {
        const bool ta = below(2), tb = below(2);
        return matmul(input(g, "a", ta ? SHAPE(c, 6) : SHAPE(6, c)),
                      input(g, "w", tb ? SHAPE(k, c) : SHAPE(c, k)), ta, tb);
    }
    const struct window win = {{1 + below(2), 1 + below(2)},
                               {below(2), below(taps), below(taps), below(2)}};
    return conv(input(g, "a", SHAPE(2, c, 9, 17)), input(g, "w", SHAPE(k, c, taps, taps)), win);
}

// The result, what a product makes of it, and the gradient of a sum of its gradient.
static struct graph *random_end(struct arena *a, uint64_t seed, int *n)
{
    struct graph *g = graph_new(a);
    rng_init(&rng, seed, 0);
    struct value *product = random_product(g), *dx[2], *ddx[1];
    struct value *const *in = product->n_in == 2 ? product->in : product->in[0]->in;
    struct value *y = some_steps(product, n);
    struct value *flat = reshape(y, SHAPE(y->shape.dim[0], shape_size(y->shape) / y->shape.dim[0]));
    struct value *z = matmul(flat, input(g, "v", SHAPE(3, flat->shape.dim[1])), false, true);
    gradient(sum(square(affine(z, 0.1, 0))), in, 2, dx);
    gradient(sum(square(dx[0])), in + 1, 1, ddx);
    graph_root(g, "z", z);
    graph_root(g, "dx", dx[0]);
    graph_root(g, "dw", dx[1]);
    graph_root(g, "ddw", ddx[0]);
    return g;
}

static void post_ops_of_random_ends_change_no_value(void **state)
{
    (void)state;
    int found = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct arena *a = arena_new(NULL);
        int n = 0, again = 0;
        struct graph *g = random_end(a, seed, &n), *as_it_was = random_end(a, seed, &again);
        compile_for_this_machine(g);
        if (pass_fuse_post_ops(g))
            found++;
        graph_verify(g, "fuse_post_ops");
        const struct reference source = {feed, NULL};
        double **is = graph_reference(g, &source, a),
               **was = graph_reference(as_it_was, &source, a);
        for (int r = 0; r < g->n_root; r++)
            assert_memory_equal(is[g->root[r].value->id], was[as_it_was->root[r].value->id],
                                sizeof(double) * (size_t)shape_size(g->root[r].value->shape));
        check(g, seed % 4, a, arena_printf(a, "seed %d", (int)seed));
        arena_free(a);
    }
    assert_true(found > 30);
}

// Rounded to bf16 before products, and not after: three digits.
static void bf16_rounds_before_products_only(void **state)
{
    (void)state;
    if (!plan_multiplies(TYPE_BF16))
        skip();
    for (int which = 0; which < 6; which++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        struct value *x = input(g, "x", SHAPE(4, 16, 16, 16)), *y = x;
        for (int i = 0; i < 2; i++) {
            y = conv(y, input(g, i ? "v" : "w", SHAPE(16, 16, 3, 3)),
                     (struct window){{1, 1}, {1, 1, 1, 1}});
            y = add(affine(y, 0.1, 0), input(g, i ? "b" : "c", SHAPE(1, 16, 1, 1)));
            y = activation(add(y, x), which);
        }
        graph_root(g, "y", y);
        const struct reference source = {feed, NULL};
        const struct value *of = y;
        const double *want = graph_reference(g, &source, a)[of->id];
        g->precision = TYPE_BF16;
        passes_run(g, NULL);
        assert_int_equal(ends(g), 6 + 2 * (which < 5));
        struct plan *p = plan_new(a, g, NULL, 0);
        fill(p, g);
        plan_run(p, 0);
        double most = 1;
        for (int64_t i = 0; i < shape_size(of->shape); i++)
            most = fmax(most, fabs(want[i]));
        for (int64_t i = 0; i < shape_size(of->shape); i++)
            if (!(fabs(plan_output(p, "y")[i] - want[i]) < 1e-2 * most))
                fail_msg("%d: %g, not %g", which, plan_output(p, "y")[i], want[i]);
        arena_free(a);
    }
}

// --- what is left alone --------------------------------------------------------------------------

static struct graph *begun(struct value **y)
{
    struct graph *g = graph_new(arena_new(NULL));
    *y = matmul(input(g, "x", SHAPE(4, 8)), input(g, "w", SHAPE(8, 16)), false, false);
    return g;
}

// How many steps the product has taken.
static int taken(struct graph *g, struct value *y)
{
    graph_root(g, "y", y);
    compile_for_this_machine(g);
    pass_fuse_post_ops(g);
    graph_verify(g, "fuse_post_ops");
    const int n = ends(g);
    arena_free(g->arena);
    return n;
}

static void only_what_reads_the_result_alone_is_fused(void **state)
{
    (void)state;
    struct value *y;
    struct graph *g = begun(&y);
    assert_int_equal(taken(g, leaky_relu(y, 0.2)), 1);
    g = begun(&y);
    assert_int_equal(taken(g, leaky_relu(y, -0.2)), 0);
    g = begun(&y);
    graph_root(g, "sums", y);
    assert_int_equal(taken(g, leaky_relu(y, 0.2)), 0);
    g = begun(&y);
    assert_int_equal(taken(g, mul(y, tanh_value(y))), 0);
    g = begun(&y);
    assert_int_equal(taken(g, add(y, y)), 0);
    g = begun(&y);
    assert_int_equal(taken(g, affine(y, 2, 1)), 0);
    // an activation is the last
    g = begun(&y);
    assert_int_equal(taken(g, affine(tanh_value(y), 2, 0)), 1);
    g = begun(&y);
    assert_int_equal(taken(g, add(y, input(g, "r", SHAPE(4, 1)))), 0);
}

static void a_mask_reads_the_sign_of_the_result(void **state)
{
    (void)state;
    struct value *y;
    struct graph *g = begun(&y);
    struct value *h = leaky_relu(y, 0.2);
    assert_int_equal(taken(g, mul(h, step_value(y, 0.2))), 1);
    g = begun(&y);
    h = leaky_relu(y, 0.2);
    assert_int_equal(taken(g, mul(slice(h, 0, 0, 2), step_value(slice(y, 0, 2, 2), 0.2))), 1);
    g = begun(&y);
    h = leaky_relu(y, 0.2);
    assert_int_equal(taken(g, mul(slice(h, 0, 0, 2), slice(y, 0, 2, 2))), 0);
    // not of a bounded function; nor before there is a result
    g = begun(&y);
    h = tanh_value(y);
    assert_int_equal(taken(g, mul(h, step_value(y, 0.2))), 0);
    g = begun(&y);
    struct value *before = step_value(y, 0.2);
    assert_int_equal(taken(g, mul(leaky_relu(y, 0.2), before)), 0);
}

// A product reads the version of its weights that is there.
static void a_product_reads_the_version_that_is_there(void **state)
{
    (void)state;
    for (int between = 0; between < 2; between++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        struct slots slots;
        slots_init(&slots, a);
        struct slot *s = slots_add(&slots, "w", SLOT_PARAM, SHAPE(8, 8), (struct init){0},
                                   (struct place){0});
        struct value *w = param(g, s), *y = matmul(input(g, "x", SHAPE(4, 8)), w, false, false);
        if (!between)
            y = tanh_value(y);
        lerp_slot(w, input(g, "to", SHAPE(8, 8)), 0.5);
        if (between)
            y = tanh_value(y);
        graph_root(g, "y", y);
        compile_for_this_machine(g);
        pass_fuse_post_ops(g);
        graph_verify(g, "fuse_post_ops");
        assert_int_equal(ends(g), !between);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(post_ops_of_random_ends_change_no_value),
        cmocka_unit_test(bf16_rounds_before_products_only),
        cmocka_unit_test(only_what_reads_the_result_alone_is_fused),
        cmocka_unit_test(a_mask_reads_the_sign_of_the_result),
        cmocka_unit_test(a_product_reads_the_version_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
