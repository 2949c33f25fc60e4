// A small matrix product, for operands that are in cache already and were put there in the order
// it wants: the inside of pass/minimal_filter.c's convolutions. A block of ROWS rows by two vectors
// is summed in registers; its right side is a strip of a panel, which stays in the first cache
// while all rows pass by, so a sum is cut after DEPTH products.
//
// A library's product would pack both sides first, which is right for matrices that come from
// anywhere. Here the maps that make them write them packed.
#include "prim/kernel.h"
#include "prim/kernel_lanes.h"
#include "prim/kernel_product.h"

#if defined __AVX512F__
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif

enum { STRIP = 2 * LANES, DEPTH = 256 };

// r[i][j] = (more ? r[i][j] : 0) + Σ_k a[i·row + k·step]·b[k][j], for i < rows, j < STRIP
INLINE void block(float *restrict r, int64_t width, const float *restrict a, int64_t row,
                  int64_t step, const float *restrict b, int64_t depth, bool more, const int rows)
{
    lanes sum[ROWS][2];
    EACH(i, rows)
        for (int j = 0; j < 2; j++)
            sum[i][j] = more ? *(const lanes *)(r + i * width + j * LANES) : (lanes){0};
    for (int64_t k = 0; k < depth; k++, b += PANEL) {
        const lanes left = *(const lanes *)b, right = *(const lanes *)(b + LANES);
        EACH(i, rows) {
            const lanes x = (lanes){0} + a[i * row + k * step];
            sum[i][0] += x * left;
            sum[i][1] += x * right;
        }
    }
    EACH(i, rows)
        for (int j = 0; j < 2; j++)
            *(lanes *)(r + i * width + j * LANES) = sum[i][j];
}

#define BLOCK(n) \
    case n: block(r, width, a, row, step, b, depth, more, n); break

static void some_rows(float *r, int64_t width, const float *a, int64_t row, int64_t step,
                      const float *b, int64_t depth, bool more, int64_t rows)
{
    switch (rows) {
        BLOCK(1);
        BLOCK(2);
        BLOCK(3);
        BLOCK(4);
        BLOCK(5);
        BLOCK(6);
#if defined __AVX512F__
        BLOCK(7);
        BLOCK(8);
        BLOCK(9);
        BLOCK(10);
        BLOCK(11);
        BLOCK(12);
#endif
    }
}

// All rows, in blocks as equal as can be.
static void strip(const struct product *p, float *r, const float *a, const float *b, int64_t depth,
                  bool more)
{
    const int64_t blocks = (p->rows + ROWS - 1) / ROWS;
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t from = p->rows * i / blocks, to = p->rows * (i + 1) / blocks;
        some_rows(r + from * p->width, p->width, a + from * p->row, p->row, p->step, b, depth, more,
                  to - from);
    }
}

void KERNEL(product)(const struct product *p)
{
    for (int64_t k = 0; k < p->depth; k += DEPTH) {
        const int64_t depth = p->depth - k < DEPTH ? p->depth - k : DEPTH;
        for (int64_t panel = 0; panel < p->panels; panel++)
            for (int s = 0; s < PANEL; s += STRIP)
                strip(p, p->r + panel * PANEL + s, p->a + k * p->step,
                      p->b + panel * p->panel + k * PANEL + s, depth, p->more || k > 0);
    }
}
