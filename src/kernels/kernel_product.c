// A small matrix product, for operands that are in cache already and were put there in the order
// it wants: the inside of opt/winograd.c's convolutions. A block of ROWS rows by two vectors
// is summed in registers; its right side is a strip of a panel, which stays in the first cache
// while all rows pass by, so a sum is cut after DEPTH products.
//
// Pairs of bf16 are multiplied by one instruction where there is one, and else as two products of
// float32. It is spelled out: through its intrinsic GCC 12 keeps half of the sums on the stack, and
// multiplies at 410 GFLOP/s instead of 980.
//
// A library's product would pack both sides first, which is right for matrices that come from
// anywhere. Here the maps that make them write them packed.
#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"
#include "kernels/kernel_product.h"

#if defined __AVX512F__
enum { ROWS = 12 };
#else
enum { ROWS = 6 };
#endif

enum { STRIP = 2 * LANES, DEPTH = 256 };

typedef uint32_t word __attribute__((may_alias));
typedef uint32_t words __attribute__((vector_size(LANES * sizeof(uint32_t)), may_alias));

// The bits of one number, or pair, in all lanes.
INLINE lanes repeated(const float *a) { return (lanes)((words){0} + *(const word *)a); }

// sum + Σ over both halves, products and sums in float32
#ifdef __AVX512BF16__
INLINE lanes add_pairs(lanes sum, lanes a, lanes b)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}
#else
INLINE lanes add_pairs(lanes sum, lanes a, lanes b)
{
    const words upper = (words){0} + 0xffff0000;
    sum += (lanes)((words)a << 16) * (lanes)((words)b << 16);
    return sum + (lanes)((words)a & upper) * (lanes)((words)b & upper);
}
#endif

// r[i][j] = (more ? r[i][j] : 0) + Σ_k a[i·row + k·step]·b[k][j], for i < rows, j < STRIP
INLINE void block(float *restrict r, int64_t width, const float *restrict a, int64_t row,
                  int64_t step, const float *restrict b, int64_t depth, bool more, const bool pairs,
                  const int rows)
{
    lanes sum[ROWS][2];
    EACH(i, rows)
        for (int j = 0; j < 2; j++)
            sum[i][j] = more ? *(const lanes *)(r + i * width + j * LANES) : (lanes){0};
    for (int64_t k = 0; k < depth; k++, b += PANEL) {
        const lanes left = *(const lanes *)b, right = *(const lanes *)(b + LANES);
        EACH(i, rows) {
            const lanes x = repeated(a + i * row + k * step);
            if (pairs) {
                sum[i][0] = add_pairs(sum[i][0], x, left);
                sum[i][1] = add_pairs(sum[i][1], x, right);
            } else {
                sum[i][0] += x * left;
                sum[i][1] += x * right;
            }
        }
    }
    EACH(i, rows)
        for (int j = 0; j < 2; j++)
            *(lanes *)(r + i * width + j * LANES) = sum[i][j];
}

#define BLOCK(n)                                                     \
    case n:                                                          \
        if (pairs)                                                   \
            block(r, width, a, row, step, b, depth, more, true, n);  \
        else                                                         \
            block(r, width, a, row, step, b, depth, more, false, n); \
        break

static void some_rows(float *r, int64_t width, const float *a, int64_t row, int64_t step,
                      const float *b, int64_t depth, bool more, bool pairs, int64_t rows)
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
                  p->pairs, to - from);
    }
}

void KERNEL(product)(const struct product *p)
{
    ASSERT(p->depth > 0 && p->panels > 0);
    for (int64_t k = 0; k < p->depth; k += DEPTH) {
        const int64_t depth = p->depth - k < DEPTH ? p->depth - k : DEPTH;
        for (int64_t panel = 0; panel < p->panels; panel++)
            for (int s = 0; s < PANEL; s += STRIP)
                strip(p, p->r + panel * PANEL + s, p->a + k * p->step,
                      p->b + panel * p->panel + k * PANEL + s, depth, p->more || k > 0);
    }
}
