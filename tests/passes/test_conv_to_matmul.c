// Kernels that cover their image: the same numbers by matrix products and sums, for the result and
// both gradients; and weights that live as those want them.
#include "support/against_reference.h"
#include "ir/op.h"
#include "support/roots.h"
#include "support/optimizers.h"

static int convolutions(const struct graph *g)
{
    return count(g, &op_conv) + count(g, &op_conv_data_grad) + count(g, &op_conv_weight_grad);
}

// y, and what a loss that is not linear in y makes of x and w
static void add_roots(struct value *y, struct value *x, struct value *w)
{
    struct value *dx[2];
    gradient(sum(mul(square(y), affine(y, 0.3, 1))), (struct value *[]){x, w}, 2, dx);
    graph_root(y->graph, "y", y);
    graph_root(y->graph, "dx", dx[0]);
    graph_root(y->graph, "dw", dx[1]);
}

struct example {
    struct shape x, w;
    int64_t stride;
    int products; // of matrices, for all three
};

static struct value *convolved(struct value *x, struct value *w, int64_t stride)
{
    return conv(x, w, (struct window){{stride, stride}, {0}});
}

static void a_kernel_of_the_images_size_is_a_product(void **state)
{
    (void)state;
    static const struct example example[] = {
        {{4, {3, 5, 4, 4}}, {4, {6, 5, 4, 4}}, 1, 3}, {{4, {2, 3, 2, 5}}, {4, {4, 3, 2, 5}}, 2, 3},
        {{4, {3, 4, 1, 1}}, {4, {2, 4, 1, 1}}, 1, 3}, {{4, {3, 1, 3, 3}}, {4, {2, 1, 3, 3}}, 1, 3},
        {{4, {3, 5, 4, 3}}, {4, {1, 5, 4, 3}}, 1, 0}, {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}, 1, 0},
    };
    for (size_t i = 0; i < LENGTH(example); i++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        struct value *x = input(g, "x", example[i].x), *w = input(g, "w", example[i].w);
        add_roots(convolved(x, w, example[i].stride), x, w);
        double **want = graph_reference(g, &(struct reference){feed, NULL}, a), *root[3];
        for (int k = 0; k < 3; k++)
            root[k] = want[g->root[k].value->id];
        assert_true(pass_conv_to_matmul(g));
        assert_int_equal(convolutions(g), 0);
        assert_int_equal(count(g, &op_matmul), example[i].products);
        double **got = graph_reference(g, &(struct reference){feed, NULL}, a);
        for (int k = 0; k < 3; k++)
            for (int64_t j = 0; j < shape_size(g->root[k].value->shape); j++)
                assert_float_equal(got[g->root[k].value->id][j], root[k][j], 1e-12);
        check(g, true, a, "whole kernels");
        arena_free(a);
    }
}

// Padding, or pixels left over, leave a convolution what it was.
static void padding_or_pixels_left_over_stay_a_convolution(void **state)
{
    (void)state;
    static const struct example example[] = {
        {{4, {2, 3, 4, 4}}, {4, {2, 3, 3, 3}}, 1, 0},
        {{4, {2, 3, 4, 4}}, {4, {2, 3, 3, 3}}, 2, 0},
        {{4, {2, 3, 4, 4}}, {4, {2, 3, 4, 3}}, 1, 0},
    };
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    for (size_t i = 0; i < LENGTH(example); i++) {
        struct value *x = input(g, "x", example[i].x), *w = input(g, "w", example[i].w);
        add_roots(convolved(x, w, example[i].stride), x, w);
    }
    struct value *x = input(g, "x", SHAPE(2, 3, 2, 2)), *w = input(g, "w", SHAPE(2, 3, 2, 2));
    add_roots(conv(x, w, (struct window){{2, 2}, {1, 0, 1, 0}}), x, w);
    assert_false(pass_conv_to_matmul(g));
    arena_free(a);
}

