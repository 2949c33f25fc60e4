// Philox draws, sixteen blocks of four words at a time beside each other in vectors. What is drawn is said in kernel.h.
#include "prim/kernel.h"

#include "prim/kernel_math.h"

#include <math.h>
#include <omp.h>

enum { LANES = 16 };

struct lanes {
    uint32_t w[4][LANES];
};

static void philox_lanes(uint64_t key, uint64_t high, uint64_t low, struct lanes *s)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int i = 0; i < LANES; i++) {
        s->w[0][i] = (uint32_t)(low + (uint64_t)i);
        s->w[1][i] = (uint32_t)((low + (uint64_t)i) >> 32);
        s->w[2][i] = (uint32_t)high;
        s->w[3][i] = (uint32_t)(high >> 32);
    }
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            const uint64_t p = (uint64_t)s->w[0][i] * 0xD2511F53u, q = (uint64_t)s->w[2][i] * 0xCD9E8D57u;
            s->w[0][i] = (uint32_t)(q >> 32) ^ s->w[1][i] ^ k0;
            s->w[2][i] = (uint32_t)(p >> 32) ^ s->w[3][i] ^ k1;
            s->w[1][i] = (uint32_t)q;
            s->w[3][i] = (uint32_t)p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

static inline float unit(uint32_t w)
{
    return (float)(int32_t)(w >> 8) * 0x1p-24f;
}

static void uniform(const struct random_task *t, const struct lanes *s, float (*x)[LANES])
{
    const float a = (float)t->a, scale = (float)(t->b - t->a);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LANES; i++)
            x[k][i] = a + scale * unit(s->w[k][i]);
}

static void normal(const struct random_task *t, const struct lanes *s, float (*x)[LANES])
{
    const float a = (float)t->a, b = (float)t->b;
    for (int k = 0; k < 4; k += 2)
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            const float r = b * sqrtf(-2 * log_(unit(s->w[k][i]) + 0x1p-24f));
            float cosine, sine;
            turn(unit(s->w[k + 1][i]), &cosine, &sine);
            x[k][i] = a + r * cosine;
            x[k + 1][i] = a + r * sine;
        }
}

static void bernoulli(const struct random_task *t, const struct lanes *s, float (*x)[LANES])
{
    const int32_t below = (int32_t)(t->a * 0x1p24 + 0.5);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LANES; i++)
            x[k][i] = (int32_t)(s->w[k][i] >> 8) < below ? 1.0f : 0.0f;
}

static void label(const struct random_task *t, const struct lanes *s, float (*x)[LANES])
{
    const uint32_t n = (uint32_t)t->a;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LANES; i++)
            x[k][i] = (float)(int32_t)((uint64_t)s->w[k][i] * n >> 32);
}

// Elements [64·from, 64·to).
static void draw(const struct random_task *t, int64_t from, int64_t to)
{
    static void (*const kind[])(const struct random_task *, const struct lanes *, float (*)[LANES]) = {
        [RANDOM_UNIFORM] = uniform, [RANDOM_NORMAL] = normal, [RANDOM_BERNOULLI] = bernoulli, [RANDOM_LABEL] = label};
    const uint64_t high = 1ull << 63 | t->clock->step << 20 | t->stream;
    for (int64_t at = from; at < to; at++) {
        struct lanes s;
        float x[4][LANES], *y = t->to + at * 4 * LANES;
        philox_lanes(t->clock->seed, high, (uint64_t)at * LANES, &s);
        kind[t->kind](t, &s, x);
        const int64_t left = t->n - at * 4 * LANES, n = left < 4 * LANES ? left : 4 * LANES;
        if (n == 4 * LANES)
            for (int i = 0; i < 4 * LANES; i++)
                y[i] = x[i % 4][i / 4];
        else
            for (int64_t i = 0; i < n; i++)
                y[i] = x[i % 4][i / 4];
    }
}

void KERNEL(random)(const void *task);
void KERNEL(random)(const void *task)
{
    const struct random_task *t = task;
    const int64_t n = (t->n + 4 * LANES - 1) / (4 * LANES);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
        draw(t, n * me / all, n * (me + 1) / all);
    }
}
