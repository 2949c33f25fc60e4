// Kernels whose taps are spread over f pixels, and their adjoints; indices outside w are dropped.
// The kernel that a convolution of an upsampled image is equal to (see pass/fold_upsample.c):
//   w' (C, K, k+f−1, k+f−1) of w (K, C, k, k):  w'[c,o,t] = Σ_{d<f} w[o,c,k−1−t+d]   along each
//   axis
// w is transposed round, each tap is spread over f, and the roles of the two channels are exchanged:
// that is a transposed convolution's kernel. And the kernel that the block sums of a convolution
// are equal to (see pass/fold_pool.c), which is w spread and no more:
//   w' (K, C, k+f−1, k+f−1):  w'[o,c,t] = Σ_{d<f} w[o,c,t−d]
#include "codegen/lowerings.h"

#include "base/arena.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

static struct value *op_folded_kernel_spread(const struct op *op, struct value *w, int64_t factor,
                                             int64_t more, bool pooled)
{
    const int64_t *d = w->shape.dim;
    if (w->shape.rank != 4 || factor < 1 || d[2] + more < 1 || d[3] + more < 1)
        BUG("%s wants a kernel (K, C, kh, kw)", op->name);
    const int64_t first = d[pooled ? 0 : 1], second = d[pooled ? 1 : 0];
    return graph_add(w->graph, op, SHAPE(first, second, d[2] + more, d[3] + more), 1, &w,
                     (struct attr){.i = {factor, pooled}});
}

struct value *upsampled_kernel(struct value *w, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel, w, factor, factor - 1, false);
}

struct value *upsampled_kernel_grad(struct value *dw, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel_grad, dw, factor, 1 - factor, false);
}

struct value *pooled_kernel(struct value *w, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel, w, factor, factor - 1, true);
}

struct value *pooled_kernel_grad(struct value *dw, int64_t factor)
{
    return op_folded_kernel_spread(&op_upsampled_kernel_grad, dw, factor, 1 - factor, true);
}

static void spread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = op_folded_kernel_spread(&op_upsampled_kernel_grad, dy, v->attr.i[0],
                                        1 - v->attr.i[0], v->attr.i[1]);
}

static void unspread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = op_folded_kernel_spread(&op_upsampled_kernel, dy, v->attr.i[0], v->attr.i[0] - 1,
                                        v->attr.i[1]);
}

// How the filters of a small kernel (K, C, kh, kw) stand in the wide one.
struct op_folded_kernel_cut {
    int64_t K, C, kh, kw, factor;
    bool pooled;
};

static struct op_folded_kernel_cut op_folded_kernel_cut_of(const struct value *v, const struct value *small)
{
    const int64_t *d = small->shape.dim;
    return (struct op_folded_kernel_cut){d[0], d[1], d[2], d[3], v->attr.i[0], v->attr.i[1]};
}

// Where filter (o, c) begins, in either kernel.
static int64_t small_at(const struct op_folded_kernel_cut *k, int64_t o, int64_t c)
{
    return (o * k->C + c) * k->kh * k->kw;
}

static int64_t wide_at(const struct op_folded_kernel_cut *k, int64_t o, int64_t c)
{
    return (k->pooled ? o * k->C + c : c * k->K + o) * (k->kh + k->factor - 1) *
           (k->kw + k->factor - 1);
}

// One filter pair: small (kh, kw) and wide (kh + f − 1, kw + f − 1). Either is the sum.
#define DEFINE_TAPS(T)                                                                        \
    static void taps_##T(const struct op_folded_kernel_cut *k, T *small, T *wide, bool widen)                  \
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
DEFINE_TAPS(double)
DEFINE_TAPS(float)

static void spread_reference(const struct value *v, const double *const *in, double *out)
{
    const struct op_folded_kernel_cut k = op_folded_kernel_cut_of(v, v->in[0]);
    for (int64_t o = 0; o < k.K; o++)
        for (int64_t c = 0; c < k.C; c++)
            taps_double(&k, (double *)(uintptr_t)(in[0] + small_at(&k, o, c)),
                        out + wide_at(&k, o, c), true);
}

