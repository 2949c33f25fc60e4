// From points to matrices. A product p = c·w of degree q − 1 is known by its values at q points,
// infinity among them. So points are projective, (a : b) for a/b, and the value of n coefficients
// there is Σ c_i·a^i·b^(n−1−i):
//     p(x, y) = Σ_i p(a_i, b_i)·Π_{j≠i}(x·b_j − y·a_j)/N_i,    N_i = Π_{j≠i}(a_i·b_j − b_i·a_j)
// and p(a_i, b_i) = c(a_i, b_i)·w(a_i, b_i), all in whole numbers. The divisors go to the weights,
// which are transformed least often. Factors moved from row to row of the three matrices would
// round the same: floating point does not care.
//
// What matters is which points. On the circle of all of them, where a/b stands at 2·atan(a/b), they
// should be spread evenly: x and −1/x face each other. With 64 channels, results and gradients are
// off by up to 4e-6 of the largest at five and six points, 9e-6 at seven, 1.7e-5 at eight; with
// 256, by twice that. The usual 0, ±1, ±2 are off by 1e-5 at six, and nine points, however chosen,
// by 4e-5.
#include "ir/winograd_points.h"

#include "base/diag.h"

#include <string.h>

struct winograd_points_point {
    int64_t a, b;
};

// The first q are taken; three, five and seven have their own, none of which is half-way between
// two others.
static const struct winograd_points_point even[WINOGRAD_POINTS_MAX] = {{0, 1},  {1, 0}, {1, 1},
                                                                       {-1, 1}, {2, 1}, {-1, 2},
                                                                       {-2, 1}, {1, 2}},
                                          three[3] = {{0, 1}, {7, 4}, {-7, 4}},
                                          five[5] = {{0, 1}, {3, 4}, {-3, 4}, {3, 1}, {-3, 1}},
                                          seven[7] = {{0, 1},  {3, 5}, {-3, 5}, {5, 4},
                                                      {-5, 4}, {3, 1}, {-3, 1}};

static const struct winograd_points_point *winograd_points_points(int q)
{
    return q == 3 ? three : q == 5 ? five : q == 7 ? seven : even;
}

// Π (x·b_j − y·a_j) over j < n without `left_out`; the coefficient of x^k at k.
static void expand(const struct winograd_points_point *p, int n, int left_out, int64_t *coefficient)
{
    int degree = 0;
    memset(coefficient, 0, sizeof *coefficient * WINOGRAD_POINTS_MAX);
    coefficient[0] = 1;
    for (int j = 0; j < n; j++) {
        if (j == left_out)
            continue;
        degree++;
        for (int k = degree; k >= 0; k--)
            coefficient[k] = (k ? coefficient[k - 1] * p[j].b : 0) - p[j].a * coefficient[k];
    }
}

static int64_t power(int64_t x, int n) { return n ? x * power(x, n - 1) : 1; }

// a^i·b^(n−1−i)
static void powers(struct winograd_points_point p, int n, int64_t *to)
{
    for (int i = 0; i < n; i++)
        to[i] = power(p.a, i) * power(p.b, n - 1 - i);
}

struct winograd_points winograd_points_of(int n, int r)
{
    struct winograd_points t = {.n = n, .r = r, .q = n + r - 1};
    if (n < 1 || r < 1 || t.q > WINOGRAD_POINTS_MAX)
        BUG("no points for polynomials of %d and %d coefficients", n, r);
    const struct winograd_points_point *p = winograd_points_points(t.q);
    for (int i = 0; i < t.q; i++) {
        powers(p[i], n, t.coarse[i]);
        powers(p[i], r, t.weight[i]);
        expand(p, t.q, i, t.fine[i]);
        t.divisor[i] = 1;
        for (int j = 0; j < t.q; j++)
            t.divisor[i] *= j == i ? 1 : p[i].a * p[j].b - p[i].b * p[j].a;
    }
    return t;
}

static double square_of(const int64_t *row, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += (double)row[i] * (double)row[i];
    return sum;
}

// Σ_q |fine_q|²·|coarse_q|²·|weight_q|²/divisor_q² products of two rounded numbers, where there
// were n·r
double winograd_noise(int n, int r)
{
    const struct winograd_points t = winograd_points_of(n, r);
    double sum = 0;
    for (int i = 0; i < t.q; i++)
        sum += square_of(t.fine[i], t.q) * square_of(t.coarse[i], n) * square_of(t.weight[i], r) /
               ((double)t.divisor[i] * (double)t.divisor[i]);
    return sum / (n * r);
}
