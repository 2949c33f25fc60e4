// The layout pass on a DCGAN in miniature and on small cases: where reorders stand, that no other
// do, and that the numbers are the reference's.
#include "support/against_reference.h"
#include "support/optimizers.h"

static const struct window same = {{1, 1}, {1, 1, 1, 1}}, half = {{2, 2}, {1, 1, 1, 1}};

static int count(const struct graph *g, const char *op)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += !strcmp(g->value[i]->op->name, op);
    return n;
}

static int count_to(const struct graph *g, enum layout layout)
{
    int n = 0;
    for (int i = 0; i < g->n; i++)
        n += !strcmp(g->value[i]->op->name, "reorder") && g->value[i]->layout == layout;
    return n;
}

// --- small cases ---------------------------------------------------------------------------------

static void what_meets_no_convolution_stays_plain(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(2, 3, 4, 4));
    graph_root(g, "y", tanh_value(upsample(x, 2)));
    assert_false(pass_assign_layouts(g));
    assert_int_equal(count(g, "reorder"), 0);
    arena_free(a);
}

// One reorder in, before the small tensor is upsampled; one for the weights; one out.
static void the_reorder_stands_where_the_tensor_is_small(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(2, 16, 4, 4)), *b = input(g, "b", SHAPE(1, 16, 1, 1));
    struct value *y = conv(upsample(leaky_relu(add(x, b), 0), 2),
                           input(g, "w", SHAPE(32, 16, 3, 3)), same);
    graph_root(g, "y", tanh_value(y));
    assert_true(pass_assign_layouts(g));
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 1);
    assert_int_equal(count_to(g, LAYOUT_BLOCKED), 1);
    assert_int_equal(count_to(g, LAYOUT_PLAIN), 1);
    assert_int_equal(y->in[0]->layout, LAYOUT_CHANNELS_LAST);
    const struct value *moved = y->in[0]->in[0]->in[0]->in[0];
    assert_string_equal(moved->op->name, "reorder");
    assert_ptr_equal(moved->in[0], x);
    assert_false(pass_assign_layouts(g));
    check(g, false, a, "upsample, conv");
    arena_free(a);
}

// One channel, or one pixel: the same bytes, so nothing moves but the weights.
static void what_is_the_same_in_both_is_not_moved(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    const struct window none = {{1, 1}, {0, 0, 0, 0}};
    struct value *x = input(g, "x", SHAPE(2, 1, 6, 6));
    struct value *y = conv(conv(x, input(g, "v", SHAPE(8, 1, 3, 3)), none),
                           input(g, "w", SHAPE(16, 8, 4, 4)), none);
    graph_root(g, "y", reshape(y, SHAPE(2, 16)));
    pass_assign_layouts(g);
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 0);
    assert_int_equal(count_to(g, LAYOUT_PLAIN), 0);
    check(g, false, a, "one channel, one pixel");
    arena_free(a);
}

// Both readers of x that want it channels-last share a reorder; flatten reads the original.
static void readers_share_a_reorder(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(2, 4, 6, 6)), *w = input(g, "w", SHAPE(4, 4, 3, 3));
    graph_root(g, "y", conv(x, w, same));
    graph_root(g, "z", conv(x, w, half));
    graph_root(g, "flat", reshape(x, SHAPE(2, 144)));
    pass_assign_layouts(g);
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 1);
    check(g, false, a, "two readers");
    arena_free(a);
}

// A mask is drawn as it is wanted.
static void a_mask_lies_as_what_it_covers(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *y = conv(input(g, "x", SHAPE(2, 3, 8, 8)), input(g, "w", SHAPE(16, 3, 3, 3)),
                           same);
    struct value *mask = random_value(g, RANDOM_BERNOULLI, 0.5, 0, 1, y->shape);
    graph_root(g, "y", sum(conv(mul(y, mask), input(g, "v", SHAPE(16, 16, 3, 3)), same)));
    pass_assign_layouts(g);
    assert_int_equal(mask->layout, LAYOUT_CHANNELS_LAST);
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 1); // x
    arena_free(a);
}

