// Copies between strided views, and nearest upsampling with its adjoint.
#include "kernels/kernel_packed.h"

#include "base/bf16.h"

#include <omp.h>
#include <string.h>

// A vector of eight that need not be aligned; what has no such registers gets two of four.
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define LOW2(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define HIGH2(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define LOW4(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HIGH4(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

// y[i·ys + j] = x[j·xs + i], 8 × 8
static void turn_8x8(float *y, int64_t ys, const float *x, int64_t xs)
{
    eight r[8], s[8];
    for (int i = 0; i < 8; i++)
        r[i] = *(const eight *)(x + i * xs);
    for (int i = 0; i < 8; i += 2) {
        s[i] = LOW(r[i], r[i + 1]);
        s[i + 1] = HIGH(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            r[i + 2 * j] = LOW2(s[i + j], s[i + j + 2]);
            r[i + 2 * j + 1] = HIGH2(s[i + j], s[i + j + 2]);
        }
    for (int i = 0; i < 4; i++) {
        *(eight *)(y + i * ys) = LOW4(r[i], r[i + 4]);
        *(eight *)(y + (i + 4) * ys) = HIGH4(r[i], r[i + 4]);
    }
}

static void kernel_copy_turn(float *y, int64_t ys, const float *x, int64_t xs, int64_t rows,
                             int64_t columns)
{
    for (int64_t i = 0; i < rows; i += 8)
        for (int64_t j = 0; j < columns; j += 8)
            if (i + 8 <= rows && j + 8 <= columns)
                turn_8x8(y + i * ys + j, ys, x + j * xs + i, xs);
            else
                for (int64_t k = i; k < rows && k < i + 8; k++)
                    for (int64_t l = j; l < columns && l < j + 8; l++)
                        y[k * ys + l] = x[l * xs + k];
}

static void copy_row(float *y, const float *x, int64_t n)
{
    if (n >= 64)
        memcpy(y, x, sizeof *y * (size_t)n);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i];
}

// rows × columns numbers of the two innermost dimensions.
static void copy_piece(const struct copy_task *t, float *y, const float *x, int64_t rows,
                       int64_t columns)
{
    const int64_t *ys = t->to_stride + t->rank - 2, *xs = t->from_stride + t->rank - 2;
    if (t->kind == COPY_TRANSPOSE) {
        kernel_copy_turn(y, ys[0], x, xs[1], rows, columns);
        return;
    }
    for (int64_t i = 0; i < rows; i++, y += ys[0], x += xs[0])
        if (t->kind == COPY_ROWS)
            copy_row(y, x, columns);
        else if (t->kind == COPY_FILL)
            for (int64_t j = 0; j < columns; j++)
                y[j] = *x;
        else
            for (int64_t j = 0; j < columns; j++)
                y[j * ys[1]] = x[j * xs[1]];
}

static void copy_units(const struct copy_task *t, int64_t from, int64_t to)
{
    const int r = t->rank;
    for (int64_t u = from; u < to; u++) {
        int64_t rest = u, n[2];
        float *y = t->to;
        const float *x = t->from;
        for (int k = 1; k >= 0; k--) {
            const int d = r - 2 + k;
            const int64_t at = rest % t->pieces[k] * t->piece[k];
            rest /= t->pieces[k];
            n[k] = t->dim[d] - at < t->piece[k] ? t->dim[d] - at : t->piece[k];
            y += at * t->to_stride[d];
            x += at * t->from_stride[d];
        }
        for (int d = r - 3; d >= 0; d--) {
            y += rest % t->dim[d] * t->to_stride[d];
            x += rest % t->dim[d] * t->from_stride[d];
            rest /= t->dim[d];
        }
        copy_piece(t, y, x, n[0], n[1]);
    }
}

void KERNEL(copy)(const void *tasks);
void KERNEL(copy)(const void *tasks)
{
    const struct copy_tasks *all = tasks;
    for (const struct copy_task *t = all->task; t < all->task + all->n; t++)
        ASSERT(t->rank >= 2 && t->rank <= COPY_RANK && t->threads > 0);
    for (const struct copy_task *t = all->task; t < all->task + all->n; t++)
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), n = omp_get_num_threads();
        copy_units(t, t->units * me / n, t->units * (me + 1) / n);
    }
}

// --- packed copies ---------------------------------------------------------------------------------------

// A word of two bf16, which is moved as if it were a float.
typedef uint32_t word __attribute__((may_alias));
typedef uint16_t half __attribute__((may_alias));

static void kernel_copy_write_block(const struct packed_task *t, float *y, const float *x)
{
    if (t->row_step == 1) {
        kernel_copy_turn(y, t->column_step, x, t->columns, t->columns, t->rows);
        return;
    }
    for (int64_t r = 0; r < t->rows; r++, y += t->row_step, x += t->columns)
        if (t->column_step == 1)
            copy_row(y, x, t->columns);
        else
            for (int64_t c = 0; c < t->columns; c++)
                y[c * t->column_step] = x[c];
}

static void write_halves(const struct packed_task *t, half *y, const float *x)
{
    for (int64_t r = 0; r < t->rows; r++, y += t->row_step, x += t->columns)
        for (int64_t c = 0; c < t->columns; c++)
            y[c * t->column_step] = bf16_of(x[c]);
}

static void round_all(half *to, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = bf16_of(x[i]);
}

static inline void round_pair(word *restrict to, const float *restrict x, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        to[k] = bf16_of(x[k]) | (uint32_t)bf16_of(x[n + k]) << 16;
}

// A pair of rows, and the next; what they become is `step` apart.
static void round_pairs(word *to, int64_t step, const float *x, int64_t pairs, int64_t n)
{
    for (int64_t r = 0; r < pairs; r++, to += step, x += 2 * n)
        if (n == 16)
            round_pair(to, x, 16);
        else
            round_pair(to, x, n);
}

static void write_words(const struct packed_task *t, float *y, const float *x)
{
    float rounded[PACKED_BLOCK / 2];
    const int64_t n = t->rows * t->columns;
    if (t->column_step == 1 && t->columns == t->apart) {
        round_pairs((word *)y, t->row_step, x, t->rows, t->apart);
        return;
    }
    if (t->apart == 1)
        round_all((half *)rounded, x, 2 * n);
    else
        round_pairs((word *)rounded, t->apart, x, n / t->apart, t->apart);
    kernel_copy_write_block(t, y, rounded);
}

void KERNEL(write_packed)(const struct packed_task *t, const float *p, int64_t from, int64_t to)
{
    const int64_t size = packed_block(t);
    for (int64_t i = from; i < to; i += size) {
        const int32_t at = t->at[i / size];
        if (t->type == TYPE_F32)
            kernel_copy_write_block(t, (float *)t->to + at, p + i);
        else if (t->apart)
            write_words(t, (float *)t->to + at, p + i);
        else
            write_halves(t, (half *)t->to + at, p + i);
    }
}

// --- nearest upsampling and its adjoint ----------------------------------------------------------

// One coarse row (W pixels of C numbers beside each other) to one fine row.
static void stretch(float *y, const float *x, int64_t W, int64_t C, int64_t f)
{
    if (C == 1 && f == 2) {
        for (int64_t w = 0; w < W; w++)
            y[2 * w] = y[2 * w + 1] = x[w];
        return;
    }
    for (int64_t w = 0; w < W; w++)
        for (int64_t k = 0; k < f; k++)
            for (int64_t c = 0; c < C; c++)
                y[(w * f + k) * C + c] = x[w * C + c];
}

// Adds one fine row to one coarse row.
static void gather_row(float *y, const float *x, int64_t W, int64_t C, int64_t f)
{
    if (C == 1 && f == 2) {
#pragma omp simd
        for (int64_t w = 0; w < W; w++)
            y[w] += x[2 * w] + x[2 * w + 1];
        return;
    }
    for (int64_t w = 0; w < W; w++)
        for (int64_t k = 0; k < f; k++)
#pragma omp simd
            for (int64_t c = 0; c < C; c++)
                y[w * C + c] += x[(w * f + k) * C + c];
}

// In plain layout every channel is a picture of its own, of one number a pixel.
#define PICTURES                                                                  \
    const int64_t C = t->channels_last ? t->C : 1, row = t->W * C, f = t->factor, \
                  rows = t->N * t->C / C * t->H

void KERNEL(upsample)(const void *task);
void KERNEL(upsample)(const void *task)
{
    const struct upsample_task *t = task;
    ASSERT(t->factor > 0 && t->x != t->y);
    PICTURES;
#pragma omp parallel for num_threads(t->threads) if (t->threads > 1)
    for (int64_t r = 0; r < rows; r++) {
        float *y = t->y + r * f * f * row;
        stretch(y, t->x + r * row, t->W, C, f);
        for (int64_t k = 1; k < f; k++)
            copy_row(y + k * f * row, y, f * row);
    }
}

void KERNEL(pool_sum)(const void *task);
void KERNEL(pool_sum)(const void *task)
{
    const struct upsample_task *t = task;
    ASSERT(t->factor > 0 && t->x != t->y);
    PICTURES;
#pragma omp parallel for num_threads(t->threads) if (t->threads > 1)
    for (int64_t r = 0; r < rows; r++) {
        float *y = t->y + r * row;
        memset(y, 0, sizeof *y * (size_t)row);
        for (int64_t k = 0; k < f; k++)
            gather_row(y, t->x + (r * f + k) * f * row, t->W, C, f);
    }
}
