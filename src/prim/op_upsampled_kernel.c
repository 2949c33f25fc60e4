// The kernel that a convolution of an upsampled image is equal to (see pass/upsample_conv.c), and
// its adjoint.
//   w' (C, K, k+f−1, k+f−1) of w (K, C, k, k):  w'[c,o,t] = Σ_{d<f} w[o,c,k−1−t+d]   along each
//   axis, indices outside w dropped
// w is turned round, each tap is spread over f, and the roles of the two channels are exchanged:
// that is a transposed convolution's kernel.
#include "prim/lower.h"

#include "base/arena.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

struct value *upsampled_kernel(struct value *w, int64_t factor)
{
    const int64_t *d = w->shape.dim, more = factor - 1;
    if (w->shape.rank != 4 || factor < 1)
        BUG("upsampled_kernel wants (K, C, kh, kw)");
    return graph_add(w->graph, &op_upsampled_kernel, SHAPE(d[1], d[0], d[2] + more, d[3] + more), 1,
                     &w, (struct attr){.i = {factor}});
}

struct value *upsampled_kernel_grad(struct value *dw, int64_t factor)
{
    const int64_t *d = dw->shape.dim, more = factor - 1;
    if (dw->shape.rank != 4 || factor < 1 || d[2] <= more || d[3] <= more)
        BUG("upsampled_kernel_grad wants (C, K, kh + factor − 1, kw + factor − 1)");
    return graph_add(dw->graph, &op_upsampled_kernel_grad,
                     SHAPE(d[1], d[0], d[2] - more, d[3] - more), 1, &dw,
                     (struct attr){.i = {factor}});
}

static void spread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = upsampled_kernel_grad(dy, v->attr.i[0]);
}

static void unspread_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = upsampled_kernel(dy, v->attr.i[0]);
}

// One filter pair: small (kh, kw) and wide (kh + f − 1, kw + f − 1). Either is the sum.
#define DEFINE_TAPS(T)                                                                             \
    static void taps_##T(T *small, T *wide, int64_t kh, int64_t kw, int64_t f, bool widen)         \
    {                                                                                              \
        const int64_t W = kw + f - 1;                                                              \
        memset(widen ? wide : small, 0, sizeof(T) * (size_t)(widen ? (kh + f - 1) * W : kh * kw)); \
        for (int64_t i = 0; i < kh; i++)                                                           \
            for (int64_t j = 0; j < kw; j++)                                                       \
                for (int64_t di = 0; di < f; di++)                                                 \
                    for (int64_t dj = 0; dj < f; dj++) {                                           \
                        T *const s = &small[i * kw + j];                                           \
                        T *const w = &wide[(kh - 1 - i + di) * W + kw - 1 - j + dj];               \
                        if (widen)                                                                 \
                            *w += *s;                                                              \
                        else                                                                       \
                            *s += *w;                                                              \
                    }                                                                              \
    }
DEFINE_TAPS(double)
DEFINE_TAPS(float)

static void spread_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t *d = v->in[0]->shape.dim, small = d[2] * d[3],
                  wide = v->shape.dim[2] * v->shape.dim[3];
    for (int64_t o = 0; o < d[0]; o++)
        for (int64_t c = 0; c < d[1]; c++)
            taps_double((double *)(uintptr_t)(in[0] + (o * d[1] + c) * small),
                        out + (c * d[0] + o) * wide, d[2], d[3], v->attr.i[0], true);
}

static void unspread_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t *d = v->shape.dim, small = d[2] * d[3],
                  wide = v->in[0]->shape.dim[2] * v->in[0]->shape.dim[3];
    for (int64_t o = 0; o < d[0]; o++)
        for (int64_t c = 0; c < d[1]; c++)
            taps_double(out + (o * d[1] + c) * small,
                        (double *)(uintptr_t)(in[0] + (c * d[0] + o) * wide), d[2], d[3],
                        v->attr.i[0], false);
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
    int64_t K, C, kh, kw, factor;
    bool widen;
};

static void spread_3_by_2(const struct spread *s)
{
#pragma omp parallel for schedule(static) if (s->K * s->C > 1024)
    for (int64_t o = 0; o < s->K; o++)
        for (int64_t c = 0; c < s->C; c++) {
            float *const small = s->small + (o * s->C + c) * 9, *const wide = s->wide +
                                                                              (c * s->K + o) * 16;
            if (s->widen)
                widen_3_by_2(small, wide);
            else
                narrow_3_by_2(small, wide);
        }
}

static void run_spread(const void *args)
{
    const struct spread *s = args;
    if (s->kh == 3 && s->kw == 3 && s->factor == 2) {
        spread_3_by_2(s);
        return;
    }
    const int64_t small = s->kh * s->kw, wide = (s->kh + s->factor - 1) * (s->kw + s->factor - 1);
#pragma omp parallel for schedule(static) if (s->K * s->C * wide > 16384)
    for (int64_t o = 0; o < s->K; o++)
        for (int64_t c = 0; c < s->C; c++)
            taps_float(s->small + (o * s->C + c) * small, s->wide + (c * s->K + o) * wide, s->kh,
                       s->kw, s->factor, s->widen);
}

static void lower(struct plan *p, const struct value *v, bool widen)
{
    const struct value *small = widen ? v->in[0] : v, *wide = widen ? v : v->in[0];
    const int64_t *d = small->shape.dim;
    struct spread *s = NEW(plan_arena(p), struct spread);
    *s = (struct spread){
        plan_data(p, small), plan_data(p, wide), d[0], d[1], d[2], d[3], v->attr.i[0], widen};
    plan_step(p, v, v->op->name, run_spread, s);
}

static void lower_spread(struct plan *p, const struct value *v)
{
    lower(p, v, true);
}

static void lower_unspread(struct plan *p, const struct value *v)
{
    lower(p, v, false);
}

static void spread_print(const struct value *v, struct text *out)
{
    text_addf(out, "factor=%" PRId64, v->attr.i[0]);
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
