// Products of polynomials by evaluation and interpolation (Toom–Cook): with n and r coefficients,
// n + r − 1 products instead of n·r.
//   (c·w)_j = Σ_q fine[q][j] · (Σ_m coarse[q][m]·c_m) · (Σ_s weight[q][s]/divisor[q]·w_s)
// All numbers are whole, so the identity can be proven exactly.
#ifndef IR_WINOGRAD_POINTS_H
#define IR_WINOGRAD_POINTS_H

#include <stdint.h>

enum { WINOGRAD_POINTS_MAX = 8 };

struct winograd_points {
    int n, r, q; // q = n + r − 1 ≤ WINOGRAD_POINTS_MAX
    int64_t coarse[WINOGRAD_POINTS_MAX][WINOGRAD_POINTS_MAX]; // q × n
    int64_t weight[WINOGRAD_POINTS_MAX][WINOGRAD_POINTS_MAX]; // q × r
    int64_t divisor[WINOGRAD_POINTS_MAX];
    int64_t fine[WINOGRAD_POINTS_MAX][WINOGRAD_POINTS_MAX]; // q × q
};
struct winograd_points winograd_points_of(int n, int r);
// Where results are sums of many such products, and values at points are rounded: the mean square of
// the error, over numbers that know nothing of each other, as a multiple of what rounding c and w
// themselves makes it. In two dimensions, the product of both.
double winograd_noise(int n, int r);

#endif
