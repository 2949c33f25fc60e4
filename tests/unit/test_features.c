// Distances between sets of features: cases with an answer on paper, and others whose answer numpy
// gives from the definitions (np.cov, np.linalg.eigvals, np.partition in float64).
#include "base/arena.h"
#include "base/philox.h"
#include "eval/eigen.h"
#include "eval/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void close_to(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%.12g, wanted %.12g ± %g", got, wanted, tolerance);
}

struct pair {
    int64_t first, second;
};

static struct score take(const char *name, struct rows x, struct rows reference, struct pair params)
{
    const struct metric *m = metric_find(name);
    assert_non_null(m);
    assert_true(m->looks_at == METRIC_FEATURES);
    return m->compute(&(struct evidence){.features = x, .reference = reference}, &params);
}

static struct rows waves(int n, int d, double a, float scale)
{
    float *x = NEW_ARRAY(arena, float, n *d);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            x[i * d + j] = scale * (float)sin(a * i + 3 * j + i * j * 0.37);
    return (struct rows){n, d, x, NULL};
}

static struct rows normal(int n, int d, uint64_t seed, double shift, const double *deviation)
{
    float *x = NEW_ARRAY(arena, float, n *d);
    struct rng r;
    rng_init(&r, seed, 1);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            x[i * d + j] = (float)(shift + (deviation ? deviation[j] : 1) * rng_normal(&r));
    return (struct rows){n, d, x, NULL};
}

// --- eigenvalues ---------------------------------------------------------------------------------

// A = V·D·Vᵀ, V orthogonal
static void eigenvectors_rebuild_their_matrix(void **state)
{
    (void)state;
    enum { N = 17 };
    double A[N * N], D[N], V[N * N];
    struct rng r;
    rng_init(&r, 3, 1);
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++)
            A[i * N + j] = A[j * N + i] = rng_normal(&r);
    memcpy(V, A, sizeof A);
    eigen_symmetric(V, N, D);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double product = 0, dot = 0;
            for (int k = 0; k < N; k++) {
                product += V[i * N + k] * D[k] * V[j * N + k];
                dot += V[k * N + i] * V[k * N + j];
            }
            close_to(product, A[i * N + j], 1e-12);
            close_to(dot, i == j, 1e-12);
        }
}

static void the_trace_of_a_root_is_known_for_small_matrices(void **state)
{
    (void)state;
    const double A[] = {4, 0, 0, 9}, B[] = {25, 0, 0, 1}, none[4] = {0};
    const double C[] = {1, 1, 1, 1}, D[] = {2, -1, -1, 2}; // C D = C, whose eigenvalues are 2 and 0
    close_to(trace_root_product(A, B, 2), 10 + 3, 1e-12);
    close_to(trace_root_product(C, D, 2), sqrt(2), 1e-12);
    close_to(trace_root_product(A, none, 2), 0, 0);
}

// --- Fréchet distance ----------------------------------------------------------------------------

static void fid_is_scipys(void **state)
{
    (void)state;
    const struct pair none = {0};
    const struct rows x = waves(30, 5, 1.3, 1), y = waves(30, 5, 0.7, 0.5f);
    close_to(take("fid", x, y, none).value, 0.658112017557, 1e-7);
    close_to(take("fid", y, x, none).value, 0.658112017557, 1e-7);
    close_to(take("fid", x, x, none).value, 0, 1e-9);
    assert_true(isnan(take("fid", x, y, none).std));
    // fewer rows than features: covariances without full rank
    const struct rows four = waves(4, 5, 1.3, 1), other = waves(4, 5, 0.7, 0.5f);
    close_to(take("fid", four, other, none).value, 1.454198504040, 1e-6);
    close_to(take("fid", four, four, none).value, 0, 1e-6);
}

// d·c² for a shift by c; Σ (σ − τ)² for deviations σ and τ.
static void fid_of_gaussians_is_the_formula(void **state)
{
    (void)state;
    const struct pair none = {0};
    struct rows x = normal(2000, 6, 1, 0, NULL), y = x, z = x;
    float *moved = NEW_ARRAY(arena, float, x.n *x.size),
          *wide = NEW_ARRAY(arena, float, x.n *x.size);
    for (int64_t i = 0; i < x.n * x.size; i++)
        moved[i] = x.x[i] + 2, wide[i] = x.x[i] * 3;
    y.x = moved;
    z.x = wide;
    close_to(take("fid", x, y, none).value, 6 * 4, 1e-4);
    double mean_square = 0, mean[6] = {0};
    for (int64_t i = 0; i < x.n; i++)
        for (int j = 0; j < 6; j++)
            mean[j] += x.x[i * 6 + j] / (double)x.n;
    for (int64_t i = 0; i < x.n; i++)
        for (int j = 0; j < 6; j++)
            mean_square += pow(x.x[i * 6 + j] - mean[j], 2) / (double)(x.n - 1);
    for (int j = 0; j < 6; j++)
        mean_square += mean[j] * mean[j];
    close_to(take("fid", x, z, none).value, 4 * mean_square, 1e-4); // (3 − 1)² of each
}

