// Weights transposed, a run of channels at a time. For kernels alone.
#ifndef KERNELS_KERNEL_TRANSPOSE_H
#define KERNELS_KERNEL_TRANSPOSE_H

#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

enum { RUN = WINOGRAD_RUN };

#if defined __AVX512F__
#define LIST(m, s)                                                                            \
    m(0, s), m(1, s), m(2, s), m(3, s), m(4, s), m(5, s), m(6, s), m(7, s), m(8, s), m(9, s), \
        m(10, s), m(11, s), m(12, s), m(13, s), m(14, s), m(15, s)
#define STEPS STEP(1) STEP(2) STEP(4) STEP(8)
#elif defined __AVX__
#define LIST(m, s) m(0, s), m(1, s), m(2, s), m(3, s), m(4, s), m(5, s), m(6, s), m(7, s)
#define STEPS STEP(1) STEP(2) STEP(4)
#else
#define LIST(m, s) m(0, s), m(1, s), m(2, s), m(3, s)
#define STEPS STEP(1) STEP(2)
#endif

// A square is transposed in steps: of two rows that are s apart, each takes its half of what lies s off
// the diagonal.
#define UPPER(j, s) ((j) & (s) ? LANES + (j) - (s) : (j))
#define LOWER(j, s) ((j) & (s) ? LANES + (j) : (j) + (s))
#define STEP(s)                                                                 \
    EACH(i, LANES)                                                              \
        if (!(i & (s))) {                                                       \
            const lanes upper = r[i], lower = r[i + (s)];                       \
            r[i] = __builtin_shufflevector(upper, lower, LIST(UPPER, s));       \
            r[i + (s)] = __builtin_shufflevector(upper, lower, LIST(LOWER, s)); \
        }

// to[j][i] = from[i][j] for i, j < RUN
static inline void turn_square(const float *from, int64_t row, float *to, int64_t to_row)
{
    EACH(y, RUN / LANES)
        EACH(x, RUN / LANES) {
            lanes r[LANES];
            EACH(i, LANES)
                r[i] = *(const lanes *)(from + (y * LANES + i) * row + x * LANES);
            STEPS
            EACH(i, LANES)
                *(lanes *)(to + (x * LANES + i) * to_row + y * LANES) = r[i];
        }
}

// to[j][i] = from[i][j] for i < RUN, j < columns
static inline void turn(const float *from, int64_t row, int64_t columns, float *to)
{
    int64_t j = 0;
    for (; j + RUN <= columns; j += RUN)
        turn_square(from + j, row, to + j * RUN, RUN);
    for (; j < columns; j++)
        for (int64_t i = 0; i < RUN; i++)
            to[j * RUN + i] = from[i * row + j];
}

// to[i][j] = from[j][i] for i < RUN, j < columns
static inline void turn_back(const float *from, int64_t columns, float *to)
{
    int64_t j = 0;
    for (; j + RUN <= columns; j += RUN)
        turn_square(from + j * RUN, RUN, to + j, columns);
    for (; j < columns; j++)
        for (int64_t i = 0; i < RUN; i++)
            to[i * columns + j] = from[j * RUN + i];
}

#endif
