// Convolutions between a wide image and one of few channels, where every pixel of the wide one
// meets every tap: the few channels times the taps are a side of a matrix product that fills
// vectors (48 for colours and a kernel of 4). The result's product is made of one row of the wide
// image at a time, into memory that stays in the first cache, and the pieces of it that meet in a
// pixel are added there. The weights' gradient is a product with rows of the few that have their
// borders of zeros, so that a tap is an offset. Sums along channels, as in kernel_few.c, would take
// as many products and then an addition across each vector, which doubles them where taps are few;
// a plain matrix product with its col2im would write and read 48 planes of memory.
#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"

#include <omp.h>
#include <string.h>

enum { AHEAD = 16 };
#if defined __AVX512F__
enum { PIXELS = 8, STRIP = 3, SUMS = 6, DEEP = 4 };
#else
enum { PIXELS = 4, STRIP = 3, SUMS = 3, DEEP = 4 };
#endif

// Whether a row of the few is so many floats beside each other.
static bool few_dense(const struct few_task *t)
{
    return t->few_stride[3] == t->F && (t->F == 1 || t->few_stride[1] == 1);
}

static void fetch_ahead(const float *x, int64_t part, int64_t parts, int64_t floats)
{
    for (int64_t i = floats * part / parts; i < floats * (part + 1) / parts; i += 16)
        __builtin_prefetch(x + i);
}

// --- the result ----------------------------------------------------------------------------------

// Sizes in floats. A result's row is made of `places`, `advance` apart, each the sum of so many
// pieces of every row of the wide image that it meets.
struct sizes {
    int64_t advance, pieces, places, piece, width;
};

static struct sizes sizes_of(const struct few_task *t)
{
    const int64_t advance = t->step[1] * t->F, pieces = t->pieces[1];
    return (struct sizes){advance, pieces, t->size[1] + pieces - 1, pieces * advance, t->width};
}

// (C, width): of tap (i, j) the few are at i·piece + j·F; zeros elsewhere.
static void pack_taps(const struct few_task *t, struct sizes z)
{
    const int64_t taps = t->kernel[0] * t->kernel[1];
    memset(t->packed, 0, sizeof *t->packed * (size_t)(t->C * z.width));
    for (int64_t f = 0; f < t->F; f++)
        for (int64_t c = 0; c < t->C; c++)
            for (int64_t tap = 0; tap < taps; tap++)
                t->packed[c * z.width + tap / t->kernel[1] * z.piece + tap % t->kernel[1] * t->F +
                          f] = *few_weight(t, f, c, t->flipped ? taps - 1 - tap : tap);
}

typedef int32_t signs __attribute__((vector_size(LANES * sizeof(int32_t))));

INLINE lanes leaky(lanes v, float slope)
{
    const signs above = (signs)(v > 0), below = (signs)(v * slope) & ~above;
    return (lanes)(((signs)v & above) | below);
}

// r[m] = bias + Σ_i,c x[i][m·pixel + c]·w[i·depth + c] for i < n, c < depth; of PIXELS pixels,
// `vectors` wide. The rows of r are `place` apart, those of w `width`; the bias may be NULL. What is
// less than zero is multiplied by the slope.
struct kernel_taps_block {
    float *r;
    const float *const *x, *w, *bias;
    int64_t place, pixel, width, n, depth;
    float slope;
};

INLINE void multiply_block(const struct kernel_taps_block *b, const int vectors)
{
    lanes sum[PIXELS][STRIP];
    EACH(m, PIXELS)
        EACH(q, vectors)
            sum[m][q] = b->bias ? *(const lanes *)(b->bias + q * LANES) : (lanes){0};
    const float *w = b->w;
    for (int64_t i = 0; i < b->n; i++) {
        const float *x = b->x[i];
        for (int64_t c = 0; c < b->depth; c++, w += b->width) {
            lanes right[STRIP];
            EACH(q, vectors)
                right[q] = *(const lanes *)(w + q * LANES);
            EACH(m, PIXELS) {
                const lanes left = (lanes){0} + x[m * b->pixel + c];
                EACH(q, vectors)
                    sum[m][q] += left * right[q];
            }
        }
    }
    EACH(m, PIXELS)
        EACH(q, vectors)
            *(lanes *)(b->r + m * b->place + q * LANES) = leaky(sum[m][q], b->slope);
}