// Every op that takes any layout, between two convolutions.
static void every_op_takes_the_layout_of_its_neighbours(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    static const int64_t before[] = {0, 0, 1, 0}, after[] = {0, 0, 0, 2};
    static const int perm[] = {0, 1, 3, 2};
    struct value *x = input(g, "x", SHAPE(2, 3, 6, 6)), *one = input(g, "one", SHAPE(1, 8, 6, 6));
    struct value *y = conv(x, input(g, "v", SHAPE(8, 3, 3, 3)), same);
    struct value *mean0 = mean_axes(y, 1 | 4 | 8), *top = reduce_max(y, 2),
                 *column = reduce_sum(y, 4);
    y = mul(add(sub(y, mean0), top), add(column, one));
    y = concat(
        (struct value *[]){y, slice(y, 1, 2, 3), broadcast(mean_axes(y, 4 | 8), SHAPE(2, 8, 6, 6))},
        3, 1);
    y = pool_sum(upsample(transpose(detach(y), perm), 2), 2);
    y = select_value(greater(y, affine(y, 0.5, 0.1)),
                     pad(slice(slice(y, 2, 1, 5), 3, 1, 4), before, after), square(y));
    graph_root(g, "mean0", mean0);
    graph_root(g, "y", conv(y, input(g, "w", SHAPE(4, 19, 3, 3)), same));
    check(g, true, a, "ops between");
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 2); // x, one
    arena_free(a);
}

// --- a network -----------------------------------------------------------------------------------

// (x − mean) / √(variance + ε) over batch and pixels
static struct value *normalise(struct value *x)
{
    struct value *c = sub(x, mean_axes(x, 1 | 4 | 8));
    return mul(c, rsqrt_value(affine(mean_axes(square(c), 1 | 4 | 8), 1, 1e-3)));
}

enum { N = 4, WEIGHTS = 6 };

static struct value *miniature(struct graph *g, struct value **w)
{
    w[0] = input(g, "w0", SHAPE(10, 16 * 16)), w[1] = input(g, "w1", SHAPE(16, 16, 3, 3)),
    w[2] = input(g, "w2", SHAPE(3, 16, 3, 3));
    w[3] = input(g, "w3", SHAPE(8, 3, 3, 3)), w[4] = input(g, "w4", SHAPE(16, 8, 4, 4)),
    w[5] = input(g, "w5", SHAPE(16 * 4, 1));
    struct value *y = matmul(input(g, "z", SHAPE(N, 10)), w[0], false, false);
    y = normalise(reshape(y, SHAPE(N, 16, 4, 4)));
    y = leaky_relu(normalise(conv(upsample(y, 2), w[1], same)), 0);
    y = tanh_value(conv(y, w[2], same));
    graph_root(g, "image", y);
    y = leaky_relu(conv(y, w[3], half), 0.2);
    y = leaky_relu(conv(y, w[4], half), 0.2);
    y = matmul(reshape(y, SHAPE(N, 16 * 4)), w[5], false, false);
    return mean(softplus(y));
}

static void build(struct graph *g)
{
    static const char *const name[] = {"d0", "d1", "d2", "d3", "d4", "d5"};
    struct value *w[WEIGHTS], *d[WEIGHTS], *loss = miniature(g, w);
    graph_root(g, "loss", loss);
    gradient(loss, w, WEIGHTS, d);
    for (int i = 0; i < WEIGHTS; i++)
        graph_root(g, name[i], d[i]);
}

static void a_network_takes_as_few_reorders_as_counted(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    build(g);
    passes_run(g, "simplify");
    pass_assign_layouts(g);
    graph_verify(g, "layout");
    assert_int_equal(count(g, "conv"), 4);
    assert_int_equal(count(g, "conv_weight_grad"), 4);
    assert_int_equal(count(g, "conv_data_grad"), 4);
    int inside = 0;
    for (int i = 0; i < g->n; i++) {
        bool edge = strcmp(g->value[i]->op->name, "reorder") || g->value[i]->in[0]->n_in == 0;
        for (int k = 0; k < g->n_root; k++)
            edge |= g->root[k].value == g->value[i];
        inside += !edge;
    }
    // into the generator's images, since the matrix before them is the host's
    assert_int_equal(inside, 1);
    assert_int_equal(count_to(g, LAYOUT_CHANNELS_LAST), 1);
    arena_free(a);
}

