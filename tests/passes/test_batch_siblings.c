// Real and fake in one batch: the same numbers from half the products, draws as they were; and what
// must stay apart does.
#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "codegen/compile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another
#include "support/roots.h"

enum { N = 3, CHANNELS = 6, HIDDEN = 40, PIXELS = 6 };

static void feed(void *context, const struct value *v, double *out)
{
    const char *name = v->attr.slot ? v->attr.slot->name : v->attr.name ? v->attr.name : "";
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = v->op == &op_random ? (i * 7 + v->attr.random.stream) % 3 != 0
                                     : sin((double)i * 0.7 + name[0]);
}

static const struct reference source = {feed, NULL};

struct critic {
    struct graph *g;
    struct slots slots;
    struct value *w[3]; // convolution, bias, dense
    bool normalised, masked;
};

static struct critic critic_new(void)
{
    static const char *const name[] = {"kernel", "bias", "dense"};
    const struct shape shape[] = {SHAPE(CHANNELS, 1, 3, 3), SHAPE(1, CHANNELS, 1, 1),
                                  SHAPE(HIDDEN, CHANNELS * PIXELS * PIXELS)};
    struct critic c = {.g = graph_new(arena_new(NULL))};
    slots_init(&c.slots, c.g->arena);
    for (int i = 0; i < 3; i++)
        c.w[i] = param(c.g, slots_add(&c.slots, name[i], SLOT_PARAM, shape[i], (struct init){0},
                                      (struct place){0}));
    return c;
}

// (N, 1, PIXELS, PIXELS) to (N, HIDDEN)
static struct value *apply(struct critic *c, struct value *x)
{
    const struct window same = {{1, 1}, {1, 1, 1, 1}};
    struct value *h = add(conv(x, c->w[0], same), c->w[1]);
    if (c->normalised) {
        struct value *centred = sub(h, mean_axes(h, 1 << 0 | 1 << 2 | 1 << 3));
        h = mul(centred,
                rsqrt_value(affine(mean_axes(square(centred), 1 << 0 | 1 << 2 | 1 << 3), 1, 1e-3)));
    }
    h = leaky_relu(h, 0.2);
    if (c->masked)
        h = mul(h, random_value(c->g, RANDOM_BERNOULLI, 0.5, 0, c->g->next_stream++, h->shape));
    return matmul(reshape(h, SHAPE(N, CHANNELS * PIXELS * PIXELS)), c->w[2], false, true);
}

static struct value *image(struct critic *c, const char *name)
{
    return input(c->g, name, SHAPE(N, 1, PIXELS, PIXELS));
}

// Log loss of both, and where `slope` the gradient penalty between: losses and gradients are roots.
static void evaluator(struct critic *c, bool slope)
{
    struct value *real = image(c, "real"), *fake = image(c, "fake"), *dw[3], *dx;
    struct value *y = add(mean(softplus(affine(apply(c, real), -1, 0))),
                          mean(softplus(apply(c, fake))));
    if (slope) {
        struct value *between = affine(add(real, fake), 0.5, 0);
        gradient(sum(apply(c, between)), &between, 1, &dx);
        y = add(y, mean(square(affine(reduce_sum(square(dx), 1 << 2 | 1 << 3), 1, -1))));
    }
    gradient(y, c->w, 3, dw);
    graph_root(c->g, "y", y);
    for (int i = 0; i < 3; i++)
        graph_root(c->g, (char[]){'d', (char)('0' + i), 0}, dw[i]);
    passes_run(c->g, "simplify");
}

// The pass changes no root.
static void check_meaning(struct graph *g)
{
    double **want = roots_of(g, &source);
    assert_true(pass_batch_siblings(g));
    graph_verify(g, "batch_siblings");
    assert_same_roots(g, &source, want);
}

static void two_batches_of_a_critic_become_one(void **state)
{
    (void)state;
    struct critic c = critic_new();
    evaluator(&c, false);
    check_meaning(c.g);
    assert_int_equal(count(c.g, &op_conv), 1);
    assert_int_equal(count(c.g, &op_conv_weight_grad), 1);
    assert_int_equal(count(c.g, &op_matmul), 3);
    arena_free(c.g->arena);
}

