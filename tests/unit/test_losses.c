// Losses, penalties and terms: all of the registries' first and second derivatives against central
// differences in float64, and the values of each against numbers worked out by hand.
#include "base/arena.h"
#include "base/philox.h"
#include "ir/op.h"
#include "losses/losses.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

enum { INPUTS = 6 };

struct fixture {
    struct arena *arena;
    struct graph *graph;
    double *given[INPUTS]; // what the inputs "x0" … hold
};

static void give(void *context, const struct value *v, double *out)
{
    const struct fixture *f = context;
    const int64_t n = shape_size(v->shape);
    if (v->op == &op_input) {
        memcpy(out, f->given[v->attr.name[1] - '0'], sizeof *out * (size_t)n);
        return;
    }
    struct rng r;
    rng_init(&r, 3, (uint64_t)v->attr.random.stream);
    for (int64_t i = 0; i < n; i++)
        out[i] = rng_uniform(&r);
}

static struct fixture *setup(void)
{
    struct arena *a = arena_new(NULL);
    struct fixture *f = NEW(a, struct fixture);
    *f = (struct fixture){.arena = a, .graph = graph_new(a)};
    return f;
}

static struct value *in(struct fixture *f, int i, struct shape shape)
{
    struct rng r;
    rng_init(&r, 11, (uint64_t)i);
    f->given[i] = NEW_ARRAY(f->arena, double, shape_size(shape));
    for (int64_t k = 0; k < shape_size(shape); k++)
        f->given[i][k] = 1.3 * rng_normal(&r);
    return input(f->graph, (char[]){'x', (char)('0' + i), 0}, shape);
}

static struct value *in_values(struct fixture *f, int i, struct shape shape, const double *x)
{
    struct value *v = in(f, i, shape);
    memcpy(f->given[i], x, sizeof *x * (size_t)shape_size(shape));
    return v;
}

static double value_of(struct fixture *f, const struct value *v)
{
    struct arena *a = arena_new(NULL);
    const double y = graph_reference(f->graph, &(struct reference){give, f}, a)[v->id][0];
    arena_free(a);
    return y;
}

static void check_gradient(struct fixture *f, struct value *y, struct value *const *x, int n,
                           const char *what)
{
    struct value *dx[INPUTS];
    gradient(y, x, n, dx);
    struct arena *a = arena_new(NULL);
    double **result = graph_reference(f->graph, &(struct reference){give, f}, a);
    for (int i = 0; i < n; i++)
        for (int64_t k = 0; k < shape_size(x[i]->shape); k++) {
            double *at = &f->given[x[i]->attr.name[1] - '0'][k];
            const double kept = *at, h = 1e-5;
            *at = kept + h;
            const double up = value_of(f, y);
            *at = kept - h;
            const double down = value_of(f, y);
            *at = kept;
            const double numeric = (up - down) / (2 * h), analytic = result[dx[i]->id][k];
            if (!(fabs(numeric - analytic) <= 2e-6 * (1 + fabs(numeric))))
                fail_msg("%s: input %d element %d: %g by differences, %g by gradient", what, i,
                         (int)k, numeric, analytic);
        }
    arena_free(a);
}

// y and Σ|dy/dx + 0.1|² both differentiate correctly; y is a scalar of rank 0.
static void check_both(struct fixture *f, struct value *y, struct value *const *x, int n,
                       const char *what)
{
    struct value *dx[INPUTS], *norm = NULL;
    assert_int_equal(y->shape.rank, 0);
    check_gradient(f, y, x, n, what);
    gradient(y, x, n, dx);
    for (int i = 0; i < n; i++)
        norm = sum_terms(norm, sum(square(affine(dx[i], 1, 0.1))));
    check_gradient(f, norm, x, n, what);
}

// A term's arguments are no parameters here: its build function is given their values.
static void *term_defaults(struct arena *a, const struct term *is)
{
    struct diag *d = diag_new(a);
    void *into = arena_alloc(a, is->word.size);
    const struct param *rest = is->word.params + term_argument_count(is);
    assert_true(param_read(rest, NULL, (struct place){0}, "test", into, a, d));
    return into;
}

static void *defaults(struct arena *a, const struct param *table, size_t size)
{
    struct diag *d = diag_new(a);
    void *into = arena_alloc(a, size ? size : 1);
    if (table)
        assert_true(param_read(table, NULL, (struct place){0}, "test", into, a, d));
    return into;
}