// All vectors of a row of r, in strips as equal as can be.
static void multiply_strips(struct kernel_taps_block b)
{
    const int64_t vectors = b.width / LANES, strips = (vectors + STRIP - 1) / STRIP;
    float *const r = b.r;
    const float *const w = b.w, *const bias = b.bias;
    for (int64_t s = 0; s < strips; s++) {
        const int64_t from = vectors * s / strips;
        b.r = r + from * LANES;
        b.w = w + from * LANES;
        b.bias = bias ? bias + from * LANES : NULL;
        switch (vectors * (s + 1) / strips - from) {
        case 1: multiply_block(&b, 1); break;
        case 2: multiply_block(&b, 2); break;
        default: multiply_block(&b, 3);
        }
    }
}

// A row of the wide image; the last block begins where it still fits.
static void multiply_row(const struct few_task *t, float *r, const float *x)
{
    const int64_t pixel = t->wide_stride[3], last = t->size[1] - PIXELS;
    for (int64_t block = 0; block < t->size[1]; block += PIXELS) {
        const int64_t m = block < last ? block : last;
        const float *const from = x + m * pixel;
        fetch_ahead(from + AHEAD * pixel, 0, 1, PIXELS * pixel);
        multiply_strips((struct kernel_taps_block){.r = r + m * t->width,
                                                   .x = &from,
                                                   .w = t->packed,
                                                   .place = t->width,
                                                   .pixel = pixel,
                                                   .width = t->width,
                                                   .n = 1,
                                                   .depth = t->C,
                                                   .slope = 1});
    }
}

// to[p·advance] = Σ_i from[i][p·width]    a vector, whose end the next one covers
INLINE void add_vectors(float *to, int64_t advance, const float *const *from, int64_t width,
                        int64_t places, const int n)
{
    for (int64_t p = 0; p < places; p++) {
        lanes sum = *(const lanes *)(from[0] + p * width);
        EACH(i, n - 1)
            sum += *(const lanes *)(from[i + 1] + p * width);
        *(lanes *)(to + p * advance) = sum;
    }
}

static void add_pieces(float *to, struct sizes z, const float *const *from, int n)
{
    switch (n) {
    case 1: add_vectors(to, z.advance, from, z.width, z.places, 1); break;
    case 2: add_vectors(to, z.advance, from, z.width, z.places, 2); break;
    case 3: add_vectors(to, z.advance, from, z.width, z.places, 3); break;
    case 4: add_vectors(to, z.advance, from, z.width, z.places, 4); break;
    case 9: add_vectors(to, z.advance, from, z.width, z.places, 9); break;
    default:
        for (int64_t p = 0; p < z.places; p++) {
            lanes sum = {0};
            for (int i = 0; i < n; i++)
                sum += *(const lanes *)(from[i] + p * z.width);
            *(lanes *)(to + p * z.advance) = sum;
        }
    }
}

// What a thread has: products of the rows that a result's row meets, and that row.
struct kernel_taps_bench {
    struct sizes sizes;
    int64_t rows, row; // so many, of so many floats, zeros at both ends
    float *products, *line;
};