// The penalty's own pass, forwards, back and forwards again, stays beside it.
static void a_penaltys_own_pass_stays_beside_it(void **state)
{
    (void)state;
    struct critic c = critic_new();
    evaluator(&c, true);
    const int convolutions = count(c.g, &op_conv), matmuls = count(c.g, &op_matmul);
    check_meaning(c.g);
    assert_int_equal(count(c.g, &op_conv), convolutions - 1);
    assert_int_equal(count(c.g, &op_matmul), matmuls - 3);
    arena_free(c.g->arena);
}

// Masks are the draws they were.
static void masks_are_the_draws_they_were(void **state)
{
    (void)state;
    struct critic c = critic_new();
    c.masked = true;
    evaluator(&c, false);
    check_meaning(c.g);
    assert_int_equal(count(c.g, &op_conv), 1);
    int streams = 0;
    for (int i = 0; i < c.g->n; i++)
        if (c.g->value[i]->op == &op_random) {
            assert_int_equal(c.g->value[i]->shape.dim[0], N);
            streams |= 1 << c.g->value[i]->attr.random.stream;
        }
    assert_int_equal(streams, 1 << 0 | 1 << 1);
    arena_free(c.g->arena);
}

// Batch statistics couple samples: what normalises stays two. (The dense layer behind it is merged,
// which its weights are worth.)
static void batch_statistics_stay_two(void **state)
{
    (void)state;
    struct critic c = critic_new();
    c.normalised = true;
    evaluator(&c, false);
    check_meaning(c.g);
    assert_int_equal(count(c.g, &op_pointwise[PW_RSQRT]), 2);
    arena_free(c.g->arena);
}

// A sum over the batch that is read by itself as well stays one for each side, and what is made of
// it too.
static void a_sum_that_is_read_by_itself_stays_two(void **state)
{
    (void)state;
    struct critic c = critic_new();
    struct value *s[2], *flat[2];
    for (int i = 0; i < 2; i++) {
        s[i] = reduce_sum(apply(&c, image(&c, i ? "fake" : "real")), 1 << 0);
        flat[i] = reshape(s[i], SHAPE(HIDDEN));
    }
    graph_root(c.g, "sum", add(flat[0], flat[1]));
    graph_root(c.g, "apart", sub(square(s[0]), square(s[1])));
    check_meaning(c.g);
    assert_int_equal(count(c.g, &op_conv), 1);
    assert_int_equal(count(c.g, &op_matmul), 1);
    assert_int_equal(count(c.g, &op_reduce_sum), 2);
    arena_free(c.g->arena);
}

// Between two updates the weights are others; after them, what is applied twice is merged.
static void versions_between_updates_are_not_merged(void **state)
{
    (void)state;
    struct critic c = critic_new();
    struct value *before = apply(&c, image(&c, "real"));
    for (int i = 0; i < 3; i++)
        c.w[i] = lerp_slot(c.w[i], square(c.w[i]), 0.1);
    graph_root(c.g, "before", mean(before));
    graph_root(c.g, "after", mean(apply(&c, image(&c, "fake"))));
    assert_false(pass_batch_siblings(c.g));
    graph_root(c.g, "again", mean(apply(&c, image(&c, "other"))));
    assert_true(pass_batch_siblings(c.g));
    graph_verify(c.g, "batch_siblings");
    assert_int_equal(count(c.g, &op_matmul), 2);
    arena_free(c.g->arena);
}

// What is fed to the second depends on the first.
static void what_depends_on_the_first_is_not_merged(void **state)
{
    (void)state;
    struct critic c = critic_new();
    struct value *y = apply(&c, image(&c, "real"));
    struct value *x = reshape(slice(y, 1, 0, PIXELS * PIXELS), SHAPE(N, 1, PIXELS, PIXELS));
    graph_root(c.g, "y", apply(&c, x));
    assert_false(pass_batch_siblings(c.g));
    arena_free(c.g->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_batches_of_a_critic_become_one),
        cmocka_unit_test(a_penaltys_own_pass_stays_beside_it),
        cmocka_unit_test(masks_are_the_draws_they_were),
        cmocka_unit_test(batch_statistics_stay_two),
        cmocka_unit_test(a_sum_that_is_read_by_itself_stays_two),
        cmocka_unit_test(versions_between_updates_are_not_merged),
        cmocka_unit_test(what_depends_on_the_first_is_not_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
