// The transforms of Winograd's convolutions: small matrices applied to both axes of tiles, many channels
// beside each other. What an image ends in (ir/post_ops.h) is done when all its tiles are in.
#include "kernels/kernel.h"

#include "kernels/kernel_math.h"

#include <omp.h>
#include <string.h>

enum { WIDE = 64 };

// y[i] = Σ_j m[i][j]·x[j], for vectors of `width` numbers
#define LINE(cols)                                                                                \
    static void line_##cols(float *restrict y, int64_t ys, const float *restrict x, int64_t xs,   \
                            const float *m, int rows, int64_t width)                              \
    {                                                                                             \
        for (int i = 0; i < rows; i++, m += cols, y += ys)                                        \
            for (int64_t c = 0; c < width; c++) {                                                 \
                float s = m[0] * x[c];                                                            \
                _Pragma("GCC unroll 8") for (int j = 1; j < cols; j++) s += m[j] * x[j * xs + c]; \
                y[c] = s;                                                                         \
            }                                                                                     \
    }
LINE(1)
LINE(2)
LINE(3)
LINE(4)
LINE(5)
LINE(6)
LINE(7)
LINE(8)

typedef void line(float *restrict y, int64_t ys, const float *restrict x, int64_t xs,
                  const float *m, int rows, int64_t width);
static line *const lines[] = {line_1, line_2, line_3, line_4, line_5, line_6, line_7, line_8};

// One tile of one phase: where it begins in the image, and in its row of each plane, in numbers.
struct kernel_winograd_planes_place_of {
    int64_t image, plane;
    int64_t y, x; // may lie outside
    int64_t width;
};

static void read_numbers(float *restrict to, const void *base, enum type type, int64_t at,
                         int64_t stride, int64_t n)
{
    const float *x = (const float *)base + at;
    const uint16_t *h = (const uint16_t *)base + at;
    if (type == TYPE_F32 && stride == 1)
        memcpy(to, x, sizeof *to * (size_t)n);
    else if (type == TYPE_F32)
        for (int64_t c = 0; c < n; c++)
            to[c] = x[c * stride];
    else if (stride == 1)
        for (int64_t c = 0; c < n; c++)
            to[c] = of_bf16(h[c]);
    else
        for (int64_t c = 0; c < n; c++)
            to[c] = of_bf16(h[c * stride]);
}

// Walks the pixels of the tile that lie inside.
#define EACH_PIXEL(t, p)                                                          \
    for (int i = 0; i < (t)->axis->columns; i++)                                  \
        for (int j = 0; j < (t)->axis->columns; j++)                              \
            if ((p)->y + i * (t)->step >= 0 && (p)->y + i * (t)->step < (t)->H && \
                (p)->x + j * (t)->step >= 0 && (p)->x + j * (t)->step < (t)->W)

static void gather_tile(const struct transform_task *t,
                        const struct kernel_winograd_planes_place_of *p, float *tile)
{
    memset(tile, 0, sizeof *tile * (size_t)(t->axis->columns * t->axis->columns * WIDE));
    EACH_PIXEL(t, p)
    {
        const int64_t from = p->image + (p->y + i * t->step) * t->stride[2] +
                             (p->x + j * t->step) * t->stride[3];
        read_numbers(tile + (i * t->axis->columns + j) * WIDE, t->image, t->type[0], from,
                     t->stride[1], p->width);
    }
}

static void scatter_tile(const struct transform_task *t,
                         const struct kernel_winograd_planes_place_of *p, const float *tile)
{
    EACH_PIXEL(t, p)
    {
        float *to = (float *)t->image + p->image + (p->y + i * t->step) * t->stride[2] +
                    (p->x + j * t->step) * t->stride[3];
        const float *from = tile + (i * t->axis->columns + j) * WIDE;
        if (t->stride[1] == 1)
            for (int64_t c = 0; c < p->width; c++)
                to[c] += from[c];
        else
            for (int64_t c = 0; c < p->width; c++)
                to[c * t->stride[1]] += from[c];
    }
}

static void round_numbers(uint16_t *restrict to, const float *restrict x, int64_t n)
{
    for (int64_t c = 0; c < n; c++)
        to[c] = bf16_of(x[c]);
}

static void kernel_winograd_planes_evaluate(const struct transform_task *t,
                                            const struct kernel_winograd_planes_place_of *p)
{
    float tile[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX * WIDE],
        half[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX * WIDE];
    const int n = t->axis->columns, q = t->axis->rows;
    line *const apply = lines[n - 1];
    gather_tile(t, p, tile);
    for (int j = 0; j < n; j++)
        apply(half + j * WIDE, n * WIDE, tile + j * WIDE, n * WIDE, t->axis->m, q, p->width);
    for (int i = 0; i < q; i++) {
        const int64_t at = p->plane + i * q * t->plane;
        if (t->type[1] == TYPE_F32) {
            apply((float *)t->tiles + at, t->plane, half + i * n * WIDE, WIDE, t->axis->m, q,
                  p->width);
            continue;
        }
        apply(tile, WIDE, half + i * n * WIDE, WIDE, t->axis->m, q, p->width);
        for (int j = 0; j < q; j++)
            round_numbers((uint16_t *)t->tiles + at + j * t->plane, tile + j * WIDE, p->width);
    }
}

