// Philox draws, 64 blocks of four words at a time beside each other in vectors. What is drawn is
// said in kernel.h: a function of an element's place in the shape, wherever it lies in memory. So
// where channels lie beside each other, the 64 blocks are those of different channels, and their
// words go straight to where they belong. That needs pixels in fours; where they are not, elements
// are drawn in their order and scattered.
#include "kernels/kernel.h"

#include "kernels/kernel_math.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum { LANES = 64 };

struct lanes {
    uint32_t w[4][LANES];
};

static inline uint32_t high_product(uint32_t a, uint32_t b)
{
    return (uint32_t)((uint64_t)a * b >> 32);
}

// One lane: all rounds in registers.
static inline void philox_lane(uint64_t key, uint64_t high, uint64_t low, uint32_t *w0,
                               uint32_t *w1, uint32_t *w2, uint32_t *w3)
{
    uint32_t a = (uint32_t)low, b = (uint32_t)(low >> 32), c = (uint32_t)high,
             d = (uint32_t)(high >> 32);
#pragma GCC unroll 10
    for (uint32_t round = 0; round < 10; round++) {
        const uint32_t k0 = (uint32_t)key + round * 0x9E3779B9u,
                       k1 = (uint32_t)(key >> 32) + round * 0xBB67AE85u, p = a, q = c;
        a = high_product(q, 0xCD9E8D57u) ^ b ^ k0;
        c = high_product(p, 0xD2511F53u) ^ d ^ k1;
        b = q * 0xCD9E8D57u;
        d = p * 0xD2511F53u;
    }
    *w0 = a;
    *w1 = b;
    *w2 = c;
    *w3 = d;
}

// Blocks low + apart[i].
static void philox_lanes(uint64_t key, uint64_t high, uint64_t low, const uint64_t *apart,
                         struct lanes *s)
{
#pragma omp simd
    for (int i = 0; i < LANES; i++)
        philox_lane(key, high, low + apart[i], &s->w[0][i], &s->w[1][i], &s->w[2][i], &s->w[3][i]);
}

static inline float kernel_random_unit(uint32_t w) { return (float)(int32_t)(w >> 8) * 0x1p-24f; }

static void kernel_random_uniform(const struct random_task *t, const struct lanes *s,
                                  float (*x)[LANES])
{
    const float a = (float)t->a, scale = (float)(t->b - t->a);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LANES; i++)
            x[k][i] = a + scale * kernel_random_unit(s->w[k][i]);
}

static void kernel_random_normal(const struct random_task *t, const struct lanes *s,
                                 float (*x)[LANES])
{
    const float a = (float)t->a, b = (float)t->b;
    for (int k = 0; k < 4; k += 2)
#pragma omp simd
        for (int i = 0; i < LANES; i++) {
            const float r = b * sqrtf(-2 * log_(kernel_random_unit(s->w[k][i]) + 0x1p-24f));
            float cosine, sine;
            turn(kernel_random_unit(s->w[k + 1][i]), &cosine, &sine);
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
            x[k][i] = (float)(int32_t)high_product(s->w[k][i], n);
}

// Elements 4i … 4i + 3 of a block are lane i's.
static void interleave(float *restrict y, float (*restrict x)[LANES])
{
    for (int i = 0; i < LANES; i++) {
        y[4 * i] = x[0][i];
        y[4 * i + 1] = x[1][i];
        y[4 * i + 2] = x[2][i];
        y[4 * i + 3] = x[3][i];
    }
}

// What is drawn at once: `rows` blocks of four pixels of `width` channels, or, where the order in
// memory is the elements', a row of LANES blocks.
struct units {
    uint64_t apart[LANES];
    int64_t n, quads, width, rows, chunks, steps;
};

static struct units units_of(const struct random_task *t)
{
    struct units s = {.width = 1, .rows = LANES, .chunks = 1};
    if (t->pixels % 4 == 0 && t->channels > 1) {
        s.quads = t->pixels / 4;
        s.width = t->channels < LANES ? t->channels : LANES;
        s.rows = LANES / s.width;
        s.chunks = (t->channels + s.width - 1) / s.width;
        s.steps = (s.quads + s.rows - 1) / s.rows;
        s.n = t->n / (t->channels * t->pixels) * s.steps * s.chunks;
    } else {
        s.n = (t->n + 4 * LANES - 1) / (4 * LANES);
    }
    for (int64_t i = 0; i < LANES; i++)
        s.apart[i] = (uint64_t)(i / s.width + i % s.width * s.quads);
    return s;
}

static void kernel_random_draw(const struct random_task *t, const struct units *s, int64_t low,
                               float (*x)[LANES])
{
    static void (*const kind[])(const struct random_task *, const struct lanes *,
                                float(*)[LANES]) = {[RANDOM_UNIFORM] = kernel_random_uniform,
                                                    [RANDOM_NORMAL] = kernel_random_normal,
                                                    [RANDOM_BERNOULLI] = bernoulli,
                                                    [RANDOM_LABEL] = label};
    struct lanes w;
    philox_lanes(t->clock->seed, 1ull << 63 | t->clock->step << 20 | t->stream, (uint64_t)low,
                 s->apart, &w);
    kind[t->kind](t, &w, x);
}

// Elements `at` and following, (n, c, p), to (n, p, c).
static void scatter(const struct random_task *t, int64_t at, int64_t n, const float *y)
{
    const int64_t C = t->channels, P = t->pixels;
    int64_t row = at / P, p = at % P;
    for (int64_t i = 0; i < n; i++) {
        t->to[row / C * C * P + p * C + row % C] = y[i];
        if (++p == P) {
            p = 0;
            row++;
        }
    }
}

static void draw_in_order(const struct random_task *t, const struct units *s,
                          int64_t kernel_random_unit)
{
    float x[4][LANES], y[4 * LANES];
    const int64_t at = kernel_random_unit * 4 * LANES, left = t->n - at,
                  n = left < 4 * LANES ? left : 4 * LANES;
    kernel_random_draw(t, s, at / 4, x);
    interleave(y, x);
    if (t->channels > 1)
        scatter(t, at, n, y);
    else
        memcpy(t->to + at, y, sizeof *y * (size_t)n);
}

static void draw_channels(const struct random_task *t, const struct units *s,
                          int64_t kernel_random_unit)
{
    float x[4][LANES];
    const int64_t c = kernel_random_unit % s->chunks * s->width,
                  q = kernel_random_unit / s->chunks % s->steps * s->rows,
                  image = kernel_random_unit / (s->chunks * s->steps), left = t->channels - c,
                  n = left < s->width ? left : s->width;
    kernel_random_draw(t, s, (image * t->channels + c) * s->quads + q, x);
    float *y = t->to + (image * t->pixels + 4 * q) * t->channels + c;
    for (int64_t r = 0; r < s->rows && q + r < s->quads; r++)
        for (int k = 0; k < 4; k++, y += t->channels)
            memcpy(y, x[k] + r * s->width, sizeof *y * (size_t)n);
}

void KERNEL(random)(const void *task);
void KERNEL(random)(const void *task)
{
    const struct random_task *t = task;
    ASSERT(t->n > 0 && t->channels > 0 && t->pixels > 0);
    const struct units s = units_of(t);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
        for (int64_t i = s.n * me / all; i < s.n * (me + 1) / all; i++)
            (s.quads ? draw_channels : draw_in_order)(t, &s, i);
    }
}