// --- kernel distance -----------------------------------------------------------------------------

static void kid_is_the_reference(void **state)
{
    (void)state;
    const struct rows x = waves(30, 5, 1.3, 1), y = waves(30, 5, 0.7, 0.5f);
    const struct score s = take("kid", x, y, (struct pair){3, 1000}); // subsets, size: all
    close_to(s.value, -0.007407905924, 1e-7);
    close_to(s.std, 0, 1e-12);
    close_to(take("kid", y, x, (struct pair){1, 30}).value, s.value, 1e-12);
}

// Unbiased: of two draws of one distribution about 0, of others not.
static void kid_of_one_distribution_is_near_zero(void **state)
{
    (void)state;
    const struct rows x = normal(400, 8, 1, 0, NULL), y = normal(300, 8, 2, 0, NULL),
                      z = normal(300, 8, 3, 1, NULL);
    const struct pair usual = {20, 100};
    close_to(take("kid", x, y, usual).value, 0, 0.1);
    assert_true(take("kid", x, z, usual).value > 1);
    assert_true(take("kid", x, z, usual).std > 0);
    const struct score a = take("kid", x, z, usual), b = take("kid", x, z, usual);
    assert_memory_equal(&a, &b, sizeof a);
}

// --- balls ---------------------------------------------------------------------------------------

static void precision_recall_density_coverage_are_the_reference(void **state)
{
    (void)state;
    const struct pair three = {3}, five = {5};
    const struct rows x = waves(30, 5, 1.3, 1), y = waves(30, 5, 0.7, 0.5f);
    close_to(take("precision", x, y, three).value, 0.3, 1e-12);
    close_to(take("recall", x, y, three).value, 1, 1e-12);
    close_to(take("density", x, y, five).value, 0.2066666666666667, 1e-12);
    close_to(take("coverage", x, y, five).value, 0.6, 1e-12);
    close_to(take("precision", y, x, five).value, 1, 1e-12);
    close_to(take("recall", y, x, five).value, 0.43333333333333335, 1e-12);
    close_to(take("density", y, x, three).value, 2.411111111111111, 1e-12);
    close_to(take("coverage", y, x, three).value, 1, 1e-12);
}

// Of one distribution: density 1 and coverage 1 − 2⁻ᵏ, whatever it is.
static void density_is_one_for_one_distribution(void **state)
{
    (void)state;
    const struct rows x = normal(1500, 3, 1, 0, NULL), y = normal(1500, 3, 2, 0, NULL);
    close_to(take("density", x, y, (struct pair){5}).value, 1, 0.06);
    close_to(take("coverage", x, y, (struct pair){5}).value, 1 - 1.0 / 32, 0.015);
    close_to(take("coverage", x, y, (struct pair){2}).value, 1 - 1.0 / 4, 0.04);
    // all samples where one real example is: precise, but next to nothing is covered
    struct rows one = x;
    float *same = NEW_ARRAY(arena, float, x.n *x.size);
    for (int64_t i = 0; i < x.n * x.size; i++)
        same[i] = y.x[i % x.size];
    one.x = same;
    close_to(take("precision", one, y, (struct pair){3}).value, 1, 1e-12);
    close_to(take("recall", one, y, (struct pair){3}).value, 1 / 1500.0, 1e-12);
    assert_true(take("coverage", one, y, (struct pair){5}).value < 0.03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(eigenvectors_rebuild_their_matrix, begin, end),
        cmocka_unit_test_setup_teardown(the_trace_of_a_root_is_known_for_small_matrices, begin,
                                        end),
        cmocka_unit_test_setup_teardown(fid_is_scipys, begin, end),
        cmocka_unit_test_setup_teardown(fid_of_gaussians_is_the_formula, begin, end),
        cmocka_unit_test_setup_teardown(kid_is_the_reference, begin, end),
        cmocka_unit_test_setup_teardown(kid_of_one_distribution_is_near_zero, begin, end),
        cmocka_unit_test_setup_teardown(precision_recall_density_coverage_are_the_reference, begin,
                                        end),
        cmocka_unit_test_setup_teardown(density_is_one_for_one_distribution, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
