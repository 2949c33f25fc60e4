// The lowerings onto our own kernels: graphs of every op that moves numbers, draws, labels or
// changes slots, as plans in both layouts, against the reference.
#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "ir/slot.h"
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "codegen/tasks.h"
#include "support/sources.h"
#include "support/optimizers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static double given(const struct value *v, int64_t i)
{
    const char *name = v->attr.slot ? v->attr.slot->name : v->attr.name;
    const double x = sin((double)i * 0.7 + name[0]);
    switch (name[0]) {
    case 'h': return (double[]){0.01, 1.7, 3.1, 0}[i]; // hyper
    case 'i': return (double)(i * 3 % 5);              // index
    case 'v': return x * x;                            // a second moment
    default: return x;
    }
}

static void compare(const char *what, const float *got, const double *want, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!(fabs(got[i] - want[i]) <= 2e-6 * (1 + fabs(want[i]))))
            fail_msg("%s[%d] is %g, not %g", what, (int)i, got[i], want[i]);
}

// Runs the graph as it is and laid out channels-last where anything wants that.
static void check(struct graph *g, const struct slots *slots)
{
    const struct reference r = {feed, NULL};
    double **want = graph_reference(g, &r, g->arena);
    const double *root[32];
    for (int k = 0; k < g->n_root; k++)
        root[k] = want[g->root[k].value->id];
    for (int laid = 0; laid < 2; laid++) {
        if (laid)
            pass_assign_layouts(g);
        pass_assign_memory(g);
        float *slab = slots ? NEW_ARRAY(g->arena, float, slots->floats) : NULL;
        struct plan *p = plan_new(g->arena, g, slab, SEED);
        write_sources(g, p, slab);
        plan_run(p, STEP);
        for (int k = 0; k < g->n_root; k++) {
            const struct value *v = g->root[k].value;
            compare(g->root[k].name ? g->root[k].name : v->op->name,
                    g->root[k].name ? plan_output(p, g->root[k].name) : slab + v->attr.slot->offset,
                    root[k], shape_size(v->shape));
        }
    }
    arena_free(g->arena);
}

static void root(struct graph *g, struct value *v)
{
    char name[40];
    snprintf(name, sizeof name, "%s.%d", v->op->name, g->n_root);
    graph_root(g, name, v);
}

// Makes the layout pass want v channels-last: a convolution reads it.
static void convolve(struct graph *g, struct value *v)
{
    struct value *w = input(g, arena_printf(g->arena, "w%d", g->n_root),
                            SHAPE(3, v->shape.dim[1], 1, 1));
    root(g, affine(conv(v, w, (struct window){{1, 1}, {0}}), 0.01, 0));
}

static void moves_give_the_reference(void **state)
{
    (void)state;
    const int64_t before[] = {0, 2, 1, 0}, after[] = {1, 0, 3, 0};
    const int perm[] = {3, 1, 0, 2};
    for (int which = 0; which < 10; which++) {
        struct graph *g = graph_new(arena_new(NULL));
        struct value *x = input(g, "x", SHAPE(3, 20, 6, 4)), *y = input(g, "y", SHAPE(3, 9, 6, 4)),
                     *v = NULL;
        switch (which) {
        case 0: v = pad(x, before, after); break;
        case 1: v = slice(x, 1, 3, 11); break;
        case 2: v = slice(x, 3, 1, 2); break;
        case 3: v = concat((struct value *[]){x, y, x}, 3, 1); break;
        case 4: v = upsample(x, 2); break;
        case 5: v = pool_sum(x, 2); break;
        case 6: v = broadcast(reduce_sum(x, 13), x->shape); break;
        case 7: v = transpose(x, perm); break;
        case 8: v = broadcast(reduce_max(x, 14), x->shape); break;
        case 9: v = mul(constant(g, 3, SHAPE(3, 20, 6, 4)), x); break;
        }
        root(g, v);
        root(g, affine(v, 2, 1));
        convolve(g, v);
        check(g, NULL);
    }
}

// Both directions, from either layout to either.
static void resampling_gives_the_reference(void **state)
{
    (void)state;
    static const struct resampling down[] = {
        {RESAMPLE_REFLECT, 6, 11, 2},
        {RESAMPLE_REVERSE, 6, 6, 0},
        {RESAMPLE_NEAREST, 6, 4, 0},
        {RESAMPLE_AREA, 6, 9, 0},
        {RESAMPLE_BILINEAR, 6, 15, 0},
        {RESAMPLE_BICUBIC, 6, 5, 0},
        {RESAMPLE_BILINEAR_ANTIALIAS, 6, 2, 0},
        {RESAMPLE_BICUBIC_ANTIALIAS, 6, 4, 0},
        {RESAMPLE_KEEP, 6, 6, 0},
    };
    static const struct resampling across[] = {
        {RESAMPLE_REFLECT, 7, 9, 0},
        {RESAMPLE_KEEP, 7, 7, 0},
        {RESAMPLE_NEAREST, 7, 21, 0},
        {RESAMPLE_AREA, 7, 3, 0},
        {RESAMPLE_BILINEAR, 7, 5, 0},
        {RESAMPLE_BICUBIC, 7, 28, 0},
        {RESAMPLE_BILINEAR_ANTIALIAS, 7, 9, 0},
        {RESAMPLE_BICUBIC_ANTIALIAS, 7, 1, 0},
        {RESAMPLE_REVERSE, 7, 7, 0},
    };
    for (size_t i = 0; i < LENGTH(down); i++)
        for (int channels = 3; channels <= 20; channels += 17) {
            struct graph *g = graph_new(arena_new(NULL));
            struct value *x = input(g, "x", SHAPE(3, channels, 6, 7)), *dx;
            struct value *v = resample(x, down[i], across[i]);
            gradient(sum(square(v)), &x, 1, &dx);
            root(g, v);
            root(g, dx);
            convolve(g, v);
            convolve(g, affine(dx, 0.1, 0));
            check(g, NULL);
        }
}

