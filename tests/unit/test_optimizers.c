// Every optimizer's file says all that a step of it needs: the numbers that change from step to step
// are its own, and its rule reads none that it does not give.
#include "support/optimizers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h> // last: its fail() is another

enum { N = 5 };

struct weights {
    double p[N], g[N], moment[UPDATE_MOMENTS][N];
};

// The t-th step; numbers that the optimizer does not give are NaN, moments that it does not name are
// absent.
static void step(const struct optimizer *o, double factor, int64_t t, struct weights *w)
{
    float given[UPDATE_NUMBERS];
    double number[UPDATE_NUMBERS], *moment[UPDATE_MOMENTS] = {NULL};
    for (int i = 0; i < UPDATE_NUMBERS; i++)
        given[i] = NAN;
    o->kind->numbers(o->options, factor, t, given);
    for (int i = 0; i < UPDATE_NUMBERS; i++)
        number[i] = given[i];
    for (int i = 0; i < optimizer_moments(o); i++)
        moment[i] = w->moment[i];
    o->kind->rule.update(o->options, w->p, w->g, moment, number, 0, N);
}

static struct weights weights(void)
{
    struct weights w = {.p = {1, -1, 0.5, 0, 2}, .g = {1, 1, -1, 0.25, -2}};
    return w;
}

static void rules_read_only_numbers_that_their_files_give(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    for (const struct word *const *k = optimizers.word; *k; k++) {
        const struct optimizer o = optimizer_of(a, (*k)->name, "{lr: 0.01}");
        struct weights w = weights();
        for (int t = 1; t <= 3; t++)
            step(&o, 1, t, &w);
        for (int i = 0; i < N; i++)
            if (!isfinite(w.p[i]))
                fail_msg("%s reads a number that it does not give", (*k)->name);
    }
    arena_free(a);
}

// Without a rate nothing moves; with one, each step goes against its gradient.
static void a_rate_is_what_moves_weights(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    for (const struct word *const *k = optimizers.word; *k; k++) {
        const struct optimizer o = optimizer_of(a, (*k)->name, "{lr: 0.01}");
        const struct weights old = weights();
        struct weights still = old, moved = old;
        step(&o, 0, 1, &still);
        step(&o, 1, 1, &moved);
        assert_memory_equal(still.p, old.p, sizeof old.p);
        for (int i = 0; i < N; i++)
            if (!((moved.p[i] - old.p[i]) * old.g[i] < 0))
                fail_msg("%s: element %d does not go down", (*k)->name, i);
    }
    arena_free(a);
}

// What is 0 after optimizer_numbers is read by no rule; it is what a trace shows.
static void numbers_that_are_not_given_are_zero(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct optimizer o = optimizer_of(a, "sgd", "{lr: 0.5}");
    float number[UPDATE_NUMBERS] = {NAN, NAN, NAN, NAN};
    optimizer_numbers(&o, 0.5, 1, number);
    assert_float_equal(number[0], 0.25, 0);
    for (int i = 1; i < UPDATE_NUMBERS; i++)
        assert_float_equal(number[i], 0, 0);
    arena_free(a);
}

static void adam_corrects_for_its_start(void **state)
{
    (void)state;
    struct arena *a = arena_new(NULL);
    const struct optimizer o = optimizer_of(a, "adam", "{lr: 0.1, beta1: 0.5, beta2: 0.9}");
    float number[UPDATE_NUMBERS];
    optimizer_numbers(&o, 0.5, 2, number);
    assert_float_equal(number[0], 0.05, 1e-7);
    assert_float_equal(number[1], 1 / 0.75, 1e-6);
    assert_float_equal(number[2], 1 / 0.19, 1e-5);
    // a gradient that stays moves a weight by the rate at each step, from the first on
    struct weights w = weights();
    for (int t = 1; t <= 4; t++) {
        const struct weights old = w;
        step(&o, 1, t, &w);
        for (int i = 0; i < N; i++)
            assert_float_equal(fabs(w.p[i] - old.p[i]), 0.1, 1e-6);
    }
    arena_free(a);
}

// A rule is found by its name, and so is a moment's slot.
static void names_are_told_apart(void **state)
{
    (void)state;
    const struct update_rule *const slot_rule[] = {&rule_clip, &rule_lerp, &rule_assign};
    for (const struct word *const *k = optimizers.word; *k; k++) {
        const struct optimizer_kind *const o = (const struct optimizer_kind *)*k;
        assert_string_equal(o->word.name, o->rule.name);
        for (size_t i = 0; i < LENGTH(slot_rule); i++)
            assert_string_not_equal(o->word.name, slot_rule[i]->name);
        for (const struct word *const *other = optimizers.word; other < k; other++)
            assert_string_not_equal(o->word.name, (*other)->name);
        for (int i = 0; o->moment[i]; i++)
            for (int j = 0; j < i; j++)
                assert_string_not_equal(o->moment[i], o->moment[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_read_only_numbers_that_their_files_give),
        cmocka_unit_test(a_rate_is_what_moves_weights),
        cmocka_unit_test(numbers_that_are_not_given_are_zero),
        cmocka_unit_test(adam_corrects_for_its_start),
        cmocka_unit_test(names_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
