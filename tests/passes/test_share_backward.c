// One backward pass for two players: the same numbers from fewer products, whatever the losses are,
// and beside one batch for real and fake; and not where samples are coupled.
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

enum { N = 3, CHANNELS = 16, PIXELS = 8, FLAT = 2 * CHANNELS * PIXELS * PIXELS / 4 };
enum { WEIGHTS = 4 };

static void feed(void *context, const struct value *v, double *out)
{
    const char *name = v->attr.slot ? v->attr.slot->name : v->attr.name ? v->attr.name : "";
    (void)context;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = sin((double)i * 0.7 + name[0]);
}

static const struct reference source = {feed, NULL};

enum loss { LOG, SATURATING, WASSERSTEIN, HINGE };

struct critic {
    struct graph *g;
    struct value *w[WEIGHTS]; // two convolutions, two biases
    struct value *dense;
    bool normalised;
};

static struct critic critic_new(void)
{
    struct graph *g = graph_new(arena_new(NULL));
    return (struct critic){g,
                           {input(g, "first", SHAPE(CHANNELS, 1, 3, 3)),
                            input(g, "second", SHAPE(2 * CHANNELS, CHANNELS, 4, 4)),
                            input(g, "bias", SHAPE(1, CHANNELS, 1, 1)),
                            input(g, "offset", SHAPE(1, 2 * CHANNELS, 1, 1))},
                           input(g, "dense", SHAPE(1, FLAT)),
                           false};
}

static struct value *normalise(struct value *x)
{
    const unsigned axes = 1 << 0 | 1 << 2 | 1 << 3;
    struct value *centred = sub(x, mean_axes(x, axes));
    return mul(centred, rsqrt_value(affine(mean_axes(square(centred), axes), 1, 1e-3)));
}

// (N, 1, PIXELS, PIXELS) to (N, 1, 1, 1)
static struct value *apply(const struct critic *c, struct value *x)
{
    const struct window same = {{1, 1}, {1, 1, 1, 1}}, half = {{2, 2}, {1, 1, 1, 1}};
    struct value *h = leaky_relu(add(conv(x, c->w[0], same), c->w[2]), 0.2);
    h = add(conv(h, c->w[1], half), c->w[3]);
    h = leaky_relu(c->normalised ? normalise(h) : h, 0.2);
    return reshape(matmul(reshape(h, SHAPE(N, FLAT)), c->dense, false, true), SHAPE(N, 1, 1, 1));
}

static struct value *critic_loss(enum loss loss, struct value *real, struct value *fake)
{
    if (loss == WASSERSTEIN)
        return sub(mean(fake), mean(real));
    if (loss == HINGE)
        return add(mean(leaky_relu(affine(real, -1, 1), 0)),
                   mean(leaky_relu(affine(fake, 1, 1), 0)));
    return add(mean(softplus(affine(real, -1, 0))), mean(softplus(fake)));
}

static struct value *generator_loss(enum loss loss, struct value *fake)
{
    if (loss == LOG)
        return mean(softplus(affine(fake, -1, 0)));
    return affine(mean(loss == SATURATING ? softplus(fake) : fake), -1, 0);
}

// Both players' gradients as roots; the generator's first where `transposed`.
static void play(struct critic *c, enum loss loss, bool transposed)
{
    struct value *real = input(c->g, "real", SHAPE(N, 1, PIXELS, PIXELS)),
                 *fake = tanh_value(input(c->g, "z", SHAPE(N, 1, PIXELS, PIXELS)));
    struct value *said = apply(c, fake), *d[WEIGHTS], *dfake;
    struct value *of_critic = critic_loss(loss, apply(c, real), said),
                 *of_generator = generator_loss(loss, said);
    if (transposed)
        gradient(of_generator, &fake, 1, &dfake);
    gradient(of_critic, c->w, WEIGHTS, d);
    if (!transposed)
        gradient(of_generator, &fake, 1, &dfake);
    for (int i = 0; i < WEIGHTS; i++)
        graph_root(c->g, (char[]){'d', (char)('0' + i), 0}, d[i]);
    graph_root(c->g, "dfake", dfake);
    passes_run(c->g, "simplify");
}

// Data gradients: of real one, of both players' fakes two each, the last to the picture. One goes,
// and then the real one joins what is left of it.
static void check(enum loss loss, bool transposed)
{
    struct critic c = critic_new();
    play(&c, loss, transposed);
    double **want = roots_of(c.g, &source);
    assert_int_equal(count(c.g, &op_conv_data_grad), 1 + 1 + 2);
    assert_true(pass_share_backward(c.g));
    passes_run(c.g, "simplify");
    assert_same_roots(c.g, &source, want);
    assert_int_equal(count(c.g, &op_conv_data_grad), 1 + 2);
    assert_true(pass_batch_siblings(c.g));
    graph_verify(c.g, "batch_siblings");
    assert_same_roots(c.g, &source, want);
    assert_int_equal(count(c.g, &op_conv_data_grad), 1 + 1);
    assert_int_equal(count(c.g, &op_conv_weight_grad), 2);
    assert_false(pass_share_backward(c.g));
    arena_free(c.g->arena);
}