// A step along the gradient of `loss`.
static void update(struct value *loss, struct value **w, int n)
{
    struct graph *g = loss->graph;
    struct value *hyper = input(g, "hyper", SHAPE(4)), *dw[3];
    gradient(loss, w, n, dw);
    for (int i = 0; i < n; i++) {
        graph_root(g, arena_printf(g->arena, "d%d", i), dw[i]);
        descend(w[i], dw[i], hyper);
    }
}

// z (32, 10) → image of 4 × 4 → a convolution → one pixel of K channels
static void build(struct graph *g, struct slots *s, int64_t K)
{
    static const struct window same = {{1, 1}, {1, 1, 1, 1}}, none = {{1, 1}, {0}};
    const struct shape shape[] = {SHAPE(10, 32, 4, 4), SHAPE(16, 32, 3, 3), SHAPE(K, 16, 4, 4)};
    struct value *w[3], *z = reshape(input(g, "z", SHAPE(32, 10)), SHAPE(32, 10, 1, 1));
    for (int i = 0; i < 3; i++)
        w[i] = param(g, slots_add(s, arena_printf(g->arena, "w%d", i), SLOT_PARAM, shape[i],
                                  (struct init){0}, (struct place){0}));
    struct value *x = leaky_relu(conv_data_grad(z, w[0], none, 4, 4), 0.2);
    x = tanh_value(conv(x, w[1], same));
    struct value *loss = mean(softplus(conv(x, w[2], none)));
    graph_root(g, "loss", loss);
    update(loss, w, 3);
}

static void fill_slots(const struct slots *s, float *slab)
{
    for (int i = 0; i < s->n; i++) {
        float *x = NEW_ARRAY(s->arena, float, shape_size(s->slot[i]->shape));
        for (int64_t j = 0; j < shape_size(s->slot[i]->shape); j++)
            x[j] = element(&(struct value){.attr.slot = s->slot[i]}, j);
        slot_put(s->slot[i], slab, x);
    }
}

// What the convolution between them wants channels-last is made so, of weights that lie so: no
// reorder but of that convolution's own weights, and of what the host reads.
static void only_one_convolutions_weights_are_reordered(void **state)
{
    (void)state;
    for (int64_t K = 1; K <= 2; K++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a), *plain = graph_new(a);
        struct slots s, t;
        slots_init(&s, a);
        slots_init(&t, a);
        build(g, &s, K);
        build(plain, &t, K);
        passes_run(g, "layout");
        for (int i = 0; i < g->n; i++)
            if (g->value[i]->op == &op_reorder && g->value[i]->in[0]->attr.slot)
                assert_string_equal(g->value[i]->in[0]->attr.slot->name, "w1");
        assert_ptr_equal(s.slot[0]->layout, layout_transposed(32, 16, 1));
        assert_ptr_equal(s.slot[2]->layout, layout_transposed(16, 16, 1));
        pass_assign_memory(g);
        float *slab = arena_alloc(a, s.floats * sizeof *slab);
        struct plan *p = plan_new(a, g, slab, 0);
        fill(p, g);
        fill_slots(&s, slab);
        plan_run(p, 0);
        compare(plain, p, a, "whole kernels");
        arena_free(a);
    }
}

// Where products take bfloat16, such weights are rounded in one step, as they lie.
static void its_weights_are_rounded_as_they_lie(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots s;
    slots_init(&s, a);
    build(g, &s, 2);
    g->precision = TYPE_BF16;
    passes_run(g, "layout");
    int rounded = 0;
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        if (v->op != &op_reorder || v->in[0]->layout != LAYOUT_TRANSPOSED)
            continue;
        assert_non_null(v->in[0]->in[0]->attr.slot);
        assert_ptr_equal(v->blocked, v->in[0]->blocked);
        rounded++;
    }
    assert_int_equal(rounded, 2);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_of_the_images_size_is_a_product),
        cmocka_unit_test(padding_or_pixels_left_over_stay_a_convolution),
        cmocka_unit_test(only_one_convolutions_weights_are_reordered),
        cmocka_unit_test(its_weights_are_rounded_as_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
