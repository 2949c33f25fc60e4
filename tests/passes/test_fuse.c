// Fusion: what becomes one loop, as text; and random graphs, fused and not, in float64 by the
// reference and in float32 by plans, plain and laid out.
#include "base/arena.h"
#include "base/philox.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/map_program.h"
#include "ir/op.h"
#include "codegen/compile.h"
#include "codegen/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static struct rng rng;

static int below(int n) { return (int)rng_below(&rng, (uint32_t)n); }

// --- texts ---------------------------------------------------------------------------------------

static void expect(struct graph *g, const char *want)
{
    struct text t;
    pass_fuse(g);
    graph_verify(g, "fuse");
    text_init(&t);
    graph_print(g, &t);
    assert_string_equal(t.s, want);
    assert_false(pass_fuse(g));
    text_release(&t);
    arena_free(g->arena);
}

static struct graph *new_graph(void) { return graph_new(arena_new(NULL)); }

static void a_chain_becomes_one_loop(void **state)
{
    (void)state;
    struct graph *g = new_graph();
    struct value *x = input(g, "x", SHAPE(4, 8)), *b = input(g, "b", SHAPE(1, 8));
    struct value *y = leaky_relu(add(x, b), 0.2);
    graph_root(g, "y", y);
    graph_root(g, "loss", sum(square(affine(y, 1, -1))));
    expect(g, "%0 = input() (4, 8) x\n"
              "%1 = input() (1, 8) b\n"
              "%2 = fused(%0, %1) (4, 8) $0 = add(%0, %1); leaky_relu($0, 0.2)\n"
              "%3 = fused(%2) (1, 1) $0 = affine(%2, 1, -1); square($0); sum axes=0,1\n"
              "%4 = reshape(%3) ()\n"
              "y = %2\n"
              "loss = %4\n");
}

// Two readers: cheap is computed twice, dear is written once.
static void cheap_is_computed_twice_and_dear_once(void **state)
{
    (void)state;
    struct graph *g = new_graph();
    struct value *x = input(g, "x", SHAPE(4, 8)), *m = input(g, "m", SHAPE(1, 8));
    struct value *h = sub(x, m), *t = tanh_value(x);
    graph_root(g, "a", reduce_sum(square(h), 1));
    graph_root(g, "b", exp_value(h));
    graph_root(g, "c", reduce_sum(square(t), 1));
    graph_root(g, "d", exp_value(t));
    expect(g, "%0 = input() (4, 8) x\n"
              "%1 = input() (1, 8) m\n"
              "%2 = tanh(%0) (4, 8) \n"
              "%3 = fused(%0, %1) (1, 8) $0 = sub(%0, %1); square($0); sum axes=0\n"
              "%4 = fused(%0, %1) (4, 8) $0 = sub(%0, %1); exp($0)\n"
              "%5 = fused(%2) (1, 8) square(%2); sum axes=0\n"
              "%6 = exp(%2) (4, 8) \n"
              "a = %3\n"
              "b = %4\n"
              "c = %5\n"
              "d = %6\n");
}

// A reader behind a write to the slot gets what was there before.
static void a_reader_behind_a_write_gets_what_was_before(void **state)
{
    (void)state;
    struct graph *g = new_graph();
    struct slots slots;
    slots_init(&slots, g->arena);
    struct slot *s = slots_add(&slots, "w", SLOT_PARAM, SHAPE(8), (struct init){0},
                               (struct place){0});
    struct value *w = param(g, s), *before = square(w);
    struct value *after = clip_slot(w, -1, 1);
    graph_root(g, "moved", add(before, square(after)));
    expect(g, "%0 = param() (8) w\n"
              "%1 = square(%0) (8) \n"
              "%2 = update(%0) (8) w clip\n"
              "%3 = fused(%1, %2) (8) $0 = square(%2); add(%1, $0)\n"
              "moved = %3\n");
}

// --- random graphs -------------------------------------------------------------------------------

static struct value *pick(struct graph *g, struct shape s)
{
    for (;;) {
        struct value *v = g->value[below(g->n)];
        struct shape fit;
        if (v->shape.rank == s.rank && shape_broadcast(v->shape, s, &fit) && shape_equal(fit, s) &&
            !(v->op->flags & OP_EFFECT))
            return v;
    }
}