// Row y, of the rows [from, to) of the wide image.
static void kernel_taps_sum_row(const struct few_task *t, const struct kernel_taps_bench *b,
                                int64_t n, int64_t y, int64_t from, int64_t to)
{
    const struct sizes z = b->sizes;
    const float *part[TAPS_MOST * TAPS_MOST];
    float *const line = b->line + (t->pad[1] < 0 ? -t->pad[1] * t->F : 0);
    for (int64_t at = (z.advance - 1) / LANES * LANES; at >= 0 && to > from; at -= LANES) {
        int parts = 0;
        for (int64_t row = from; row < to; row++)
            for (int64_t k = 0; k < z.pieces; k++)
                part[parts++] = b->products + row % b->rows * b->row +
                                (z.pieces - 1 - k) * z.width +
                                (y + t->pad[0] - row * t->step[0]) * z.piece + k * z.advance + at;
        add_pieces(line + at, z, part, parts);
    }
    const int64_t met = to > from ? z.places * z.advance : 0, whole = t->few_size[1] * t->F,
                  rest = whole + t->pad[1] * t->F - met;
    memset(line + met, 0, sizeof *line * (size_t)(rest > LANES ? rest : LANES));
    float *const few = t->few + n * t->few_stride[0] + y * t->few_stride[2];
    const float *const first = line + t->pad[1] * t->F;
    if (few_dense(t))
        memcpy(few, first, sizeof *few * (size_t)whole);
    else
        for (int64_t i = 0; i < whole; i++)
            few[i / t->F * t->few_stride[3] + i % t->F * t->few_stride[1]] = first[i];
}

static struct kernel_taps_bench bench_of(const struct few_task *t, int thread)
{
    struct kernel_taps_bench b = {.sizes = sizes_of(t)};
    b.rows = t->pieces[0];
    b.row = (t->size[1] + 2 * (b.sizes.pieces - 1)) * b.sizes.width;
    b.products = t->own + thread * t->own_each;
    b.line = b.products + b.rows * b.row + LANES;
    memset(b.products, 0, sizeof *b.products * (size_t)t->own_each);
    return b;
}

// Rows [from, to) of the results of all samples.
static void sum_rows(const struct few_task *t, const struct kernel_taps_bench *b, int64_t from,
                     int64_t to)
{
    int64_t made = 0;
    for (int64_t i = from; i < to; i++) {
        const int64_t n = i / t->few_size[0], y = i % t->few_size[0], bottom = y + t->pad[0],
                      top = bottom - t->kernel[0] + 1, last = bottom < 0 ? -1 : bottom / t->step[0],
                      first = top < 0 ? 0 : (top + t->step[0] - 1) / t->step[0],
                      end = last < t->size[0] ? last + 1 : t->size[0];
        if (i == from || y == 0 || made < first)
            made = first;
        for (; made < end; made++)
            multiply_row(
                t, b->products + made % b->rows * b->row + (b->sizes.pieces - 1) * b->sizes.width,
                t->wide + n * t->wide_stride[0] + made * t->wide_stride[2]);
        kernel_taps_sum_row(t, b, n, y, first, end);
    }
}

void KERNEL(taps_result)(const void *task);
void KERNEL(taps_result)(const void *task)
{
    const struct few_task *t = task;
    ASSERT(t->F <= FEW_MOST && t->kernel[0] <= TAPS_MOST && t->kernel[1] <= TAPS_MOST);
    ASSERT(t->own && t->own_each > 0);
    const int64_t rows = t->N * t->few_size[0];
    pack_taps(t, sizes_of(t));
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        const struct kernel_taps_bench b = bench_of(t, thread);
        sum_rows(t, &b, rows * thread / threads, rows * (thread + 1) / threads);
    }
}

// --- rows of the few, with borders ---------------------------------------------------------------

// What meets a row of the wide image: `line` floats of each of the rows of the few, with zeros.
struct border {
    int64_t line, advance;
    float *lines; // row y of the few is number (y + pad) % kernel
};

static struct border border_of(const struct few_task *t, float *lines)
{
    return (struct border){.line = ((t->size[1] - 1) * t->step[1] + t->kernel[1]) * t->F,
                           .advance = t->step[1] * t->F,
                           .lines = lines};
}

// Line `at` from row at − pad of sample n.
static void fetch_line(const struct few_task *t, const struct border *b, int64_t n, int64_t at)
{
    float *const line = b->lines + at % t->kernel[0] * b->line;
    const int64_t y = at - t->pad[0], skip = t->pad[1] < 0 ? -t->pad[1] : 0,
                  room = b->line / t->F - t->pad[1],
                  end = room < t->few_size[1] ? room : t->few_size[1];
    memset(line, 0, sizeof *line * (size_t)b->line);
    if (y < 0 || y >= t->few_size[0])
        return;
    const float *few = t->few + n * t->few_stride[0] + y * t->few_stride[2];
    if (few_dense(t) && end > skip)
        memcpy(line + (skip + t->pad[1]) * t->F, few + skip * t->F,
               sizeof *line * (size_t)((end - skip) * t->F));
    for (int64_t x = skip; x < end && !few_dense(t); x++)
        for (int64_t f = 0; f < t->F; f++)
            line[(x + t->pad[1]) * t->F + f] = few[x * t->few_stride[3] + f * t->few_stride[1]];
}

