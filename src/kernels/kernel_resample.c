// Rows first: a row of the result is made of a few rows of the operand, which lie whole in memory.
// What they give is as wide as the operand and stays in the first cache, where columns are made of
// it. So both matrices cost one pass over memory, and a row that is one row of the operand is read
// where it lies.
#include "kernels/kernel.h"

#include <omp.h>
#include <string.h>

static void resample_add_row(float *restrict y, const float *restrict x, float w, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] += w * x[i];
}

static void resample_scale_row(float *restrict y, const float *restrict x, float w, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = w * x[i];
}

// Two rows at once: what most enlargements are made of.
static void resample_mix_rows(float *restrict y, const float *restrict x, const float *restrict z,
                              float w, float v, int64_t n)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        y[i] = w * x[i] + v * z[i];
}

// Σ weight·x[at] of stretches of n numbers, `step` apart.
static void resample_sum(const struct resample_axis *m, int64_t row, const float *x, int64_t step,
                         float *y, int64_t n)
{
    int32_t i = m->first[row];
    const int32_t end = m->first[row + 1];
    if (i == end)
        memset(y, 0, sizeof *y * (size_t)n);
    else if (i + 1 == end)
        resample_scale_row(y, x + m->at[i] * step, m->weight[i], n);
    else
        resample_mix_rows(y, x + m->at[i] * step, x + m->at[i + 1] * step, m->weight[i],
                          m->weight[i + 1], n);
    for (i += 2; i < end; i++)
        resample_add_row(y, x + m->at[i] * step, m->weight[i], n);
}

// Row y of the operand's columns, where it lies or in `own`.
static const float *resample_row(const struct resample_task *t, const float *x, int64_t row,
                                 float *own)
{
    const int32_t i = t->down.first[row];
    if (t->down.first[row + 1] == i + 1 && t->down.weight[i] == 1)
        return x + t->down.at[i] * t->x_stride[2];
    resample_sum(&t->down, row, x, t->x_stride[2], own, t->across.from * t->run);
    return own;
}

// Pixels of one number.
static void resample_numbers(const struct resample_axis *m, const float *x, float *y, int64_t step)
{
    for (int64_t o = 0; o < m->n; o++) {
        float sum = 0;
        for (int32_t i = m->first[o]; i < m->first[o + 1]; i++)
            sum += m->weight[i] * x[m->at[i]];
        y[o * step] = sum;
    }
}

// Pixels of several, which do not lie together in the result.
static void resample_scattered(const struct resample_task *t, const float *x, float *y)
{
    const struct resample_axis *m = &t->across;
    for (int64_t o = 0; o < m->n; o++)
        for (int64_t c = 0; c < t->run; c++) {
            float sum = 0;
            for (int32_t i = m->first[o]; i < m->first[o + 1]; i++)
                sum += m->weight[i] * x[m->at[i] * t->run + c];
            y[o * t->y_stride[3] + c * t->y_stride[1]] = sum;
        }
}

static void resample_columns(const struct resample_task *t, const float *x, float *y)
{
    if (t->run == 1)
        resample_numbers(&t->across, x, y, t->y_stride[3]);
    else if (t->y_stride[1] != 1)
        resample_scattered(t, x, y);
    else
        for (int64_t o = 0; o < t->across.n; o++)
            resample_sum(&t->across, o, x, t->run, y + o * t->y_stride[3], t->run);
}

void KERNEL(resample)(const void *task);
void KERNEL(resample)(const void *task)
{
    const struct resample_task *t = task;
    ASSERT(t->x != t->y && t->own && t->own_each >= t->across.from * t->run);
    const int64_t groups = t->C / t->run, rows = t->down.n, all = t->N * groups * rows;
#pragma omp parallel for num_threads(t->threads) if (t->threads > 1)
    for (int64_t i = 0; i < all; i++) {
        const int64_t row = i % rows, g = i / rows % groups, n = i / rows / groups;
        const float *x = t->x + n * t->x_stride[0] + g * t->x_stride[1];
        float *y = t->y + n * t->y_stride[0] + g * t->y_stride[1] + row * t->y_stride[2];
        resample_columns(t, resample_row(t, x, row, t->own + omp_get_thread_num() * t->own_each),
                         y);
    }
}
