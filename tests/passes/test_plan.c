// Plans against the reference kernels: graphs of oneDNN's ops, laid out and not, over a table of
// shapes; what a plan answers about itself; and that running one allocates nothing.
#include "support/against_reference.h"
#include "base/text.h"
#include "codegen/lower.h"

// --- counting allocations ------------------------------------------------------------------------

// The program's own calls are told from the libraries' by where they come from.
#if !defined __SANITIZE_ADDRESS__
extern char __executable_start, etext;
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
static int ours, theirs;

static void count(const void *caller)
{
    const char *c = caller;
    if (c >= &__executable_start && c < &etext)
        __atomic_add_fetch(&ours, 1, __ATOMIC_RELAXED);
    else
        __atomic_add_fetch(&theirs, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t n)
{
    count(__builtin_return_address(0));
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    count(__builtin_return_address(0));
    return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    count(__builtin_return_address(0));
    return __libc_memalign(align, n);
}
#endif

// --- convolutions --------------------------------------------------------------------------------

struct row {
    int64_t n, c, h, w, k, kh, kw;
    struct window win;
};

static const struct row rows[] = {
    {1, 1, 5, 5, 1, 1, 1, {{1, 1}, {0, 0, 0, 0}}},
    {2, 3, 8, 8, 16, 3, 3, {{1, 1}, {1, 1, 1, 1}}},
    {8, 1, 28, 28, 64, 3, 3, {{2, 2}, {0, 1, 0, 1}}}, // 'same', stride 2, even size: asymmetric
    {3, 16, 7, 7, 64, 3, 3, {{2, 2}, {1, 1, 1, 1}}},  // 'same', stride 2, odd size
    {4, 64, 14, 14, 1, 3, 3, {{1, 1}, {1, 1, 1, 1}}}, // a generator's last layer
    {2, 3, 16, 16, 64, 4, 4, {{2, 2}, {1, 1, 1, 1}}},
    {2, 64, 8, 8, 128, 4, 4, {{2, 2}, {1, 1, 1, 1}}},
    {2, 64, 4, 4, 1, 4, 4, {{1, 1}, {0, 0, 0, 0}}},   // to one pixel
    {2, 100, 1, 1, 64, 4, 4, {{1, 1}, {3, 3, 3, 3}}}, // from one pixel
    {2, 100, 1, 1, 16, 1, 1, {{1, 1}, {0, 0, 0, 0}}},
    {1, 16, 9, 6, 3, 5, 2, {{2, 1}, {2, 2, 0, 1}}},  // nothing symmetric
    {2, 16, 3, 3, 16, 5, 5, {{1, 1}, {2, 2, 2, 2}}}, // a kernel larger than its input
    {2, 3, 4, 4, 16, 4, 4, {{2, 2}, {1, 2, 1, 2}}},
    {5, 17, 10, 10, 19, 3, 3, {{1, 1}, {0, 0, 0, 0}}}, // nothing divides
    {2, 16, 10, 10, 16, 2, 2, {{3, 3}, {0, 0, 0, 0}}}, // a stride that steps over pixels
    {2, 5, 9, 9, 6, 3, 3, {{1, 1}, {-1, -1, -2, 0}}},  // cropping: the plain loops
};

static void build_convs(struct graph *g, const struct row *r)
{
    struct value *x = input(g, "x", SHAPE(r->n, r->c, r->h, r->w)),
                 *w = input(g, "w", SHAPE(r->k, r->c, r->kh, r->kw));
    struct value *y = conv(x, w, r->win);
    struct value *dy = input(g, "dy", y->shape);
    graph_root(g, "y", y);
    graph_root(g, "dx", conv_data_grad(dy, w, r->win, r->h, r->w));
    graph_root(g, "dw", conv_weight_grad(x, dy, r->win, r->kh, r->kw));
}

static void planned_convolutions_give_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(rows); i++)
        for (int laid = 0; laid < 2; laid++) {
            struct arena *a = arena_new(NULL);
            struct graph *g = graph_new(a);
            build_convs(g, &rows[i]);
            check(g, laid, a,
                  arena_printf(a, "row %d, %s", (int)i, laid ? "channels-last" : "plain"));
            arena_free(a);
        }
}

// conv → conv → conv_data_grad, so that activations meet in their layout with no reorder between.
static void chained_convolutions_meet_without_a_reorder(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    const struct window same = {{1, 1}, {1, 1, 1, 1}}, half = {{2, 2}, {1, 1, 1, 1}};
    struct value *x = input(g, "x", SHAPE(3, 3, 8, 8)), *v = input(g, "v", SHAPE(16, 3, 3, 3)),
                 *w = input(g, "w", SHAPE(32, 16, 4, 4));
    struct value *y = conv(conv(x, v, same), w, half);
    graph_root(g, "y", y);
    graph_root(g, "dx", conv_data_grad(y, w, half, 8, 8));
    graph_root(g, "dw", conv_weight_grad(conv(x, v, same), y, half, 4, 4));
    check(g, true, a, "chain");
    arena_free(a);
}

