// Tr √(A B) is the sum of the roots of the eigenvalues of A B, which is not symmetric; of those of
// √A B √A, which is and has the same. A square root of the product itself (scipy's sqrtm) goes
// complex by rounding where a covariance is singular, and with fewer samples than features it is.
#include "eval/eigen.h"

#include "base/arena.h"
#include "base/diag.h"

#include <lapacke.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void eigen_symmetric(double *A, int n, double *D)
{
    if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'V', 'U', n, A, n, D) != 0)
        for (int i = 0; i < n; i++)
            D[i] = NAN;
}

static double root_of(double eigenvalue) { return eigenvalue < 0 ? 0 : sqrt(eigenvalue); }

// C = A · B, or A · Bᵀ
static void multiply_into(double *C, const double *A, const double *B, int n, bool transposed)
{
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++)
                sum += A[i * n + k] * B[transposed ? j * n + k : k * n + j];
            C[i * n + j] = sum;
        }
}

// R = V · √D · Vᵀ
static void root(double *R, const double *A, int n, struct arena *a)
{
    double *D = NEW_ARRAY(a, double, n), *V = NEW_ARRAY(a, double, n *n),
           *scaled = NEW_ARRAY(a, double, n *n);
    memcpy(V, A, sizeof *V * (size_t)(n * n));
    eigen_symmetric(V, n, D);
    for (int i = 0; i < n * n; i++)
        scaled[i] = V[i] * root_of(D[i % n]);
    multiply_into(R, scaled, V, n, true);
}

double trace_root_product(const double *A, const double *B, int n)
{
    ASSERT(n >= 1);
    struct arena *a = arena_new(NULL);
    double *R = NEW_ARRAY(a, double, n *n), *RB = NEW_ARRAY(a, double, n *n),
           *M = NEW_ARRAY(a, double, n *n), *D = NEW_ARRAY(a, double, n), sum = 0;
    root(R, A, n, a);
    multiply_into(RB, R, B, n, false);
    multiply_into(M, RB, R, n, false);
    eigen_symmetric(M, n, D);
    for (int i = 0; i < n; i++)
        sum += root_of(D[i]);
    arena_free(a);
    return sum;
}