// What meets row i % size[0] of sample i / size[0]; `fetched` says what is there of the row before.
static void fetch_lines(const struct few_task *t, const struct border *b, int64_t i,
                        int64_t *fetched)
{
    const int64_t n = i / t->size[0], first = i % t->size[0] * t->step[0];
    if (first == 0 || *fetched < first)
        *fetched = first;
    for (; *fetched < first + t->kernel[0]; ++*fetched)
        fetch_line(t, b, n, *fetched);
}

// Where tap row i of row `row` begins.
static const float *kernel_taps_line_of(const struct few_task *t, const struct border *b,
                                        int64_t row, int64_t i)
{
    return b->lines + (row * t->step[0] + i) % t->kernel[0] * b->line;
}

// --- the wide image ------------------------------------------------------------------------------

// (kh·kw, F, C)
static void pack_channels(const struct few_task *t)
{
    const int64_t taps = t->kernel[0] * t->kernel[1];
    for (int64_t tap = 0; tap < taps; tap++)
        for (int64_t f = 0; f < t->F; f++)
            for (int64_t c = 0; c < t->C; c++)
                t->packed[(tap * t->F + f) * t->C + c] = *few_weight(
                    t, f, c, t->flipped ? taps - 1 - tap : tap);
}

static void kernel_taps_make_row(const struct few_task *t, const struct border *b, float *wide,
                                 int64_t row)
{
    const int64_t last = t->size[1] - PIXELS, pixel = t->wide_stride[3];
    for (int64_t block = 0; block < t->size[1]; block += PIXELS) {
        const int64_t m = block < last ? block : last;
        const float *few[TAPS_MOST];
        for (int64_t i = 0; i < t->kernel[0]; i++)
            few[i] = kernel_taps_line_of(t, b, row, i) + m * b->advance;
        multiply_strips((struct kernel_taps_block){.r = wide + m * pixel,
                                                   .x = few,
                                                   .w = t->packed,
                                                   .place = pixel,
                                                   .pixel = b->advance,
                                                   .width = t->C,
                                                   .n = t->kernel[0],
                                                   .depth = t->kernel[1] * t->F,
                                                   .bias = t->bias,
                                                   .slope = t->slope});
    }
}

void KERNEL(taps_wide)(const void *task);
void KERNEL(taps_wide)(const void *task)
{
    const struct few_task *t = task;
    ASSERT(t->made && t->F <= FEW_MOST && t->size[1] >= TAPS_PIXELS);
    const int64_t rows = t->N * t->size[0];
    pack_channels(t);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int thread = omp_get_thread_num(), team = omp_get_num_threads();
        const struct border b = border_of(t, t->own + thread * t->own_each);
        int64_t fetched = 0;
        for (int64_t i = rows * thread / team; i < rows * (thread + 1) / team; i++) {
            fetch_lines(t, &b, i, &fetched);
            kernel_taps_make_row(t, &b,
                                 t->made + i / t->size[0] * t->wide_stride[0] +
                                     i % t->size[0] * t->wide_stride[2],
                                 i % t->size[0]);
        }
    }
}

// --- the gradient of the weights -----------------------------------------------------------------

