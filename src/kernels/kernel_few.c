// Convolutions between a wide image and one of few channels, where a matrix product would have a
// side of one to four and leave most of a vector empty: a generator's last layer, the gradient of
// an image. The wide image's channels lie beside each other and fill vectors; the few are kept in
// registers beside each other, FEW_BLOCK pixels at once where a pixel is the result, since a sum
// that waits for itself uses a quarter of the multipliers. Pixels outside the image are read from a
// row of zeros, so that the borders are no case of their own.
#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

#include <omp.h>
#include <string.h>

enum { FEW_BLOCK = 4, SIDE = 4 };

typedef float four __attribute__((vector_size(16)));

static float kernel_few_total(lanes v)
{
    four part[LANES / 4], sum;
    memcpy(part, &v, sizeof v);
    sum = part[0];
    for (int i = 1; i < LANES / 4; i++)
        sum += part[i];
    sum += __builtin_shufflevector(sum, sum, 2, 3, 0, 1);
    return sum[0] + sum[1];
}

// (taps, F, C)
static void pack_weights(const struct few_task *t, float *packed)
{
    const int64_t taps = t->kernel[0] * t->kernel[1];
    for (int64_t f = 0; f < t->F; f++)
        for (int64_t c = 0; c < t->C; c++)
            for (int64_t tap = 0; tap < taps; tap++)
                packed[(tap * t->F + f) * t->C + c] = *few_weight(t, f, c, tap);
}

// The pixel of the wide image, or the zeros where there is none.
static const float *pixel(const struct few_task *t, const float *image, int64_t y, int64_t x)
{
    const bool inside = y >= 0 && y < t->size[0] && x >= 0 && x < t->size[1];
    return inside ? image + y * t->wide_stride[2] + x * t->wide_stride[3] : t->zeros;
}

// sum[b][f] += Σ_c pixel_b[c]·w[f][c]
INLINE void add_tap(lanes sum[FEW_BLOCK][SIDE], const float *const *pixels, const float *w,
                    int64_t C, const int F)
{
    for (int64_t c = 0; c < C; c += LANES) {
        lanes x[FEW_BLOCK];
        EACH(b, FEW_BLOCK)
            x[b] = *(const lanes *)(pixels[b] + c);
        EACH(f, F) {
            const lanes v = *(const lanes *)(w + f * C + c);
            EACH(b, FEW_BLOCK)
                sum[b][f] += x[b] * v;
        }
    }
}

// FEW_BLOCK results of row y, the first at x, `phases` apart.
INLINE void sum_block(const struct few_task *t, int64_t n, int64_t y, int64_t x, const int F)
{
    lanes sum[FEW_BLOCK][SIDE];
    EACH(b, FEW_BLOCK)
        EACH(f, F)
            sum[b][f] = (lanes){0};
    const float *const image = t->wide + n * t->wide_stride[0];
    for (int64_t i = 0; i < t->kernel[0]; i++) {
        const int64_t row = y * t->step[0] + t->sign * i - t->pad[0];
        if (row % t->phases[0] != 0)
            continue;
        for (int64_t j = 0; j < t->kernel[1]; j++) {
            const int64_t column = x * t->step[1] + t->sign * j - t->pad[1];
            if (column % t->phases[1] != 0)
                continue;
            const float *pixels[FEW_BLOCK];
            for (int b = 0; b < FEW_BLOCK; b++)
                pixels[b] = pixel(t, image, row / t->phases[0],
                                  column / t->phases[1] + b * t->step[1]);
            add_tap(sum, pixels, t->packed + (i * t->kernel[1] + j) * F * t->C, t->C, F);
        }
    }
    for (int b = 0; b < FEW_BLOCK && x + b * t->phases[1] < t->few_size[1]; b++)
        for (int f = 0; f < F; f++)
            t->few[n * t->few_stride[0] + f * t->few_stride[1] + y * t->few_stride[2] +
                   (x + b * t->phases[1]) * t->few_stride[3]] = kernel_few_total(sum[b][f]);
}

INLINE void sum_row(const struct few_task *t, int64_t n, int64_t y, const int F)
{
    for (int64_t phase = 0; phase < t->phases[1]; phase++)
        for (int64_t x = phase; x < t->few_size[1]; x += FEW_BLOCK * t->phases[1])
            sum_block(t, n, y, x, F);
}

void KERNEL(few_result)(const void *task);
void KERNEL(few_result)(const void *task)
{
    const struct few_task *t = task;
    ASSERT(t->F >= 1 && t->F <= FEW_MOST && t->C % FEW_MULTIPLE == 0);
    ASSERT(t->wide_stride[1] == 1);
    memset(t->zeros, 0, sizeof *t->zeros * (size_t)t->C);
    pack_weights(t, t->packed);
#pragma omp parallel for schedule(static) num_threads(t->threads) if (t->threads > 1)
    for (int64_t row = 0; row < t->N * t->few_size[0]; row++) {
        const int64_t n = row / t->few_size[0], y = row % t->few_size[0];
        switch (t->F) {
        case 1: sum_row(t, n, y, 1); break;
        case 2: sum_row(t, n, y, 2); break;
        case 3: sum_row(t, n, y, 3); break;
        default: sum_row(t, n, y, 4);
        }
    }
}

