// The Inception Score on predictions whose score is known, and the log-softmax under it.
#include "base/arena.h"
#include "eval/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct score score_of(const double *log_p, int64_t n, int classes, int64_t splits)
{
    const struct metric *is = metric_find("inception_score");
    assert_non_null(is);
    const struct protocol protocol = {n, splits, 0};
    return is->compute(&(struct evidence){.said = {n, classes, log_p}, .protocol = &protocol},
                       NULL);
}

static void close_to(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.12g, wanted %.12g ± %g", got, wanted, tolerance);
}

// n rows, each sure of class(i).
static double *sure(int64_t n, int classes, int (*class)(int64_t i, int64_t n, int classes))
{
    double *log_p = NEW_ARRAY(arena, double, n *classes);
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < classes; k++)
            log_p[i * classes + k] = k == class(i, n, classes) ? 0 : -INFINITY;
    return log_p;
}

static int in_turn(int64_t i, int64_t n, int classes)
{
    (void)n;
    return (int)(i % classes);
}

static int sorted(int64_t i, int64_t n, int classes) { return (int)(i * classes / n); }

static int one_class(int64_t i, int64_t n, int classes)
{
    (void)i, (void)n, (void)classes;
    return 3;
}

static void uniform_predictions_score_one(void **state)
{
    (void)state;
    enum { N = 100, K = 10 };
    double *log_p = NEW_ARRAY(arena, double, N *K);
    for (int i = 0; i < N * K; i++)
        log_p[i] = -log(K);
    close_to(score_of(log_p, N, K, 1).value, 1, 1e-12);
    close_to(score_of(log_p, N, K, 10).value, 1, 1e-12);
    close_to(score_of(log_p, N, K, 10).std, 0, 1e-7);
}

static void sure_and_even_predictions_score_the_classes(void **state)
{
    (void)state;
    for (int K = 2; K <= 1000; K *= 5)
        close_to(score_of(sure(4 * K, K, in_turn), 4 * K, K, 1).value, K, 1e-9 * K);
    close_to(score_of(sure(50, 10, one_class), 50, 10, 1).value, 1, 1e-12);
}

static void one_image_scores_one(void **state)
{
    (void)state;
    const double log_p[] = {log(0.7), log(0.2), log(0.1)};
    close_to(score_of(log_p, 1, 3, 1).value, 1, 1e-12);
    assert_true(isnan(score_of(log_p, 1, 3, 1).std));
    close_to(score_of(log_p, 1, 3, 10).value, 1, 1e-12); // no more splits than images
}

// Two images (a, 1−a) and (1−a, a): p̄ = ½, so IS = exp(ln 2 − H(a)).
static void two_opposite_images_score_the_formula(void **state)
{
    (void)state;
    const double a = 0.9, log_p[] = {log(a), log(1 - a), log(1 - a), log(a)};
    const double entropy = -a * log(a) - (1 - a) * log(1 - a);
    close_to(score_of(log_p, 2, 2, 1).value, exp(log(2) - entropy), 1e-12);
}

// Sorted by class, ten splits taken in order would each hold one class and score 1.
static void sorted_images_are_shuffled_before_they_are_split(void **state)
{
    (void)state;
    enum { N = 50000, K = 10 };
    const struct score s = score_of(sure(N, K, sorted), N, K, K);
    assert_true(s.value > 9.95 && s.value <= K);
    assert_true(s.std < 0.02);
    close_to(score_of(sure(N / K, K, one_class), N / K, K, 1).value, 1,
             1e-12); // what such a split scores
}

static void a_score_is_the_same_twice(void **state)
{
    (void)state;
    const double *log_p = sure(1000, 10, sorted);
    const struct score a = score_of(log_p, 1000, 10, 7), b = score_of(log_p, 1000, 10, 7);
    assert_memory_equal(&a, &b, sizeof a);
}

static void log_softmax_never_overflows(void **state)
{
    (void)state;
    const float logits[] = {0, 0, 0, 1000, 0, -1000, -1e30f, 0, 1e30f, 88, 89, 90};
    double log_p[12];
    log_softmax_rows(logits, 4, 3, log_p);
    for (int i = 0; i < 3; i++)
        close_to(log_p[i], -log(3), 1e-15);
    close_to(log_p[3], 0, 0);
    close_to(log_p[4], -1000, 1e-9);
    close_to(log_p[5], -2000, 1e-9);
    close_to(log_p[8], 0, 0);
    close_to(exp(log_p[9]) + exp(log_p[10]) + exp(log_p[11]), 1, 1e-15);
    assert_true(isfinite(score_of(log_p, 4, 3, 1).value));
    assert_true(score_of(log_p, 4, 3, 1).value >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform_predictions_score_one),
        cmocka_unit_test(sure_and_even_predictions_score_the_classes),
        cmocka_unit_test(one_image_scores_one),
        cmocka_unit_test(two_opposite_images_score_the_formula),
        cmocka_unit_test(sorted_images_are_shuffled_before_they_are_split),
        cmocka_unit_test(a_score_is_the_same_twice),
        cmocka_unit_test(log_softmax_never_overflows),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