static void derivatives_of_losses_are_the_differences(void **state)
{
    (void)state;
    for (size_t i = 0; losses.word[i]; i++) {
        struct fixture *f = setup();
        struct value *x[] = {in(f, 0, SHAPE(3, 1, 2, 2)), in(f, 1, SHAPE(3, 1, 2, 2))};
        const struct loss *is = (const struct loss *)losses.word[i];
        const void *params = defaults(f->arena, is->word.params, is->word.size);
        check_both(f, is->critic(params, x[0], x[1], is->flags & LOSS_SMOOTH ? 0.1 : 0), x, 2,
                   is->word.name);
        check_both(f, is->generator(params, x[0], x[1]), x, 2, is->word.name);
        if (!(is->flags & LOSS_PAIRS)) {
            check_both(f, is->generator(params, NULL, x[1]), &x[1], 1, is->word.name);
            check_both(f, is->generator(params, x[0], NULL), &x[0], 1, is->word.name);
        }
        arena_free(f->arena);
    }
}

// D(x) = Σ_k tanh(x·w_k), x (N, 3, 1, 2), w (6, 4)
static struct value *small_critic(struct penalty_ctx *ctx, struct value *const *argument)
{
    struct value *x = argument[0];
    const int64_t n = x->shape.dim[0];
    return reduce_sum(
        tanh_value(matmul(reshape(x, SHAPE(n, shape_size(x->shape) / n)), ctx->own, false, false)),
        1u << 1);
}

static void derivatives_of_penalties_are_the_differences(void **state)
{
    (void)state;
    for (size_t i = 0; penalties.word[i]; i++) {
        struct fixture *f = setup();
        struct value *x[] = {in(f, 0, SHAPE(2, 3, 1, 2)), in(f, 1, SHAPE(2, 3, 1, 2)),
                             in(f, 2, SHAPE(6, 4))};
        struct penalty_ctx ctx = {f->graph, 1, &x[0], &x[1], (bool[]){false}, small_critic, x[2]};
        const struct penalty *is = (const struct penalty *)penalties.word[i];
        struct value *y = is->build(&ctx, defaults(f->arena, is->word.params, is->word.size));
        check_both(f, y, &x[2], 1, is->word.name);
        arena_free(f->arena);
    }
}

static void derivatives_of_terms_are_the_differences(void **state)
{
    (void)state;
    for (size_t i = 0; terms.word[i]; i++) {
        struct fixture *f = setup();
        const struct term *is = (const struct term *)terms.word[i];
        struct value *argument[TERM_ARGUMENTS] = {NULL}, *x[TERM_ARGUMENTS];
        int n = 0;
        for (int j = 0; j < term_argument_count(is); j++) {
            if (is->word.params[j].type == PARAM_LABEL) {
                argument[j] = in_values(f, j, SHAPE(3), (double[]){2, 0, 3});
                continue;
            }
            argument[j] = x[n++] = in(f, j, SHAPE(3, 4));
        }
        check_both(f, is->build(term_defaults(f->arena, is), argument), x, n, is->word.name);
        arena_free(f->arena);
    }
}

// D(x) = w·x: the slope is ‖w‖ everywhere, so the penalty is (‖w‖ − 1)² whatever the batch and
// wherever it is taken.
static struct value *linear_critic(struct penalty_ctx *ctx, struct value *const *argument)
{
    return matmul(argument[0], ctx->own, false, false);
}

static double linear_penalty(const char *word, int64_t batch)
{
    struct fixture *f = setup();
    struct value *x[] = {in(f, 0, SHAPE(batch, 2)), in(f, 1, SHAPE(batch, 2))};
    struct value *w = in_values(f, 2, SHAPE(2, 1), (double[]){3, 4});
    struct penalty_ctx ctx = {f->graph, 1, &x[0], &x[1], (bool[]){false}, linear_critic, w};
    const struct penalty *is = penalty_find(word);
    const double y = value_of(f,
                              is->build(&ctx, defaults(f->arena, is->word.params, is->word.size)));
    arena_free(f->arena);
    return y;
}

static void penalties_of_a_linear_critic_are_known(void **state)
{
    (void)state;
    for (int64_t batch = 1; batch <= 8; batch *= 2) {
        assert_float_equal(linear_penalty("gradient", batch), 10 * (5 - 1) * (5 - 1), 1e-9);
        assert_float_equal(linear_penalty("dragan", batch), 10 * (5 - 1) * (5 - 1), 1e-9);
        assert_float_equal(linear_penalty("r1", batch), 10 / 2. * 25, 1e-9);
        assert_float_equal(linear_penalty("wgan_div", batch), pow(25, 3) * 2, 1e-6);
    }
}