static void unspread_reference(const struct value *v, const double *const *in, double *out)
{
    const struct op_folded_kernel_cut k = op_folded_kernel_cut_of(v, v);
    for (int64_t o = 0; o < k.K; o++)
        for (int64_t c = 0; c < k.C; c++)
            taps_double(&k, out + small_at(&k, o, c),
                        (double *)(uintptr_t)(in[0] + wide_at(&k, o, c)), false);
}

// The filter of nearly every upsampling generator, 3 × 3 spread by 2, one axis after the other,
// four numbers at a time.
static void widen_3_by_2(const float *small, float *wide)
{
    float row[3][4];
    for (int i = 0; i < 3; i++, small += 3) {
        row[i][0] = small[2];
        row[i][1] = small[1] + small[2];
        row[i][2] = small[0] + small[1];
        row[i][3] = small[0];
    }
    for (int j = 0; j < 4; j++) {
        wide[j] = row[2][j];
        wide[4 + j] = row[1][j] + row[2][j];
        wide[8 + j] = row[0][j] + row[1][j];
        wide[12 + j] = row[0][j];
    }
}

static void narrow_3_by_2(float *small, const float *wide)
{
    float row[3][4];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 4; j++)
            row[i][j] = wide[4 * i + j] + wide[4 * i + 4 + j];
    for (int i = 0; i < 3; i++, small += 3)
        for (int j = 0; j < 3; j++)
            small[j] = row[2 - i][2 - j] + row[2 - i][3 - j];
}

struct spread {
    float *small, *wide;
    struct op_folded_kernel_cut k;
    bool widen;
};

static void spread_3_by_2(const struct spread *s)
{
    const struct op_folded_kernel_cut *k = &s->k;
#pragma omp parallel for schedule(static) if (k->K * k->C > 1024)
    for (int64_t o = 0; o < k->K; o++)
        for (int64_t c = 0; c < k->C; c++)
            if (s->widen)
                widen_3_by_2(s->small + small_at(k, o, c), s->wide + wide_at(k, o, c));
            else
                narrow_3_by_2(s->small + small_at(k, o, c), s->wide + wide_at(k, o, c));
}

static void run_spread(const void *args)
{
    const struct spread *s = args;
    const struct op_folded_kernel_cut *k = &s->k;
    if (k->kh == 3 && k->kw == 3 && k->factor == 2 && !k->pooled) {
        spread_3_by_2(s);
        return;
    }
#pragma omp parallel for schedule(static) if (k->K * k->C * k->kh * k->kw > 4096)
    for (int64_t o = 0; o < k->K; o++)
        for (int64_t c = 0; c < k->C; c++)
            taps_float(k, s->small + small_at(k, o, c), s->wide + wide_at(k, o, c), s->widen);
}

static void op_folded_kernel_lower(struct plan *p, const struct value *v, bool widen)
{
    const struct value *small = widen ? v->in[0] : v, *wide = widen ? v : v->in[0];
    struct spread *s = NEW(plan_arena(p), struct spread);
    *s = (struct spread){plan_data(p, small), plan_data(p, wide), op_folded_kernel_cut_of(v, small),
                         widen};
    plan_step(p, v, v->op->name, run_spread, s);
}

static void lower_spread(struct plan *p, const struct value *v)
{
    op_folded_kernel_lower(p, v, true);
}

static void lower_unspread(struct plan *p, const struct value *v)
{
    op_folded_kernel_lower(p, v, false);
}

static void spread_print(const struct value *v, struct text *out)
{
    text_addf(out, "factor=%" PRId64 "%s", v->attr.i[0], v->attr.i[1] ? " pooled" : "");
}

const struct op op_upsampled_kernel = {.name = "upsampled_kernel",
                                       .grad = spread_grad,
                                       .reference = spread_reference,
                                       .lower = lower_spread,
                                       .print = spread_print};
const struct op op_upsampled_kernel_grad = {.name = "upsampled_kernel_grad",
                                            .grad = unspread_grad,
                                            .reference = unspread_reference,
                                            .lower = lower_unspread,
                                            .print = spread_print};