static void kernel_winograd_planes_interpolate(const struct transform_task *t,
                                               const struct kernel_winograd_planes_place_of *p)
{
    float tile[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX * WIDE],
        half[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX * WIDE];
    const int n = t->axis->columns, q = t->axis->rows;
    line *const apply = lines[q - 1];
    for (int i = 0; i < q; i++) {
        const int64_t at = p->plane + i * q * t->plane;
        if (t->type[1] == TYPE_F32) {
            apply(half + i * n * WIDE, WIDE, (const float *)t->tiles + at, t->plane,
                  t->axis->transposed, n, p->width);
            continue;
        }
        for (int j = 0; j < q; j++)
            read_numbers(tile + j * WIDE, t->tiles, TYPE_BF16, at + j * t->plane, 1, p->width);
        apply(half + i * n * WIDE, WIDE, tile, WIDE, t->axis->transposed, n, p->width);
    }
    for (int j = 0; j < n; j++)
        apply(tile + j * WIDE, n * WIDE, half + j * WIDE, n * WIDE, t->axis->transposed, n,
              p->width);
    scatter_tile(t, p, tile);
}

// The tile at (ty, tx) of image n, all phases, all channels.
static void one_tile(const struct transform_task *t, int64_t n, int64_t ty, int64_t tx)
{
    const int64_t row = (n * t->axis[0].count + ty) * t->axis[1].count + tx, ph = t->phases;
    const int64_t image = n * t->stride[0], plane = row * ph * ph * t->C;
    for (int64_t a = 0; a < ph; a++)
        for (int64_t b = 0; b < ph; b++)
            for (int64_t c = 0; c < t->C; c += WIDE) {
                const struct kernel_winograd_planes_place_of p = {
                    image + c * t->stride[1], plane + (a * ph + b) * t->C + c,
                    t->step * ty * t->axis->n + a - t->axis[0].pad,
                    t->step * tx * t->axis->n + b - t->axis[1].pad,
                    t->C - c < WIDE ? t->C - c : WIDE};
                (t->adjoint ? kernel_winograd_planes_interpolate
                            : kernel_winograd_planes_evaluate)(t, &p);
            }
}

// What the image becomes that all tiles have been added to, while it is in cache.
static void end_image(const struct transform_task *t, int64_t n)
{
    const struct image_end *end = t->end;
    const bool last = t->stride[1] == 1;
    const int64_t pixels = t->H * t->W, rows = last ? pixels : t->C, width = last ? t->C : pixels;
    float *restrict x = (float *)t->image + n * t->stride[0];
    const float *more = end->more ? end->more + n * t->stride[0] : NULL;
    for (int64_t i = 0; i < rows; i++, x += width) {
        const float scale = end->scale, slope = end->slope,
                    all = end->bias && !last ? end->bias[i] : 0;
        for (int64_t c = 0; c < width; c++)
            x[c] = scale * x[c] + all;
        for (int64_t c = 0; c < width && end->bias && last; c++)
            x[c] += end->bias[c];
        for (int64_t c = 0; c < width && more; c++)
            x[c] += more[i * width + c];
        for (int64_t c = 0; c < width; c++)
            x[c] = x[c] > 0 ? x[c] : slope * x[c];
    }
}

void KERNEL(winograd_transform)(const void *task);
void KERNEL(winograd_transform)(const void *task)
{
    const struct transform_task *t = task;
    ASSERT(!t->adjoint || t->type[0] == TYPE_F32);
    ASSERT(t->adjoint || !t->end);
    ASSERT(t->axis[0].rows <= WINOGRAD_POINTS_MAX && t->axis[1].rows <= WINOGRAD_POINTS_MAX);
#pragma omp parallel for schedule(static) num_threads(t->threads) if (t->threads > 1)
    for (int64_t n = 0; n < t->N; n++) {
        if (t->adjoint)
            memset((float *)t->image + n * t->stride[0], 0,
                   sizeof(float) * (size_t)(t->C * t->H * t->W));
        for (int64_t ty = 0; ty < t->axis[0].count; ty++)
            for (int64_t tx = 0; tx < t->axis[1].count; tx++)
                one_tile(t, n, ty, tx);
        if (t->end)
            end_image(t, n);
    }
}
