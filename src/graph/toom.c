// From points to matrices. A product p = c·w of degree q − 1 is known by its values at x_0 …
// x_{q−2} and its leading coefficient, its "value at infinity":
//     p(x) = Σ_i p(x_i)·Π_{j≠i}(x − x_j)/N_i + p_∞·Π_j(x − x_j),    N_i = Π_{j≠i}(x_i − x_j)
// The values are p(x_i) = c(x_i)·w(x_i). The divisors go to the weights, which are transformed
// least often, and leave whole numbers elsewhere. Points near one another in size keep rounding
// small: 0, ±1, ±2 lose about two of float's twenty-four bits.
#include "graph/toom.h"

#include "base/diag.h"

#include <string.h>

static const int64_t point[TOOM_MOST - 1] = {0, 1, -1, 2, -2};

// The coefficients of Π (x − point[j]) over j < n without `left_out`.
static void expand(int n, int left_out, int64_t *coefficient)
{
    int degree = 0;
    memset(coefficient, 0, sizeof *coefficient * TOOM_MOST);
    coefficient[0] = 1;
    for (int j = 0; j < n; j++) {
        if (j == left_out)
            continue;
        degree++;
        for (int k = degree; k >= 0; k--)
            coefficient[k] = (k ? coefficient[k - 1] : 0) - point[j] * coefficient[k];
    }
}

static void powers(int64_t x, int n, int64_t *to)
{
    for (int i = 0; i < n; i++)
        to[i] = i ? to[i - 1] * x : 1;
}

struct toom toom_of(int n, int r)
{
    struct toom t = {.n = n, .r = r, .q = n + r - 1};
    if (n < 1 || r < 1 || t.q > TOOM_MOST)
        BUG("no points for polynomials of %d and %d coefficients", n, r);
    const int last = t.q - 1;
    for (int i = 0; i < last; i++) {
        powers(point[i], n, t.coarse[i]);
        powers(point[i], r, t.weight[i]);
        expand(last, i, t.fine[i]);
        t.divisor[i] = 1;
        for (int j = 0; j < last; j++)
            t.divisor[i] *= j == i ? 1 : point[i] - point[j];
    }
    t.coarse[last][n - 1] = t.weight[last][r - 1] = t.divisor[last] = 1;
    expand(last, -1, t.fine[last]);
    return t;
}