// Also right out of the image, in either layout.
static void shifts_give_the_reference(void **state)
{
    (void)state;
    for (int channels = 3; channels <= 20; channels += 17) {
        struct graph *g = graph_new(arena_new(NULL));
        struct value *x = input(g, "x", SHAPE(4, channels, 6, 7)), *dx;
        struct value *by = reshape(affine(count_up(g, 8), 2, -7), SHAPE(4, 2)); // −7, −5 … 7
        struct value *v = shift(x, by);
        gradient(sum(square(v)), &x, 1, &dx);
        root(g, v);
        root(g, dx);
        convolve(g, v);
        check(g, NULL);
    }
}

static void upsampled_kernels_give_the_reference(void **state)
{
    (void)state;
    const struct {
        int64_t kh, kw, factor;
    } of[] = {{3, 3, 2}, {3, 3, 3}, {5, 3, 2}, {1, 1, 2}};
    for (int i = 0; i < 4; i++) {
        const int64_t kh = of[i].kh, kw = of[i].kw, f = of[i].factor;
        struct graph *g = graph_new(arena_new(NULL));
        root(g, upsampled_kernel(input(g, "w", SHAPE(40, 33, kh, kw)), f));
        root(g, upsampled_kernel_grad(input(g, "dw", SHAPE(33, 40, kh + f - 1, kw + f - 1)), f));
        root(g, pooled_kernel(input(g, "p", SHAPE(40, 33, kh, kw)), f));
        root(g, pooled_kernel_grad(input(g, "dp", SHAPE(33, 40, kh + f - 1, kw + f - 1)), f));
        check(g, NULL);
    }
}

static void draws_are_those_of_their_stream(void **state)
{
    (void)state;
    struct graph *g = graph_new(arena_new(NULL));
    root(g, random_value(g, RANDOM_UNIFORM, -1, 3, 0, SHAPE(7, 11)));
    root(g, random_value(g, RANDOM_NORMAL, 1, 2, 1, SHAPE(123)));
    root(g, random_value(g, RANDOM_BERNOULLI, 0.3, 0, 2, SHAPE(5, 5)));
    root(g, random_value(g, RANDOM_LABEL, 10, 0, 3, SHAPE(64)));
    check(g, NULL);
}

static void label_ops_give_the_reference(void **state)
{
    (void)state;
    struct graph *g = graph_new(arena_new(NULL));
    struct value *index = input(g, "index", SHAPE(13)), *table = input(g, "table", SHAPE(5, 30)),
                 *x = input(g, "x", SHAPE(13, 30));
    root(g, gather(table, index));
    root(g, scatter_add(x, index, 5));
    root(g, one_hot(index, 5));
    check(g, NULL);
}

struct trained {
    struct graph *g;
    struct slots slots;
};

static struct slot *slot(struct trained *t, const char *name)
{
    return slots_add(&t->slots, name, SLOT_PARAM, SHAPE(37, 5), (struct init){0},
                     (struct place){0});
}

// A moment named "v…" is a mean square, and not negative.
static void stepped(struct trained *t, int number, const char *word, const char *params,
                    struct value *d, struct value *hyper)
{
    struct arena *a = t->g->arena;
    const struct optimizer o = optimizer_of(a, word, params);
    struct slot *moment[UPDATE_MOMENTS];
    for (int i = 0; i < optimizer_moments(&o); i++)
        moment[i] = slot(t, arena_printf(a, "%s%d", o.kind->moment[i], number));
    optimizer_step(&o, param(t->g, slot(t, arena_printf(a, "%s%d", word, number))), d, hyper,
                   moment);
}

static void effects_give_the_reference(void **state)
{
    (void)state;
    struct trained t = {graph_new(arena_new(NULL)), {0}};
    struct graph *g = t.g;
    slots_init(&t.slots, g->arena);
    struct value *d = input(g, "d", SHAPE(37, 5)), *hyper = input(g, "hyper", SHAPE(4));
    stepped(&t, 1, "adam", "{beta1: 0.5, epsilon: 1e-3, weight_decay: 0.1}", d, hyper);
    stepped(&t, 2, "adam", "{beta2: 0.99, epsilon: 1e-3, convention: keras}", d, hyper);
    stepped(&t, 3, "rmsprop", "{rho: 0.9, epsilon: 1e-3}", d, hyper);
    stepped(&t, 4, "rmsprop", "{rho: 0.9, epsilon: 1e-3, convention: keras}", d, hyper);
    stepped(&t, 5, "sgd", "{lr: 1}", d, hyper);
    stepped(&t, 6, "sgd", "{lr: 1, momentum: 0.9}", d, hyper);
    stepped(&t, 7, "sgd", "{lr: 1, momentum: 0.9, nesterov: true}", d, hyper);
    clip_slot(param(g, slot(&t, "c")), -0.2, 0.3);
    lerp_slot(param(g, slot(&t, "l")), d, 0.25);
    assign_slot(param(g, slot(&t, "n")), d);
    check(g, &t.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_give_the_reference),
        cmocka_unit_test(resampling_gives_the_reference),
        cmocka_unit_test(shifts_give_the_reference),
        cmocka_unit_test(upsampled_kernels_give_the_reference),
        cmocka_unit_test(draws_are_those_of_their_stream),
        cmocka_unit_test(label_ops_give_the_reference),
        cmocka_unit_test(effects_give_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