static struct value *random_value_of(struct graph *g, struct shape s)
{
    struct value *x = pick(g, s), *y = pick(g, s);
    switch (below(16)) {
    case 0: return add(x, y);
    case 1: return sub(x, y);
    case 2: return mul(tanh_value(x), y);
    case 3: return select_value(greater(x, y), x, affine(y, 0.5, 0.1));
    case 4: return leaky_relu(x, 0.2);
    case 5: return tanh_value(x);
    case 6: return sigmoid(x);
    case 7: return affine(square(tanh_value(x)), -1, 1);
    case 8: return abs_value(x);
    case 9: return softplus(x);
    case 10: return divide(x, affine(square(y), 1, 1));
    case 11: return mean_axes(broadcast(x, s), 13);
    case 12: return affine(reduce_sum(add(x, y), 1u << below(4)), 0.1, 0);
    case 13: return rsqrt_value(affine(mean_axes(square(x), 14), 1, 0.1));
    case 14: return reduce_max(mul(x, x), 12);
    default: return maximum(x, y);
    }
}

static struct graph *random_graph(struct arena *a, bool convolve)
{
    struct graph *g = graph_new(a);
    const struct shape s = SHAPE(1 + below(4), 16 * (1 + below(2)), 1 + below(7), 1 + below(7));
    input(g, "a", s);
    input(g, "b", SHAPE(1, s.dim[1], 1, 1));
    input(g, "c", SHAPE(s.dim[0], 1, 1, 1));
    if (convolve)
        conv(g->value[0], input(g, "w", SHAPE(s.dim[1], s.dim[1], 3, 3)),
             (struct window){{1, 1}, {1, 1, 1, 1}});
    while (g->n < 40)
        random_value_of(g, s);
    for (int i = 0; i < 5; i++)
        graph_root(g, (char[]){'r', (char)('0' + i), 0}, g->value[g->n - 1 - below(g->n / 2)]);
    graph_drop_unneeded(g);
    return g;
}

static double given(const struct value *v, int64_t i)
{
    return sin((double)i * 0.7 + v->attr.name[0]) * (v->attr.name[0] == 'w' ? 0.1 : 1);
}

static void feed(void *context, const struct value *v, double *out)
{
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = (float)given(v, i);
}

static void compare(const struct graph *g, const double *const *want, struct arena *a)
{
    const struct reference r = {feed, NULL};
    double **got = graph_reference(g, &r, a);
    for (int k = 0; k < g->n_root; k++)
        for (int64_t i = 0, n = shape_size(g->root[k].value->shape); i < n; i++)
            assert_true(fabs(got[g->root[k].value->id][i] - want[k][i]) <=
                        1e-6 * (1 + fabs(want[k][i])));
}

static void compare_plan(struct graph *g, const double *const *want, struct arena *a)
{
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, NULL, 0);
    for (int k = 0; k < g->n; k++) {
        const struct value *v = g->value[k];
        float *to = v->attr.name ? plan_input(p, v->attr.name) : NULL;
        for (int64_t i = 0, n = shape_size(v->shape); to && i < n; i++)
            to[i] = (float)given(v, i);
    }
    plan_run(p, 0);
    for (int k = 0; k < g->n_root; k++) {
        const float *y = plan_output(p, g->root[k].name);
        const int64_t n = shape_size(g->root[k].value->shape);
        double most = 1;
        for (int64_t i = 0; i < n; i++)
            most = fmax(most, fabs(want[k][i]));
        for (int64_t i = 0; i < n; i++)
            if (!(fabs(y[i] - want[k][i]) <= 1e-4 * most))
                fail_msg("%s[%d] is %g, not %g", g->root[k].name, (int)i, y[i], want[k][i]);
    }
}

static void fusing_random_graphs_changes_no_value(void **state)
{
    (void)state;
    int joined = 0;
    for (int round = 0; round < 120; round++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = random_graph(a, round % 3 == 0);
        const struct reference r = {feed, NULL};
        double **all = graph_reference(g, &r, a);
        const double *want[8];
        for (int k = 0; k < g->n_root; k++)
            want[k] = all[g->root[k].value->id];
        if (round & 1) {
            pass_fuse(g);
            joined += pass_fuse_reductions(g);
        }
        graph_verify(g, "fuse_reductions");
        compare(g, want, a);
        if (round & 2)
            pass_assign_layouts(g);
        compare_plan(g, want, a);
        arena_free(a);
    }
    assert_true(joined > 0);
}

int main(void)
{
    rng_init(&rng, 5, 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_becomes_one_loop),
        cmocka_unit_test(cheap_is_computed_twice_and_dear_once),
        cmocka_unit_test(a_reader_behind_a_write_gets_what_was_before),
        cmocka_unit_test(fusing_random_graphs_changes_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
