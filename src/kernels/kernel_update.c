// Optimizer steps and other in-place changes of slots: one pass over the slot, its gradient, its
// moments and, a piece at a time that the first cache still has, its packed copies. The rules are
// ir/ops/op_effect.c's; factors that are the same for all elements are worked out before the loop.
#include "kernels/kernel_packed.h"

#include <math.h>
#include <omp.h>
#include <string.h>

typedef void part(const struct update_task *t, int64_t from, int64_t to);

static void change(const struct update_task *t, part *work, int64_t from, int64_t to)
{
    to = to < t->n ? to : t->n;
    work(t, from, to);
    for (int i = 0; i < t->n_packed; i++)
        KERNEL(write_packed)(&t->packed_copy[i], t->p, from, to);
}

static void kernel_update_share(const struct update_task *t, part *work)
{
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads(),
                      chunks = (t->n + t->chunk - 1) / t->chunk, end = chunks * (me + 1) / all;
        const int64_t step = t->n_packed ? 1 : end;
        for (int64_t i = chunks * me / all; i < end; i += step)
            change(t, work, i * t->chunk, (i + step < end ? i + step : end) * t->chunk);
    }
}

// m ← β₁m + (1−β₁)g   v ← β₂v + (1−β₂)g²   p ← p − rate·m / (√(v·inside) + ε)
static void adam_part(const struct update_task *t, int64_t from, int64_t to)
{
    const float b1 = t->f[0], b2 = t->f[1], epsilon = t->f[2], decay = t->f[3];
    const float inside = t->flag ? 1 : t->hyper[2];
    const float rate = t->hyper[0] * t->hyper[1] / (t->flag ? sqrtf(t->hyper[2]) : 1);
    float *p = t->p, *m = t->m, *v = t->v;
    const float *grad = t->g;
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
        const float g = grad[i] + decay * p[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        p[i] -= rate * m[i] / (sqrtf(v[i] * inside) + epsilon);
    }
}

// v ← ρv + (1−ρ)g²   p ← p − lr·g / (√(v + under) + beside)
static void rmsprop_part(const struct update_task *t, int64_t from, int64_t to)
{
    const float rho = t->f[0], lr = t->hyper[0];
    const float under = t->flag ? t->f[1] : 0, beside = t->flag ? 0 : t->f[1];
    float *p = t->p, *v = t->v;
    const float *g = t->g;
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
        v[i] = rho * v[i] + (1 - rho) * g[i] * g[i];
        p[i] -= lr * g[i] / (sqrtf(v[i] + under) + beside);
    }
}

// m ← μm + g   p ← p − lr·(m, or nesterov g + μm)
static void sgd_part(const struct update_task *t, int64_t from, int64_t to)
{
    const float mu = t->f[0], lr = t->hyper[0];
    const float of_g = t->flag ? 1 : 0, of_m = t->flag ? mu : 1;
    float *p = t->p, *m = t->m;
    const float *g = t->g;
    if (!m) {
#pragma omp simd
        for (int64_t i = from; i < to; i++)
            p[i] -= lr * g[i];
        return;
    }
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
        m[i] = mu * m[i] + g[i];
        p[i] -= lr * (of_g * g[i] + of_m * m[i]);
    }
}

// Keeps NaN.
static void clip_part(const struct update_task *t, int64_t from, int64_t to)
{
    const float low = t->f[0], high = t->f[1];
    float *p = t->p;
#pragma omp simd
    for (int64_t i = from; i < to; i++) {
        const float x = p[i] < low ? low : p[i];
        p[i] = x > high ? high : x;
    }
}

// p ← p + t·(x − p)
static void lerp_part(const struct update_task *t, int64_t from, int64_t to)
{
    const float f = t->f[0];
    float *p = t->p;
    const float *x = t->g;
#pragma omp simd
    for (int64_t i = from; i < to; i++)
        p[i] += f * (x[i] - p[i]);
}

static void assign_part(const struct update_task *t, int64_t from, int64_t to)
{
    memcpy(t->p + from, t->g + from, sizeof *t->p * (size_t)(to - from));
}

#define EXPORT(name)                     \
    void KERNEL(name)(const void *task); \
    void KERNEL(name)(const void *task) { kernel_update_share(task, name##_part); }
EXPORT(adam)
EXPORT(rmsprop)
EXPORT(sgd)
EXPORT(clip)
EXPORT(lerp)
EXPORT(assign)