static void laid_graphs_give_the_reference(void **state)
{
    (void)state;
    for (int all = 0; all < 2; all++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        build(g);
        if (all)
            passes_run(g, NULL);
        check(g, !all, a, all ? "all passes" : "layout and memory");
        arena_free(a);
    }
}

// --- slots ---------------------------------------------------------------------------------------

// Weights that live: w, and what Adam keeps of it.
struct living {
    struct slot *slot[3];
    struct value *w, *step;
};

static struct living living(struct slots *s, struct graph *g, const char *name, struct shape shape)
{
    static const char *const of[] = {"%s", "m/%s", "v/%s"};
    struct living l;
    for (int i = 0; i < 3; i++) {
        l.slot[i] = slots_add(s, arena_printf(s->arena, of[i], name), SLOT_PARAM, shape,
                              (struct init){0}, (struct place){0});
        l.slot[i]->of = i ? l.slot[0] : NULL;
    }
    l.w = param(g, l.slot[0]);
    return l;
}

// x (4, 8, 8, 8) → two convolutions, the second read again after its update → flatten → dense
static void build_living(struct graph *g, struct slots *s, struct living l[3])
{
    struct value *hyper = input(g, "hyper", SHAPE(4)), *x = input(g, "x", SHAPE(4, 8, 8, 8)), *w[3],
                 *dw[3];
    l[0] = living(s, g, "0", SHAPE(16, 8, 3, 3));
    l[1] = living(s, g, "1", SHAPE(32, 16, 3, 3));
    l[2] = living(s, g, "2", SHAPE(3, 32 * 16));
    for (int i = 0; i < 3; i++)
        w[i] = l[i].w;
    struct value *y = leaky_relu(conv(x, w[0], half), 0.2);
    struct value *h = leaky_relu(conv(y, w[1], same), 0.2);
    struct value *loss = mean(softplus(matmul(reshape(h, SHAPE(4, 32 * 16)), w[2], false, true)));
    graph_root(g, "loss", loss);
    gradient(loss, w, 3, dw);
    const struct optimizer adam = optimizer_of(g->arena, "adam",
                                               "{beta1: 0.5, beta2: 0.9, epsilon: 1}");
    for (int i = 0; i < 3; i++)
        l[i].step = optimizer_step(&adam, w[i], dw[i], hyper, &l[i].slot[1]);
    graph_root(g, "after", mean(square(conv(y, l[1].step, same))));
}

static void compare_slot(const struct slot *s, const float *slab, const double *want)
{
    struct arena *a = arena_new(NULL);
    const float *got = slot_get(s, slab, a);
    for (int64_t i = 0; i < shape_size(s->shape); i++)
        if (!(fabs(got[i] - want[i]) <= 1e-5))
            fail_msg("%s[%d] is %g, not %g", s->name, (int)i, got[i], want[i]);
    arena_free(a);
}

// Once in plain float64, once as it lies.
static void parameters_live_as_they_are_computed_with(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a), *plain = graph_new(a);
    struct slots s, t;
    struct living l[3], k[3];
    slots_init(&s, a);
    slots_init(&t, a);
    build_living(g, &s, l);
    build_living(plain, &t, k);
    passes_run(g, "simplify");
    pass_assign_layouts(g);
    pass_packed_copy(g);
    graph_verify(g, "layout");
    assert_int_equal(count(g, "reorder"), 1); // the picture
    assert_non_null(l[2].slot[0]->layout);
    assert_int_equal(l[2].step->layout, LAYOUT_TRANSPOSED);
    for (int i = 0; i < 3; i++)
        assert_ptr_equal(slot_layout(l[i].slot[2]), slot_layout(l[i].slot[0]));
    pass_assign_memory(g);
    float *slab = arena_alloc(a, s.floats * sizeof *slab);
    struct plan *p = plan_new(a, g, slab, 0);
    fill(p, g);
    double **want = graph_reference(plain, &(struct reference){feed, NULL}, a);
    for (int i = 0; i < s.n; i++) {
        float *x = NEW_ARRAY(a, float, shape_size(s.slot[i]->shape));
        for (int64_t j = 0; j < shape_size(s.slot[i]->shape); j++)
            x[j] = element(&(struct value){.attr.slot = s.slot[i]}, j);
        slot_put(s.slot[i], slab, x);
    }
    plan_run(p, 0);
    compare(plain, p, a, "living weights");
    for (int i = 0; i < 3; i++)
        compare_slot(l[i].slot[0], slab, want[k[i].step->id]);
    arena_free(a);
}

