// Products of polynomials by evaluation and interpolation (Toom–Cook): with n and r coefficients, n
// + r − 1 products instead of n·r.
//   (c·w)_j = Σ_q fine[q][j] · (Σ_m coarse[q][m]·c_m) · (Σ_s weight[q][s]/divisor[q]·w_s)
// All numbers are whole, so the identity can be proven exactly.
#ifndef GRAPH_TOOM_H
#define GRAPH_TOOM_H

#include <stdint.h>

enum { TOOM_MOST = 8 };

struct toom {
    int n, r, q;                             // q = n + r − 1 ≤ TOOM_MOST
    int64_t coarse[TOOM_MOST][TOOM_MOST];    // q × n
    int64_t weight[TOOM_MOST][TOOM_MOST];    // q × r
    int64_t divisor[TOOM_MOST];
    int64_t fine[TOOM_MOST][TOOM_MOST];      // q × q
};
struct toom toom_of(int n, int r);
// Where results are sums of many such products, and values at points are rounded: the mean square of
// the error, over numbers that know nothing of each other, as a multiple of what rounding c and w
// themselves makes it. In two dimensions, the product of both.
double toom_noise(int n, int r);

#endif