// The penalty of a held argument does not look at its slope.
static struct value *two_critic(struct penalty_ctx *ctx, struct value *const *argument)
{
    return add(matmul(argument[0], ctx->own, false, false), affine(argument[1], 7, 0));
}

static void a_penalty_holds_what_both_sides_share(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *real[] = {in(f, 0, SHAPE(2, 2)), in(f, 1, SHAPE(2, 1))};
    struct value *fake[] = {in(f, 2, SHAPE(2, 2)), real[1]};
    struct value *w = in_values(f, 3, SHAPE(2, 1), (double[]){3, 4});
    struct penalty_ctx ctx = {f->graph, 2, real, fake, (bool[]){false, true}, two_critic, w};
    const struct penalty *is = penalty_find("gradient");
    assert_float_equal(
        value_of(f, is->build(&ctx, defaults(f->arena, is->word.params, is->word.size))), 160,
        1e-9);
    arena_free(f->arena);
}

// A slope of zero has a norm without a derivative; the penalty's has one.
static void a_flat_critic_has_a_finite_penalty(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x[] = {in(f, 0, SHAPE(2, 2)), in(f, 1, SHAPE(2, 2))}, *dw;
    struct value *w = in_values(f, 2, SHAPE(2, 1), (double[]){0, 0});
    struct penalty_ctx ctx = {f->graph, 1, &x[0], &x[1], (bool[]){false}, linear_critic, w};
    const struct penalty *is = penalty_find("gradient");
    gradient(is->build(&ctx, defaults(f->arena, is->word.params, is->word.size)), &w, 1, &dw);
    assert_float_equal(value_of(f, dw), 0, 1e-6);
    arena_free(f->arena);
}

struct hand {
    const char *word;
    double r, f, critic, generator;
};

// One logit a side: values by hand; softplus(0) = log 2.
static void losses_are_those_computed_by_hand(void **state)
{
    (void)state;
    const double l2 = log(2), sp1 = log1p(exp(1.)), sm1 = log1p(exp(-1.));
    const struct hand table[] = {
        {"log", 0, 0, 2 * l2, l2},
        {"log", 1, 1, sm1 + sp1, sm1},
        {"wasserstein", 3, 5, 2, -5},
        {"least_squares", 3, 5, 4 + 25, 16},
        {"hinge", 0.5, -0.25, 0.5 + 0.75, 0.25},
        {"hinge", 2, -2, 0, 2},
        {"boundary_seeking", 0, 3, l2 + log1p(exp(3.)), 4.5},
        {"relativistic", 2, 1, 2 * sm1, 2 * sp1},
        {"softmax", 1, 1, 1 + l2 - 1, 1 + l2 - 1},
    };
    for (size_t i = 0; i < LENGTH(table); i++) {
        struct fixture *f = setup();
        const struct loss *is = loss_find(table[i].word);
        const void *params = defaults(f->arena, is->word.params, is->word.size);
        struct value *r = in_values(f, 0, SHAPE(1, 1), &table[i].r),
                     *x = in_values(f, 1, SHAPE(1, 1), &table[i].f);
        struct value *side = is->generator(params, is->flags & LOSS_PAIRS ? r : NULL, x);
        assert_float_equal(value_of(f, is->critic(params, r, x, 0)), table[i].critic, 1e-9);
        assert_float_equal(value_of(f, side), table[i].generator, 1e-9);
        arena_free(f->arena);
    }
}

// A saturated critic: nothing overflows, nothing vanishes into log(0).
static void a_saturated_critic_overflows_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; losses.word[i]; i++) {
        struct fixture *f = setup();
        const struct loss *is = (const struct loss *)losses.word[i];
        const void *params = defaults(f->arena, is->word.params, is->word.size);
        struct value *r = in_values(f, 0, SHAPE(2, 1), (double[]){-800, 900}),
                     *x = in_values(f, 1, SHAPE(2, 1), (double[]){800, -900});
        struct value *dx, *y = is->generator(params, r, x);
        gradient(y, &x, 1, &dx);
        assert_true(isfinite(value_of(f, y)) && isfinite(value_of(f, dx)) &&
                    isfinite(value_of(f, is->critic(params, r, x, 0))));
        arena_free(f->arena);
    }
}

