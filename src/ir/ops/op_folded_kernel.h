// Kernels whose taps are spread over pixels, number by number, for what computes them.
#ifndef IR_OPS_OP_FOLDED_KERNEL_H
#define IR_OPS_OP_FOLDED_KERNEL_H

#include "ir/value.h"

#include <string.h>

// How the filters of a small kernel (K, C, kh, kw) stand in the wide one.
struct folded_cut {
    int64_t K, C, kh, kw, factor;
    bool pooled;
};

static inline struct folded_cut folded_cut_of(const struct value *v, const struct value *small)
{
    const int64_t *d = small->shape.dim;
    return (struct folded_cut){d[0], d[1], d[2], d[3], v->attr.factor.by, v->attr.factor.pooled};
}

// Where filter (o, c) begins, in either kernel.
static inline int64_t folded_small_at(const struct folded_cut *k, int64_t o, int64_t c)
{
    return (o * k->C + c) * k->kh * k->kw;
}

static inline int64_t folded_wide_at(const struct folded_cut *k, int64_t o, int64_t c)
{
    return (k->pooled ? o * k->C + c : c * k->K + o) * (k->kh + k->factor - 1) *
           (k->kw + k->factor - 1);
}

// One filter pair: small (kh, kw) and wide (kh + f − 1, kw + f − 1). Either is the sum.
#define DEFINE_TAPS(T)                                                                        \
    static void taps_##T(const struct folded_cut *k, T *small, T *wide, bool widen)           \
    {                                                                                         \
        const int64_t f = k->factor, H = k->kh + f - 1, W = k->kw + f - 1;                    \
        memset(widen ? wide : small, 0, sizeof(T) * (size_t)(widen ? H * W : k->kh * k->kw)); \
        for (int64_t i = 0; i < k->kh; i++)                                                   \
            for (int64_t j = 0; j < k->kw; j++)                                               \
                for (int64_t d = 0; d < f * f; d++) {                                         \
                    const int64_t y = (k->pooled ? i : k->kh - 1 - i) + d / f,                \
                                  x = (k->pooled ? j : k->kw - 1 - j) + d % f;                \
                    if (widen)                                                                \
                        wide[y * W + x] += small[i * k->kw + j];                              \
                    else                                                                      \
                        small[i * k->kw + j] += wide[y * W + x];                              \
                }                                                                             \
    }

#endif