// g[r][c] += Σ_m few[r][m·advance]·wide[m][c]    for `vectors` vectors of channels
INLINE void add_block(float *g, int64_t C, const float *const *few, int64_t advance,
                      const float *wide, int64_t pixel, int64_t pixels, const int rows,
                      const int vectors)
{
    lanes sum[SUMS][DEEP];
    EACH(r, rows)
        EACH(q, vectors)
            sum[r][q] = *(const lanes *)(g + r * C + q * LANES);
    for (int64_t m = 0; m < pixels; m++) {
        lanes left[SUMS];
        EACH(r, rows)
            left[r] = (lanes){0} + few[r][m * advance];
        EACH(q, vectors) {
            const lanes right = *(const lanes *)(wide + m * pixel + q * LANES);
            EACH(r, rows)
                sum[r][q] += left[r] * right;
        }
    }
    EACH(r, rows)
        EACH(q, vectors)
            *(lanes *)(g + r * C + q * LANES) = sum[r][q];
}

#define ADD(vectors)                                          \
    for (; c + (vectors)*LANES <= t->C; c += (vectors)*LANES) \
    add_block(g + c, t->C, few, advance, wide + c, t->wide_stride[3], t->size[1], rows, vectors)

INLINE void add_channels(const struct few_task *t, float *g, const float *const *few,
                         int64_t advance, const float *wide, const int rows)
{
    int64_t c = 0;
    ADD(4);
    ADD(2);
    ADD(1);
}

// All taps of row `row` of the wide image, in blocks as equal as can be.
static void add_taps(const struct few_task *t, const struct border *b, float *g, const float *wide,
                     int64_t row)
{
    const int64_t each = t->kernel[1] * t->F, all = t->kernel[0] * each,
                  blocks = (all + SUMS - 1) / SUMS, floats = t->size[1] * t->wide_stride[3];
    for (int64_t i = 0; i < blocks; i++) {
        const int64_t from = all * i / blocks, n = all * (i + 1) / blocks - from;
        const float *few[SUMS];
        fetch_ahead(wide + floats, i, blocks, floats);
        for (int64_t r = 0; r < n; r++)
            few[r] = kernel_taps_line_of(t, b, row, (from + r) / each) + (from + r) % each;
        float *const to = g + from * t->C;
        switch (n) {
        case 1: add_channels(t, to, few, b->advance, wide, 1); break;
        case 2: add_channels(t, to, few, b->advance, wide, 2); break;
        case 3: add_channels(t, to, few, b->advance, wide, 3); break;
#if defined __AVX512F__
        case 4: add_channels(t, to, few, b->advance, wide, 4); break;
        case 5: add_channels(t, to, few, b->advance, wide, 5); break;
        case 6: add_channels(t, to, few, b->advance, wide, 6); break;
#endif
        }
    }
}

// weight ← Σ over threads, in their order
static void sum_threads(const struct few_task *t, int threads)
{
    const int64_t taps = t->kernel[0] * t->kernel[1];
    for (int64_t f = 0; f < t->F; f++)
        for (int64_t c = 0; c < t->C; c++)
            for (int64_t tap = 0; tap < taps; tap++) {
                const float *from = t->own + (tap * t->F + f) * t->C + c;
                float sum = from[0];
                for (int k = 1; k < threads; k++)
                    sum += from[k * t->own_each];
                *few_weight(t, f, c, t->flipped ? taps - 1 - tap : tap) = sum;
            }
}

void KERNEL(taps_weight_grad)(const void *task);
void KERNEL(taps_weight_grad)(const void *task)
{
    const struct few_task *t = task;
    ASSERT(t->F <= FEW_MOST && t->own_each >= t->kernel[0] * t->kernel[1] * t->F * t->C);
    const int64_t rows = t->N * t->size[0], all = t->kernel[0] * t->kernel[1] * t->F * t->C;
    int threads = 1;
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int thread = omp_get_thread_num(), team = omp_get_num_threads();
        float *const g = t->own + thread * t->own_each;
        const struct border b = border_of(t, g + all);
        int64_t fetched = 0;
        memset(g, 0, sizeof *g * (size_t)all);
        for (int64_t i = rows * thread / team; i < rows * (thread + 1) / team; i++) {
            fetch_lines(t, &b, i, &fetched);
            add_taps(t, &b, g,
                     t->wide + i / t->size[0] * t->wide_stride[0] +
                         i % t->size[0] * t->wide_stride[2],
                     i % t->size[0]);
        }
#pragma omp master
        threads = team;
    }
    sum_threads(t, threads);
}
