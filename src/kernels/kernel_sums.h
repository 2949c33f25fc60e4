// What a reduction does with a block: sums, maxima and moments of a run of numbers, or of columns.
// For kernel_map.c alone.
#ifndef KERNELS_KERNEL_SUMS_H
#define KERNELS_KERNEL_SUMS_H

#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

#include <math.h>

// vectors of columns that are summed beside each other; numbers that memory is asked for ahead, and
// that moments of a run add up in float32
enum { BESIDE = 4, NEXT = MAP_TALL, AHEAD = 2 * MAP_TILE, SHORT = 256 };

// Four sums beside each other: one would wait for itself.
static float sum_run(const float *x, int64_t n)
{
    const int64_t q = n / 4;
    float a = 0, b = 0, c = 0, d = 0;
#pragma omp simd reduction(+ : a, b, c, d)
    for (int64_t i = 0; i < q; i++) {
        a += x[i];
        b += x[i + q];
        c += x[i + 2 * q];
        d += x[i + 3 * q];
    }
    for (int64_t i = 4 * q; i < n; i++)
        a += x[i];
    return a + b + (c + d);
}

static float max_run(const float *x, int64_t n)
{
    float max = -INFINITY;
#pragma omp simd reduction(max : max)
    for (int64_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

// BESIDE vectors of columns, in registers.
INLINE void sum_beside(float *sum, const float *x, int64_t n, int64_t width)
{
    lanes s[BESIDE];
    EACH(j, BESIDE)
        s[j] = (lanes){0};
    for (int64_t i = 0; i < n; i += width)
        EACH(j, BESIDE)
            s[j] += *(const lanes *)(x + i + j * LANES);
    EACH(j, BESIDE)
        *(lanes *)(sum + j * LANES) = s[j];
}

// Adds rows of `width` to sum: several rows beside each other where they are short, so that vectors
// are full.
static void sum_columns(double *sum, const float *x, int64_t n, int64_t width)
{
    _Alignas(64) float part[MAP_TILE];
    const int64_t wide = width * (width < 64 ? 64 / width : 1), full = n / wide * wide;
    int64_t at = 0;
    for (; at + BESIDE * LANES <= wide; at += BESIDE * LANES)
        sum_beside(part + at, x + at, full, wide);
    for (int64_t j = at; j < wide; j++)
        part[j] = 0;
    for (int64_t i = 0; i < full && at < wide; i += wide)
#pragma omp simd
        for (int64_t j = at; j < wide; j++)
            part[j] += x[i + j];
    for (int64_t j = 0; j < n - full; j++)
        part[j] += x[full + j];
    for (int64_t i = 0; i < wide; i += width)
        for (int64_t j = 0; j < width; j++)
            sum[j] += part[i + j];
}

static void max_columns(double *max, const float *x, int64_t n, int64_t width)
{
    for (int64_t i = 0; i < n; i += width)
#pragma omp simd
        for (int64_t j = 0; j < width; j++)
            max[j] = x[i + j] > max[j] ? x[i + j] : max[j];
}

// --- moments -------------------------------------------------------------------------------------

// Of columns: their means, the sums of the squares of deviations from those, and how many numbers
// each has.
struct moments {
    double *mean, *square, *n;
};

static struct moments moments_in(double *state, int64_t width)
{
    return (struct moments){state, state + width, state + 2 * width};
}

// n, mean and square of both: n = n_a + n_b, mean_a + δ·n_b / n, square_a + square_b + δ²·n_a·n_b /
// n
INLINE void join_moments(double n, double more, double *mean, double *square, double mean_b,
                         double square_b)
{
    const double by = mean_b - *mean;
    *mean += by * (more / (n + more));
    *square += square_b + by * by * (n * (more / (n + more)));
}

// Σ x − shift and its squares, of some vectors of columns, in registers.
INLINE void deviate(const float *x, int64_t n, int64_t width, const float *shift, float *sum,
                    float *square, const int some)
{
    lanes by[BESIDE], s[BESIDE], q[BESIDE];
    EACH(j, some) {
        by[j] = *(const lanes *)(shift + j * LANES);
        s[j] = q[j] = (lanes){0};
    }
    for (int64_t i = 0; i < n; i += width)
        EACH(j, some) {
            const lanes d = *(const lanes *)(x + i + j * LANES) - by[j];
            __builtin_prefetch(x + i + j * LANES + NEXT);
            s[j] += d;
            q[j] += d * d;
        }
    EACH(j, some) {
        *(lanes *)(sum + j * LANES) = s[j];
        *(lanes *)(square + j * LANES) = q[j];
    }
}

// Sums, and those of squares, about `shift`, of rows of `width`.
static void deviations(const float *x, int64_t n, int64_t width, float *shift, float *sum,
                       float *square)
{
    int64_t at = 0;
    for (; at + BESIDE * LANES <= width; at += BESIDE * LANES)
        deviate(x + at, n, width, shift + at, sum + at, square + at, BESIDE);
    for (; at + LANES <= width; at += LANES)
        deviate(x + at, n, width, shift + at, sum + at, square + at, 1);
    for (; at < width; at++) {
        sum[at] = square[at] = 0;
        for (int64_t i = at; i < n; i += width) {
            const float d = x[i] - shift[at];
            sum[at] += d;
            square[at] += d * d;
        }
    }
}

// About the mean of all rows before, from which none deviates by more than it adds to the result,
// so that nothing cancels; the first ones about their own.
static void moments_of_columns(double *state, int64_t apart, const float *x, int64_t n,
                               int64_t width)
{
    const struct moments m = moments_in(state, apart);
    float shift[MAP_TILE], sum[MAP_TILE], square[MAP_TILE];
    const double rows = (double)(n / width), before = *m.n;
    for (int64_t j = 0; j < width; j++)
        shift[j] = before > 0 ? (float)m.mean[j] : x[j];
    deviations(x, n, width, shift, sum, square);
    if (before == 0) {
        for (int64_t j = 0; j < width; j++)
            shift[j] += sum[j] / (float)rows;
        deviations(x, n, width, shift, sum, square);
    }
#pragma omp simd
    for (int64_t j = 0; j < width; j++) {
        const double off = sum[j] / rows;
        join_moments(before, rows, m.mean + j, m.square + j, shift[j] + off,
                     square[j] - off * sum[j]);
    }
    *m.n = before + rows;
}

static void moments_of_run(double *state, int64_t apart, const float *x, int64_t n)
{
    const struct moments m = moments_in(state, apart);
    const float mean = sum_run(x, n) / (float)n;
    double sum = 0, square = 0;
    for (int64_t from = 0; from < n; from += SHORT) {
        const int64_t to = n - from < SHORT ? n : from + SHORT;
        float s = 0, q = 0;
#pragma omp simd reduction(+ : s, q)
        for (int64_t i = from; i < to; i++) {
            const float d = x[i] - mean;
            s += d;
            q += d * d;
        }
        sum += (double)s;
        square += (double)q;
    }
    const double off = sum / (double)n;
    join_moments(*m.n, (double)n, m.mean, m.square, mean + off, square - off * sum);
    *m.n += (double)n;
}

// --- gated sums ----------------------------------------------------------------------------------

enum { GATED = LANES == 16 ? BESIDE : BESIDE / 2 }; // what registers have room for

typedef int32_t lane_bits __attribute__((vector_size(LANES * sizeof(int32_t))));

// Columns of what map_gate reads: dy, x, mean, scale, shift.
struct gate_columns {
    const float *dy, *x, *mean, *scale, *shift;
    float slope;
};

INLINE void gate_vectors(const struct gate_columns *c, int64_t at, int64_t n, int64_t width,
                         float *sum, float *by, const int some)
{
    lanes mean[GATED], scale[GATED], shift[GATED], s[GATED], p[GATED];
    EACH(j, some) {
        mean[j] = *(const lanes *)(c->mean + at + j * LANES);
        scale[j] = *(const lanes *)(c->scale + at + j * LANES);
        shift[j] = *(const lanes *)(c->shift + at + j * LANES);
        s[j] = p[j] = (lanes){0};
    }
    for (int64_t i = at; i < n; i += width)
        EACH(j, some) {
            const int64_t k = i + j * LANES;
            const lanes dy = *(const lanes *)(c->dy + k), d = *(const lanes *)(c->x + k) - mean[j];
            const lane_bits above = d * scale[j] + shift[j] > 0;
            const lanes g = (lanes)(((lane_bits)dy & above) |
                                    ((lane_bits)(dy * c->slope) & ~above));
            __builtin_prefetch(c->dy + k + AHEAD);
            __builtin_prefetch(c->x + k + AHEAD);
            s[j] += g;
            p[j] += g * d;
        }
    EACH(j, some) {
        *(lanes *)(sum + at + j * LANES) = s[j];
        *(lanes *)(by + at + j * LANES) = p[j];
    }
}

static void gate_column(const struct gate_columns *c, int64_t at, int64_t n, int64_t width,
                        float *sum, float *by)
{
    sum[at] = by[at] = 0;
    for (int64_t i = at; i < n; i += width) {
        const float d = c->x[i] - c->mean[at];
        const float g = d * c->scale[at] + c->shift[at] > 0 ? c->dy[i] : c->slope * c->dy[i];
        sum[at] += g;
        by[at] += g * d;
    }
}

// Adds rows of `width` to sum and to by.
static void gate_sums(double *sum, double *by, const struct gate_columns *c, int64_t n,
                      int64_t width)
{
    float s[MAP_TILE], p[MAP_TILE];
    int64_t at = 0;
    for (; at + GATED * LANES <= width; at += GATED * LANES)
        gate_vectors(c, at, n, width, s, p, GATED);
    for (; at + LANES <= width; at += LANES)
        gate_vectors(c, at, n, width, s, p, 1);
    for (; at < width; at++)
        gate_column(c, at, n, width, s, p);
    for (int64_t j = 0; j < width; j++) {
        sum[j] += s[j];
        by[j] += p[j];
    }
}

// --- blocks --------------------------------------------------------------------------------------

static float reduce_run(enum map_reduce reduce, int result, const float *x, int64_t n)
{
    double state[3] = {0};
    if (reduce != MAP_SUM_VAR)
        return reduce == MAP_SUM ? sum_run(x, n) : max_run(x, n);
    moments_of_run(state, 1, x, n);
    return (float)(result ? state[1] : state[0] * (double)n);
}

static void reduce_block(enum map_reduce reduce, double *sum, const float *x, int64_t n,
                         int64_t width)
{
    if (width == 1 && reduce == MAP_SUM)
        *sum += sum_run(x, n);
    else if (width == 1)
        *sum = fmax(*sum, max_run(x, n));
    else if (reduce == MAP_SUM)
        sum_columns(sum, x, n, width);
    else
        max_columns(sum, x, n, width);
}

#endif