static void planned_matmuls_give_the_reference(void **state)
{
    (void)state;
    static const int64_t size[][3] = {{8, 100, 48}, {1, 1, 1}, {64, 17, 1}, {3, 5, 7}};
    for (size_t i = 0; i < LENGTH(size); i++)
        for (int t = 0; t < 4; t++) {
            struct arena *a = arena_new(NULL);
            struct graph *g = graph_new(a);
            const int64_t m = size[i][0], k = size[i][1], n = size[i][2];
            const bool ta = t & 1, tb = t & 2;
            struct value *x = input(g, "x", ta ? SHAPE(k, m) : SHAPE(m, k)),
                         *w = input(g, "w", tb ? SHAPE(n, k) : SHAPE(k, n));
            graph_root(g, "y", matmul(x, w, ta, tb));
            check(g, true, a, "matmul");
            arena_free(a);
        }
}

// --- slots, aliases, questions -------------------------------------------------------------------

static void slots_lie_in_their_slab(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct slots slots;
    slots_init(&slots, a);
    slots_add(&slots, "first", SLOT_PARAM, SHAPE(5), (struct init){0}, (struct place){0});
    struct slot *s = slots_add(&slots, "w", SLOT_PARAM, SHAPE(4, 2, 2), (struct init){0},
                               (struct place){0});
    float *slab = arena_alloc(a, slots.floats * sizeof *slab);
    for (int i = 0; i < 16; i++)
        slab[s->offset + (size_t)i] = (float)i;
    struct value *w = reshape(param(g, s), SHAPE(4, 4)), *x = input(g, "x", SHAPE(1, 4));
    graph_root(g, "y", reshape(matmul(x, w, false, false), SHAPE(4)));
    graph_root(g, "w", w);
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, slab, 0);
    plan_input(p, "x")[1] = 1;
    plan_run(p, 0);
    assert_memory_equal(plan_output(p, "y"), slab + s->offset + 4, 4 * sizeof *slab);
    assert_ptr_equal(plan_output(p, "w"), slab + s->offset);
    assert_null(plan_input(p, "z"));
    assert_null(plan_output(p, "z"));
    arena_free(a);
}

static void a_plan_can_be_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    const struct source source = {"configs/x.yaml", ""};
    g->where = (struct place){&source, 7, 1, 1};
    build_convs(g, &rows[6]);
    pass_assign_layouts(g);
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, NULL, 0);
    struct text t;
    text_init(&t);
    plan_print(p, &t);
    assert_non_null(strstr(t.s, "conv forward "));
    assert_non_null(strstr(t.s, " (2, 128, 4, 4)  # configs/x.yaml:7\n"));
    text_release(&t);
    double *seconds = NEW_ARRAY(a, double, plan_steps(p));
    plan_profile(p, 0, seconds);
    for (int i = 0; i < plan_steps(p); i++)
        assert_true(seconds[i] > 0 && plan_step_value(p, i) && plan_step_name(p, i)[0]);
    assert_true(plan_activation_bytes(p) > 0);
    arena_free(a);
}

// Each value's loops in its own layout, and as others see it.
static void views_follow_layout_and_broadcast(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    struct value *x = input(g, "x", SHAPE(2, 3, 4, 5)), *b = input(g, "b", SHAPE(1, 3, 1, 1));
    x->layout = LAYOUT_CHANNELS_LAST;
    const struct view v = view_of(x), w = view_broadcast(b, x->shape),
                      s = view_broadcast(input(g, "s", SCALAR), x->shape);
    assert_memory_equal(v.stride, ((int64_t[]){60, 1, 15, 3}), 4 * sizeof(int64_t));
    assert_memory_equal(w.stride, ((int64_t[]){0, 1, 0, 0}), 4 * sizeof(int64_t));
    assert_memory_equal(w.dim, ((int64_t[]){2, 3, 4, 5}), 4 * sizeof(int64_t));
    assert_memory_equal(s.stride, ((int64_t[]){0, 0, 0, 0}), 4 * sizeof(int64_t));
    arena_free(a);
}

static void running_allocates_nothing(void **state)
{
    (void)state;
#if !defined __SANITIZE_ADDRESS__
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    build_convs(g, &rows[6]);
    pass_assign_layouts(g);
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, NULL, 0);
    fill(p, g);
    plan_run(p, 0);
    ours = theirs = 0;
    for (int i = 0; i < 10; i++)
        plan_run(p, (uint64_t)i);
    const int by_us = ours, by_libraries = theirs;
    print_message("10 runs of %d steps: %d allocations by us, %d by oneDNN and OpenMP\n",
                  plan_steps(p), by_us, by_libraries);
    assert_int_equal(by_us, 0);
    arena_free(a);
#endif
}

// Denormals are flushed while a plan runs, and the caller's arithmetic is as before afterwards.
static void denormals_are_flushed_inside_only(void **state)
{
    (void)state;
#if defined __x86_64__
    struct arena *a = arena_new(NULL);
    struct graph *g = graph_new(a);
    graph_root(g, "y", mul(input(g, "x", SHAPE(4)), input(g, "w", SHAPE(4))));
    pass_assign_memory(g);
    struct plan *p = plan_new(a, g, NULL, 0);
    volatile float tiny = 1e-20f;
    plan_input(p, "x")[0] = plan_input(p, "w")[0] = tiny;
    plan_run(p, 0);
    assert_true(plan_output(p, "y")[0] == 0);
    assert_true(tiny * tiny > 0);
    arena_free(a);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_convolutions_give_the_reference),
        cmocka_unit_test(chained_convolutions_meet_without_a_reorder),
        cmocka_unit_test(planned_matmuls_give_the_reference),
        cmocka_unit_test(slots_lie_in_their_slab),
        cmocka_unit_test(a_plan_can_be_read),
        cmocka_unit_test(views_follow_layout_and_broadcast),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(denormals_are_flushed_inside_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
