// Kernels whose taps are spread over pixels, and back: one filter after the other, shared by threads.
#include "codegen/lowering.h"

#include "base/arena.h"
#include "ir/ops/op_folded_kernel.h"

DEFINE_TAPS(float)

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
    struct folded_cut k;
    bool widen;
};

static void spread_3_by_2(const struct spread *s)
{
    const struct folded_cut *k = &s->k;
#pragma omp parallel for schedule(static) if (k->K * k->C > 1024)
    for (int64_t o = 0; o < k->K; o++)
        for (int64_t c = 0; c < k->C; c++)
            if (s->widen)
                widen_3_by_2(s->small + folded_small_at(k, o, c),
                             s->wide + folded_wide_at(k, o, c));
            else
                narrow_3_by_2(s->small + folded_small_at(k, o, c),
                              s->wide + folded_wide_at(k, o, c));
}

static void run_spread(const void *args)
{
    const struct spread *s = args;
    const struct folded_cut *k = &s->k;
    if (k->kh == 3 && k->kw == 3 && k->factor == 2 && !k->pooled) {
        spread_3_by_2(s);
        return;
    }
#pragma omp parallel for schedule(static) if (k->K * k->C * k->kh * k->kw > 4096)
    for (int64_t o = 0; o < k->K; o++)
        for (int64_t c = 0; c < k->C; c++)
            taps_float(k, s->small + folded_small_at(k, o, c), s->wide + folded_wide_at(k, o, c),
                       s->widen);
}

static void lower_folded_kernel_as(struct plan *p, const struct value *v, bool widen)
{
    const struct value *small = widen ? v->in[0] : v, *wide = widen ? v : v->in[0];
    struct spread *s = NEW(plan_arena(p), struct spread);
    *s = (struct spread){plan_data(p, small), plan_data(p, wide), folded_cut_of(v, small), widen};
    plan_step(p, v, v->op->name, run_spread, s);
}

static void lower_spread(struct plan *p, const struct value *v)
{
    lower_folded_kernel_as(p, v, true);
}

static void lower_unspread(struct plan *p, const struct value *v)
{
    lower_folded_kernel_as(p, v, false);
}

const struct lowering rows_lower_folded_kernel[] = {
    {.op = &op_upsampled_kernel, .lower = lower_spread},
    {.op = &op_upsampled_kernel_grad, .lower = lower_unspread},
    {0}};