// ½·mean((log D − log(1 − D))²) = ½·mean(s²)
static void boundary_seeking_is_half_the_squared_logit(void **state)
{
    (void)state;
    struct fixture *f = setup();
    const double s[] = {0.3, -1.2, 2.5};
    double expected = 0;
    for (int i = 0; i < 3; i++) {
        const double D = 1 / (1 + exp(-s[i]));
        expected += 0.5 * pow(log(D) - log(1 - D), 2) / 3;
    }
    struct value *x = in_values(f, 0, SHAPE(3, 1), s);
    assert_float_equal(value_of(f, loss_find("boundary_seeking")->generator(NULL, NULL, x)),
                       expected, 1e-9);
    arena_free(f->arena);
}

// Label smoothing: −(1 − s)·log D − s·log(1 − D) on real data.
static void smoothing_mixes_both_labels_on_the_real_side(void **state)
{
    (void)state;
    struct fixture *f = setup();
    const struct loss *is = loss_find("log");
    const void *params = defaults(f->arena, is->word.params, is->word.size);
    const double r = 0.7, D = 1 / (1 + exp(-r));
    struct value *real = in_values(f, 0, SHAPE(1, 1), &r),
                 *fake = in_values(f, 1, SHAPE(1, 1), (double[]){0});
    assert_float_equal(value_of(f, is->critic(params, real, fake, 0.1)),
                       -0.9 * log(D) - 0.1 * log(1 - D) + log(2), 1e-9);
    arena_free(f->arena);
}

static double term_value(const char *word, struct fixture *f, struct value *a, struct value *b,
                         struct value *c)
{
    const struct term *is = term_find(word);
    return value_of(f, is->build(term_defaults(f->arena, is), (struct value *[]){a, b, c, NULL}));
}

static void terms_are_those_computed_by_hand(void **state)
{
    (void)state;
    struct fixture *f = setup();
    struct value *x = in_values(f, 0, SHAPE(2, 2), (double[]){1, -1, 0, 2}),
                 *y = in_values(f, 1, SHAPE(2, 2), (double[]){0, 1, 0, -2});
    struct value *label = in_values(f, 2, SHAPE(2), (double[]){0, 1}),
                 *code = in_values(f, 3, SHAPE(2, 2), (double[]){1, 0, 0, 1});
    assert_float_equal(term_value("l1", f, x, y, NULL), 7 / 4., 1e-9);
    assert_float_equal(term_value("cycle", f, x, y, NULL), 7 / 4., 1e-9);
    assert_float_equal(term_value("mse", f, x, y, NULL), 21 / 4., 1e-9);
    assert_float_equal(term_value("cross_entropy", f, x, label, NULL), log1p(exp(-2.)), 1e-9);
    assert_float_equal(term_value("mutual_information", f, x, label, NULL),
                       log1p(exp(-2.)) - log(2), 1e-9);
    assert_float_equal(term_value("cross_entropy", f, x, code, NULL), log1p(exp(-2.)), 1e-9);
    assert_float_equal(term_value("binary_cross_entropy", f, x, code, NULL),
                       (log1p(exp(-1.)) + log1p(exp(-1.)) + log(2) + log1p(exp(-2.))) / 4, 1e-9);
    assert_float_equal(
        term_value("kl", f, x, y, NULL),
        0.5 * ((1 + 1 - 1 - 0) + (1 + exp(1) - 1 - 1) + 0 + (4 + exp(-2) - 1 + 2)) / 4, 1e-9);
    assert_float_equal(term_value("gaussian_nll", f, x, y, NULL), 21 / 8., 1e-9);
    assert_float_equal(term_value("gaussian_nll", f, x, x, y), -1 / 8., 1e-9);
    struct value *three = in_values(f, 4, SHAPE(2, 2), (double[]){0, log(3), 5, 5});
    assert_float_equal(term_value("policy_gradient", f, three, x, NULL),
                       -((1 / 4. - 3 / 4.) + (0 + 2) / 2.) / 2, 1e-9);
    assert_float_equal(term_value("feature_matching", f, x, y, NULL), (0.25 + 1) / 2, 1e-9);
    arena_free(f->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_of_losses_are_the_differences),
        cmocka_unit_test(derivatives_of_penalties_are_the_differences),
        cmocka_unit_test(derivatives_of_terms_are_the_differences),
        cmocka_unit_test(penalties_of_a_linear_critic_are_known),
        cmocka_unit_test(a_penalty_holds_what_both_sides_share),
        cmocka_unit_test(a_flat_critic_has_a_finite_penalty),
        cmocka_unit_test(losses_are_those_computed_by_hand),
        cmocka_unit_test(a_saturated_critic_overflows_nothing),
        cmocka_unit_test(boundary_seeking_is_half_the_squared_logit),
        cmocka_unit_test(smoothing_mixes_both_labels_on_the_real_side),
        cmocka_unit_test(terms_are_those_computed_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