// --- the gradient of the weights -----------------------------------------------------------------

// One row of the image that steps: which pixels of the other it meets at tap (i, j).
struct meeting {
    const float *wide, *few;        // at the first
    int64_t n, wide_step, few_step; // how many, and in floats from one to the next
};

// The range [from, to) of positions p of `count` with 0 ≤ p·step + shift < limit.
static int64_t range(int64_t count, int64_t step, int64_t shift, int64_t limit, int64_t *from)
{
    *from = shift < 0 ? (-shift + step - 1) / step : 0;
    const int64_t last = limit - 1 - shift, to = last < 0 ? 0 : last / step + 1;
    return (to < count ? to : count) - *from;
}

// g[f][c] += Σ_p few[p][f]·wide[p][c]   for `wide` vectors of channels
INLINE void add_products(const struct few_task *t, const struct meeting *m, float *g, int64_t c,
                         const int F, const int wide)
{
    lanes sum[SIDE][SIDE];
    EACH(f, F)
        EACH(q, wide)
            sum[f][q] = *(const lanes *)(g + f * t->C + c + q * LANES);
    for (int64_t p = 0; p < m->n; p++) {
        const float *x = m->wide + p * m->wide_step + c, *y = m->few + p * m->few_step;
        EACH(f, F) {
            const float s = y[f * t->few_stride[1]];
            EACH(q, wide)
                sum[f][q] += s * *(const lanes *)(x + q * LANES);
        }
    }
    EACH(f, F)
        EACH(q, wide)
            *(lanes *)(g + f * t->C + c + q * LANES) = sum[f][q];
}

INLINE void add_meeting(const struct few_task *t, const struct meeting *m, float *g, const int F)
{
    int64_t c = 0;
    for (; c + 4 * LANES <= t->C; c += 4 * LANES)
        add_products(t, m, g, c, F, 4);
    for (; c < t->C; c += LANES)
        add_products(t, m, g, c, F, 1);
}

// Row p of the coarse image (the one whose every pixel meets every tap) of sample n, all taps.
static void kernel_few_add_row(const struct few_task *t, int64_t n, int64_t row, float *g)
{
    const int64_t *const fine = t->few_rows ? t->wide_stride : t->few_stride,
                         *const coarse = t->few_rows ? t->few_stride : t->wide_stride;
    const int64_t *const limit = t->few_rows ? t->size : t->few_size;
    const int64_t count = t->few_rows ? t->few_size[1] : t->size[1];
    for (int64_t tap = 0; tap < t->kernel[0] * t->kernel[1]; tap++, g += t->F * t->C) {
        const int64_t y = row * t->step[0] + tap / t->kernel[1] - t->pad[0],
                      shift = tap % t->kernel[1] - t->pad[1];
        if (y < 0 || y >= limit[0])
            continue;
        int64_t from;
        const int64_t met = range(count, t->step[1], shift, limit[1], &from);
        const int64_t at_fine = n * fine[0] + y * fine[2] + (from * t->step[1] + shift) * fine[3],
                      at_coarse = n * coarse[0] + row * coarse[2] + from * coarse[3],
                      fine_step = t->step[1] * fine[3];
        const struct meeting m = t->few_rows
                                     ? (struct meeting){t->wide + at_fine, t->few + at_coarse, met,
                                                        fine_step, coarse[3]}
                                     : (struct meeting){t->wide + at_coarse, t->few + at_fine, met,
                                                        coarse[3], fine_step};
        switch (t->F) {
        case 1: add_meeting(t, &m, g, 1); break;
        case 2: add_meeting(t, &m, g, 2); break;
        case 3: add_meeting(t, &m, g, 3); break;
        default: add_meeting(t, &m, g, 4);
        }
    }
}

// weight ← Σ over threads, in their order
static void unpack_sums(const struct few_task *t, int threads)
{
    const int64_t taps = t->kernel[0] * t->kernel[1], n = taps * t->F * t->C;
    for (int64_t f = 0; f < t->F; f++)
        for (int64_t c = 0; c < t->C; c++)
            for (int64_t tap = 0; tap < taps; tap++) {
                const int64_t i = (tap * t->F + f) * t->C + c;
                float sum = t->packed[i];
                for (int k = 1; k < threads; k++)
                    sum += t->packed[k * n + i];
                *few_weight(t, f, c, tap) = sum;
            }
}

void KERNEL(few_weight_grad)(const void *task);
void KERNEL(few_weight_grad)(const void *task)
{
    const struct few_task *t = task;
    ASSERT(t->F >= 1 && t->F <= FEW_MOST && t->C % FEW_MULTIPLE == 0);
    ASSERT(t->wide_stride[1] == 1);
    const int64_t rows = t->few_rows ? t->few_size[0] : t->size[0],
                  n = t->kernel[0] * t->kernel[1] * t->F * t->C;
    int threads = 1;
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        float *g = t->packed + omp_get_thread_num() * n;
        memset(g, 0, sizeof *g * (size_t)n);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < t->N * rows; row++)
            kernel_few_add_row(t, row / rows, row % rows, g);
#pragma omp master
        threads = omp_get_num_threads();
    }
    unpack_sums(t, threads);
}