static void gradients_of_every_loss_go_back_once(void **state)
{
    (void)state;
    for (enum loss loss = LOG; loss <= HINGE; loss++) {
        check(loss, false);
        check(loss, true);
    }
}

// Where one is a number times the other, the critic's own gradients stay: nothing is multiplied but
// the picture's.
static void one_number_times_the_other_scales_the_picture_only(void **state)
{
    (void)state;
    for (int transposed = 0; transposed < 2; transposed++) {
        struct critic c = critic_new();
        play(&c, SATURATING, transposed);
        const int maps = count(c.g, &op_pointwise[PW_MUL]),
                  scales = count(c.g, &op_pointwise[PW_AFFINE]);
        pass_share_backward(c.g);
        passes_run(c.g, "simplify");
        assert_true(count(c.g, &op_pointwise[PW_MUL]) < maps);
        assert_true(count(c.g, &op_pointwise[PW_AFFINE]) <= scales);
        arena_free(c.g->arena);
    }
}

// Batch statistics couple samples: only what a number for all does goes through them.
static void batch_statistics_let_only_one_number_through(void **state)
{
    (void)state;
    struct critic c = critic_new();
    c.normalised = true;
    play(&c, LOG, false);
    assert_false(pass_share_backward(c.g));
    arena_free(c.g->arena);
    c = critic_new();
    c.normalised = true;
    play(&c, SATURATING, false);
    double **want = roots_of(c.g, &source);
    assert_true(pass_share_backward(c.g));
    assert_same_roots(c.g, &source, want);
    assert_int_equal(count(c.g, &op_conv_data_grad), 1 + 2);
    arena_free(c.g->arena);
}

// A player that judges by a mean of what the critic says of several pictures goes another way.
static void a_mean_over_pictures_goes_its_own_way(void **state)
{
    (void)state;
    struct critic c = critic_new();
    struct value *x = input(c.g, "x", SHAPE(N, 1, PIXELS, PIXELS)), *said = apply(&c, x), *d[2];
    struct value *other = matmul(reshape(apply(&c, x), SHAPE(N, 1)), input(c.g, "mix", SHAPE(1, 5)),
                                 false, false);
    gradient(mean(softplus(said)), &x, 1, &d[0]);
    c.w[1] = input(c.g, "another", SHAPE(2 * CHANNELS, CHANNELS, 4, 4));
    gradient(mean(softplus(add(reshape(apply(&c, x), SHAPE(N, 1)), reduce_sum(other, 1 << 1)))), &x,
             1, &d[1]);
    graph_root(c.g, "one", d[0]);
    graph_root(c.g, "other", d[1]);
    passes_run(c.g, "simplify");
    double **want = roots_of(c.g, &source);
    const int before = count(c.g, &op_conv_data_grad);
    pass_share_backward(c.g);
    assert_same_roots(c.g, &source, want);
    assert_true(count(c.g, &op_conv_data_grad) >= before - 2);
    arena_free(c.g->arena);
}

// The slope at real pictures goes the critic's own way back, and is differentiated once more.
static void a_penalty_shares_the_way_back(void **state)
{
    (void)state;
    struct critic c = critic_new();
    struct value *real = input(c.g, "real", SHAPE(N, 1, PIXELS, PIXELS)), *said = apply(&c, real),
                 *slope, *d[WEIGHTS];
    gradient(sum(said), &real, 1, &slope);
    gradient(add(mean(softplus(affine(said, -1, 0))), mean(square(slope))), c.w, WEIGHTS, d);
    for (int i = 0; i < WEIGHTS; i++)
        graph_root(c.g, (char[]){'d', (char)('0' + i), 0}, d[i]);
    passes_run(c.g, "simplify");
    double **want = roots_of(c.g, &source);
    const int before = count(c.g, &op_conv_data_grad);
    assert_true(pass_share_backward(c.g));
    assert_same_roots(c.g, &source, want);
    assert_int_equal(count(c.g, &op_conv_data_grad), before - 1);
    arena_free(c.g->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_of_every_loss_go_back_once),
        cmocka_unit_test(one_number_times_the_other_scales_the_picture_only),
        cmocka_unit_test(batch_statistics_let_only_one_number_through),
        cmocka_unit_test(a_mean_over_pictures_goes_its_own_way),
        cmocka_unit_test(a_penalty_shares_the_way_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
