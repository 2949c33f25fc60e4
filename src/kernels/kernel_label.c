// Labels pick rows. scatter_add gives each thread its own rows of the table and lets it read all
// labels: no two threads add to one row, and the sums come in the labels' order whatever the number
// of threads.
#include "kernels/kernel.h"

#include <math.h>
#include <omp.h>
#include <string.h>

// The row a label names, or -1.
static int64_t row_of(const struct label_task *t, int64_t i, int64_t rows)
{
    const float x = t->index[i];
    return x >= 0 && x < (float)rows ? (int64_t)x : -1;
}

void KERNEL(gather)(const void *task);
void KERNEL(gather)(const void *task)
{
    const struct label_task *t = task;
    ASSERT(t->rows > 0 && t->columns > 0);
#pragma omp parallel for num_threads(t->threads) if (t->threads > 1)
    for (int64_t i = 0; i < t->n; i++) {
        const int64_t r = row_of(t, i, t->rows);
        float *y = t->y + i * t->columns;
        if (r >= 0)
            memcpy(y, t->x + r * t->columns, sizeof *y * (size_t)t->columns);
        else
            for (int64_t j = 0; j < t->columns; j++)
                y[j] = NAN;
    }
}

static void kernel_label_add_rows(const struct label_task *t, int64_t from, int64_t to)
{
    memset(t->y + from * t->columns, 0, sizeof *t->y * (size_t)((to - from) * t->columns));
    for (int64_t i = 0; i < t->n; i++) {
        const int64_t r = row_of(t, i, t->rows);
        if (r < from || r >= to)
            continue;
        const float *x = t->x + i * t->columns;
        float *y = t->y + r * t->columns;
#pragma omp simd
        for (int64_t j = 0; j < t->columns; j++)
            y[j] += x[j];
    }
}

void KERNEL(scatter_add)(const void *task);
void KERNEL(scatter_add)(const void *task)
{
    const struct label_task *t = task;
    ASSERT(t->rows > 0 && t->columns > 0);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads();
        kernel_label_add_rows(t, t->rows * me / all, t->rows * (me + 1) / all);
    }
}

void KERNEL(one_hot)(const void *task);
void KERNEL(one_hot)(const void *task)
{
    const struct label_task *t = task;
    memset(t->y, 0, sizeof *t->y * (size_t)(t->n * t->columns));
    for (int64_t i = 0; i < t->n; i++) {
        const int64_t r = row_of(t, i, t->columns);
        if (r >= 0)
            t->y[i * t->columns + r] = 1;
    }
}