// What is drawn for weights is drawn for an element of theirs, not for a place in a block.
static void noise_on_weights_is_drawn_plain(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots s;
    slots_init(&s, a);
    const struct living l = living(&s, g, "w", SHAPE(32, 16, 3, 3));
    struct value *hyper = input(g, "hyper", SHAPE(4)), *dw, *x = input(g, "x", SHAPE(4, 16, 8, 8));
    struct value *noise = random_value(g, RANDOM_NORMAL, 0, 1, 1, l.w->shape);
    struct value *loss = mean(square(conv(x, l.w, half)));
    graph_root(g, "loss", loss);
    gradient(loss, (struct value *[]){l.w}, 1, &dw);
    struct value *next = descend(l.w, add(dw, noise), hyper);
    pass_assign_layouts(g);
    assert_int_equal(noise->layout, LAYOUT_PLAIN);
    assert_int_equal(next->layout, LAYOUT_BLOCKED);
    arena_free(a);
}

// A slab that was filled is not laid anew.
static void a_filled_slab_is_not_laid_anew(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots s;
    struct living l[3];
    slots_init(&s, a);
    build_living(g, &s, l);
    slots_fill(&s, arena_alloc(a, s.floats * sizeof(float)), 1);
    pass_assign_layouts(g);
    for (int i = 0; i < s.n; i++)
        assert_null(slot_layout(s.slot[i]));
    assert_true(count(g, "reorder") > 5);
    arena_free(a);
}

// A fresh slot holds the same numbers wherever they lie.
static void a_slot_is_filled_alike_in_every_layout(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct init init = {INIT_ORTHOGONAL, 0, 1};
    struct slots s;
    slots_init(&s, a);
    struct slot *x = slots_add(&s, "x", SLOT_PARAM, SHAPE(6, 10), init, (struct place){0});
    float *slab = arena_alloc(a, s.floats * sizeof *slab), first[60];
    slots_fill(&s, slab, 7);
    memcpy(first, slab, sizeof first);
    x->layout = layout_transposed(2, 3, 10);
    slots_fill(&s, slab, 7);
    assert_memory_equal(slot_get(x, slab, a), first, sizeof first);
    for (int c = 0; c < 2; c++)
        for (int p = 0; p < 3; p++)
            assert_memory_equal(slab + (p * 2 + c) * 10, first + (c * 3 + p) * 10,
                                10 * sizeof *slab);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_meets_no_convolution_stays_plain),
        cmocka_unit_test(the_reorder_stands_where_the_tensor_is_small),
        cmocka_unit_test(what_is_the_same_in_both_is_not_moved),
        cmocka_unit_test(readers_share_a_reorder),
        cmocka_unit_test(a_mask_lies_as_what_it_covers),
        cmocka_unit_test(every_op_takes_the_layout_of_its_neighbours),
        cmocka_unit_test(a_network_takes_as_few_reorders_as_counted),
        cmocka_unit_test(laid_graphs_give_the_reference),
        cmocka_unit_test(parameters_live_as_they_are_computed_with),
        cmocka_unit_test(noise_on_weights_is_drawn_plain),
        cmocka_unit_test(a_filled_slab_is_not_laid_anew),
        cmocka_unit_test(a_slot_is_filled_alike_in_every_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
