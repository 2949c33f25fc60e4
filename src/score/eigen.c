// Tr √(A B) is the sum of the roots of the eigenvalues of A B, which is not symmetric; of those of
// √A B √A, which is and has the same. A square root of the product itself (scipy's sqrtm) goes
// complex by rounding where a covariance is singular, and with fewer samples than features it is.
// For the 128 features of the scorer Jacobi's method takes a second and needs no library.
#include "score/eigen.h"

#include "base/arena.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// Rows p and q of M: [c −s; s c] from the left.
static void rotate_rows(double *M, int n, int p, int q, double c, double s)
{
    for (int k = 0; k < n; k++) {
        const double x = M[p * n + k], y = M[q * n + k];
        M[p * n + k] = c * x - s * y;
        M[q * n + k] = s * x + c * y;
    }
}

static void rotate_columns(double *M, int n, int p, int q, double c, double s)
{
    for (int k = 0; k < n; k++) {
        const double x = M[k * n + p], y = M[k * n + q];
        M[k * n + p] = c * x - s * y;
        M[k * n + q] = s * x + c * y;
    }
}

// t = tan of the angle that makes A[p][q] zero, the smaller of the two
static void annihilate(double *A, int n, double *V, int p, int q)
{
    const double theta = (A[q * n + q] - A[p * n + p]) / (2 * A[p * n + q]);
    const double t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1));
    const double c = 1 / hypot(t, 1), s = t * c;
    rotate_rows(A, n, p, q, c, s);
    rotate_columns(A, n, p, q, c, s);
    A[p * n + q] = A[q * n + p] = 0;
    if (V)
        rotate_columns(V, n, p, q, c, s);
}

void eigen_symmetric(double *A, int n, double *V)
{
    double largest = 0;
    for (int i = 0; i < n * n; i++)
        largest = fmax(largest, fabs(A[i]));
    for (int i = 0; V && i < n * n; i++)
        V[i] = i % (n + 1) == 0;
    bool changed = true;
    for (int sweep = 0; changed && sweep < 60; sweep++) {
        changed = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
                if (fabs(A[p * n + q]) > 1e-17 * largest) {
                    annihilate(A, n, V, p, q);
                    changed = true;
                }
    }
}

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
    double *D = NEW_ARRAY(a, double, n *n), *V = NEW_ARRAY(a, double, n *n),
           *scaled = NEW_ARRAY(a, double, n *n);
    memcpy(D, A, sizeof *D * (size_t)(n * n));
    eigen_symmetric(D, n, V);
    for (int i = 0; i < n * n; i++)
        scaled[i] = V[i] * sqrt(fmax(0, D[i % n * (n + 1)]));
    multiply_into(R, scaled, V, n, true);
}

double trace_root_product(const double *A, const double *B, int n)
{
    struct arena *a = arena_new(NULL);
    double *R = NEW_ARRAY(a, double, n *n), *RB = NEW_ARRAY(a, double, n *n),
           *M = NEW_ARRAY(a, double, n *n), sum = 0;
    root(R, A, n, a);
    multiply_into(RB, R, B, n, false);
    multiply_into(M, RB, R, n, false);
    eigen_symmetric(M, n, NULL);
    for (int i = 0; i < n; i++)
        sum += sqrt(fmax(0, M[i * (n + 1)]));
    arena_free(a);
    return sum;
}
