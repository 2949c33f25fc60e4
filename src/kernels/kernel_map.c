// The map engine: runs a program of pointwise instructions over an iteration space a block at a
// time, and stores or reduces what comes out. A block is at most MAP_TILE elements, so that the
// intermediates of a whole chain stay in the first-level cache and memory sees each operand once;
// each instruction is one vector loop over the block, so that choosing it costs a jump a thousand
// elements. Operands that lie in memory as the block does are used there; others (a bias, a column)
// are gathered into a buffer, and not again while the next block would gather the same. Generating
// code for each chain would save the loads and stores between instructions, which hit the first
// level and hide behind memory; it would not save a byte of traffic.
//
// A reduction adds up a block in float and blocks in double. Threads own results where there are
// enough of them; otherwise they own fixed shares of every result and the shares are added in the
// threads' order: equal thread counts give equal bits.
#include "kernels/kernel.h"

#include "base/arena.h"
#include "kernels/kernel_math.h"
#include "kernels/kernel_sums.h"

#include <math.h>
#include <omp.h>

enum { LINE = 16 }; // numbers in a line of the cache

struct scratch {
    _Alignas(64) float room[MAP_BUFFERS * (MAP_TILE + LINE)];
    const void *from[MAP_INPUTS]; // what the buffer holds a gathered block of
    int64_t rows[MAP_INPUTS];
};

// Buffers lie close, and begin in different sets of the cache.
static float *buffer(const struct map_task *t, struct scratch *s, int i)
{
    return s->room + i * (t->tile + LINE);
}

static int64_t kernel_map_least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t offset(const int64_t *stride, const int64_t *at, int rank)
{
    int64_t sum = 0;
    for (int d = 0; d < rank; d++)
        sum += stride[d] * at[d];
    return sum;
}

// Copies a block of n × dim[1] × … elements into contiguous float32; returns where it ends.
#define GATHER(name, number, widened)                                                     \
    static float *name(float *restrict to, const number *restrict x, int rank, int64_t n, \
                       const int64_t *dim, const int64_t *stride)                         \
    {                                                                                     \
        const int64_t s = stride[0];                                                      \
        if (rank > 1) {                                                                   \
            for (int64_t i = 0; i < n; i++)                                               \
                to = name(to, x + i * s, rank - 1, dim[1], dim + 1, stride + 1);          \
            return to;                                                                    \
        }                                                                                 \
        if (s == 1)                                                                       \
            for (int64_t i = 0; i < n; i++)                                               \
                to[i] = widened(x[i]);                                                    \
        else if (s == 0)                                                                  \
            for (int64_t i = 0; i < n; i++)                                               \
                to[i] = widened(*x);                                                      \
        else                                                                              \
            for (int64_t i = 0; i < n; i++)                                               \
                to[i] = widened(x[i * s]);                                                \
        return to + n;                                                                    \
    }
GATHER(gather_f32, float, )
GATHER(gather_bf16, uint16_t, of_bf16)

// The inverse.
#define SCATTER(name, number, narrowed)                                                      \
    static const float *name(const float *from, number *y, int rank, int64_t n,              \
                             const int64_t *dim, const int64_t *stride)                      \
    {                                                                                        \
        for (int64_t i = 0; i < n; i++)                                                      \
            if (rank > 1)                                                                    \
                from = name(from, y + i * stride[0], rank - 1, dim[1], dim + 1, stride + 1); \
            else                                                                             \
                y[i * stride[0]] = narrowed(*from++);                                        \
        return from;                                                                         \
    }
SCATTER(scatter_f32, float, )
SCATTER(scatter_bf16, uint16_t, bf16_of)

#define LOOP(op, expression) \
    case op: _Pragma("omp simd") for (int64_t i = 0; i < n; i++) y[i] = (expression); break;

static void kernel_map_step(const struct map_step *s, float *y, const float *x0, const float *x1,
                            const float *x2, int64_t n)
{
    const float f = s->f0, g = s->f1;
    switch (s->code) {
#define a x0[i]
#define b x1[i]
#define c x2[i]
#define POINTWISE(code, make, word, arity, numbers, format, meaning, loop, ...) \
    LOOP(PW_##code, loop)
#include "ir/ops/pointwise.def"
#undef POINTWISE
        LOOP(MAP_MUL_ADD, a * b + c)
        LOOP(MAP_MUL_SUB, a * b - c)
        LOOP(MAP_SUB_MUL, c - a * b)
        LOOP(MAP_GATE, b > 0 ? a : f * a)
#undef a
#undef b
#undef c
    }
}

// Where the block of input i is to be had as contiguous float32.
static const float *kernel_map_operand(const struct map_task *t, struct scratch *s, int i,
                                       const int64_t *at, int64_t rows)
{
    const int64_t from = offset(t->in_stride[i], at, t->rank);
    const bool half = t->in_type[i] == TYPE_BF16;
    const float *x = (const float *)t->in[i] + from;
    const uint16_t *h = (const uint16_t *)t->in[i] + from;
    float *to = buffer(t, s, i);
    const void *block = half ? (const void *)h : x;
    if (!half && t->in_dense[i])
        return x;
    if (s->from[i] == block && s->rows[i] >= rows)
        return to;
    const int rank = t->rank - t->split;
    const int64_t *dim = t->dim + t->split, *stride = t->in_stride[i] + t->split;
    if (half && t->in_dense[i])
        for (int64_t k = 0, n = rows * t->inner; k < n; k++)
            to[k] = of_bf16(h[k]);
    else if (half)
        gather_bf16(to, h, rank, rows, dim, stride);
    else
        gather_f32(to, x, rank, rows, dim, stride);
    s->from[i] = block;
    s->rows[i] = rows;
    return to;
}

// Evaluates the block that begins at index `at` into x, by buffer; returns its last values: in `out`
// if any instruction writes there.
static const float *kernel_map_evaluate(const struct map_task *t, struct scratch *s,
                                        const int64_t *at, int64_t rows, float *out,
                                        const float **x)
{
    for (int i = 0; i < t->n_in; i++) {
        x[i] = kernel_map_operand(t, s, i, at, rows);
    }
    const int64_t n = rows * t->inner;
    const float *last = x[0];
    for (const struct map_step *p = t->step; p < t->step + t->n_step; p++) {
        float *y = p->to == MAP_OUT ? out : buffer(t, s, p->to);
        kernel_map_step(p, y, x[p->a], x[p->b], x[p->c], n);
        if (p->to != MAP_OUT)
            x[p->to] = y;
        last = y;
    }
    return last;
}

// Splits a number into an index over dimensions [from, to), the last of them counted in blocks of
// t->rows if it is t->split.
static void kernel_map_unravel(const struct map_task *t, int64_t i, int from, int to, int64_t *at)
{
    for (int d = to - 1; d >= from; d--) {
        const int64_t step = d == t->split ? t->rows : 1, n = (t->dim[d] + step - 1) / step;
        at[d] = i % n * step;
        i /= n;
    }
}

static void kernel_map_forget(struct scratch *s)
{
    for (int i = 0; i < MAP_INPUTS; i++) {
        s->from[i] = NULL;
        s->rows[i] = 0;
    }
}

static void store_block(const struct map_task *t, const int64_t *at, int64_t rows, const float *y)
{
    const int64_t to = offset(t->out_stride, at, t->rank), *dim = t->dim + t->split,
                  *stride = t->out_stride + t->split;
    const int rank = t->rank - t->split;
    uint16_t *half = (uint16_t *)t->out + to;
    if (t->out_type == TYPE_F32)
        scatter_f32(y, (float *)t->out + to, rank, rows, dim, stride);
    else if (!t->out_dense)
        scatter_bf16(y, half, rank, rows, dim, stride);
    else
        for (int64_t i = 0, n = rows * t->inner; i < n; i++)
            half[i] = bf16_of(y[i]);
}

static void store_blocks(const struct map_task *t, int64_t from, int64_t to)
{
    struct scratch s;
    kernel_map_forget(&s);
    for (int64_t b = from; b < to; b++) {
        int64_t at[MAP_RANK] = {0};
        kernel_map_unravel(t, b, 0, t->split + 1, at);
        const int64_t rows = kernel_map_least(t->rows, t->dim[t->split] - at[t->split]);
        const float *x[MAP_BUFFERS];
        if (t->out_dense && t->out_type == TYPE_F32)
            kernel_map_evaluate(t, &s, at, rows,
                                (float *)t->out + offset(t->out_stride, at, t->rank), x);
        else
            store_block(t, at, rows,
                        kernel_map_evaluate(t, &s, at, rows, buffer(t, &s, MAP_BUFFERS - 1), x));
    }
}

// A thread's share of n things: [n·i/of, n·(i+1)/of).
#define SHARE(n)                                        \
    (n) * omp_get_thread_num() / omp_get_num_threads(), \
        (n) * (omp_get_thread_num() + 1) / omp_get_num_threads()

void KERNEL(map_store)(const void *task);
void KERNEL(map_store)(const void *task)
{
    const struct map_task *t = task;
    ASSERT(t->reduce == MAP_STORE && t->n_in <= MAP_INPUTS && t->n_step <= MAP_LENGTH);
    ASSERT(t->threads > 0 && t->rank > 0 && t->rank <= MAP_RANK && t->split < t->rank);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    store_blocks(t, SHARE(t->blocks));
}

// --- reductions ----------------------------------------------------------------------------------

static void kernel_map_start(const struct map_task *t, double *sum)
{
    for (int64_t i = 0; i < t->state; i++)
        sum[i] = t->reduce == MAP_MAX ? -INFINITY : 0;
}

// Where unit u begins: its kept index and its piece of the last dimension.
static void unit_at(const struct map_task *t, int64_t u, int64_t *at)
{
    kernel_map_unravel(t, u / t->chunks, 0, t->kept, at);
    at[t->rank - 1] = u % t->chunks * t->width;
}

static void gate_block(const struct map_task *t, const int64_t *at, int64_t n, int64_t width,
                       double *sum)
{
    const struct map_gate *g = &t->gate;
    const int in[] = {g->dy, g->x, g->mean, g->scale, g->shift};
    const float *x[LENGTH(in)];
    for (size_t i = 0; i < LENGTH(in); i++)
        x[i] = (const float *)t->in[in[i]] + offset(t->in_stride[in[i]], at, t->rank);
    const struct gate_columns c = {x[0], x[1], x[2], x[3], x[4], g->slope};
    double *const by = sum + t->width;
    gate_sums(g->transposed ? by : sum, g->transposed ? sum : by, &c, n, width);
}

// Reduces blocks [from, to) of a unit into sum: (results, width).
static void reduce_unit(const struct map_task *t, struct scratch *s, int64_t u, int64_t from,
                        int64_t to, double *sum)
{
    int64_t at[MAP_RANK] = {0};
    unit_at(t, u, at);
    const bool columns = t->split == t->rank - 1; // a block is a piece of one row
    const int64_t width = kernel_map_least(t->width, t->dim[t->rank - 1] - at[t->rank - 1]);
    for (int64_t b = from; b < to; b++) {
        kernel_map_unravel(t, b, t->kept, columns ? t->rank - 1 : t->split + 1, at);
        const int64_t rows = columns ? width
                                     : kernel_map_least(t->rows, t->dim[t->split] - at[t->split]);
        const float *x[MAP_BUFFERS];
        const int64_t n = rows * t->inner;
        if (t->gated) {
            gate_block(t, at, n, width, sum);
            continue;
        }
        kernel_map_evaluate(t, s, at, rows, NULL, x);
        if (t->reduce == MAP_SUM_VAR && width == 1)
            moments_of_run(sum, t->width, x[t->result[0]], n);
        else if (t->reduce == MAP_SUM_VAR)
            moments_of_columns(sum, t->width, x[t->result[0]], n, width);
        else
            for (int k = 0; k < t->n_result; k++)
                reduce_block(t->reduce, sum + k * t->width, x[t->result[k]], n, width);
    }
}

static void finish_unit(const struct map_task *t, int64_t u, const double *sum)
{
    const double n_first = t->reduce == MAP_SUM_VAR ? sum[2 * t->width] : 1;
    int64_t at[MAP_RANK] = {0};
    unit_at(t, u, at);
    float *out = (float *)t->out + offset(t->out_stride, at, t->rank);
    const int64_t n = kernel_map_least(t->width, t->dim[t->rank - 1] - at[t->rank - 1]);
    for (int k = 0; k < t->n_result; k++, out += t->next_result, sum += t->width)
        for (int64_t i = 0; i < n; i++)
            out[i * t->out_stride[t->rank - 1]] = (float)(k ? sum[i] : n_first * sum[i]);
}

// Units to a thread.
static void reduce_units(const struct map_task *t, int64_t from, int64_t to)
{
    struct scratch s;
    double sum[MAP_RESULTS * MAP_TILE + 1];
    kernel_map_forget(&s);
    for (int64_t u = from; u < to; u++) {
        kernel_map_start(t, sum);
        reduce_unit(t, &s, u, 0, t->blocks, sum);
        finish_unit(t, u, sum);
    }
}

// Results that take less than half a block each: many of them from one block.
static void reduce_rows(const struct map_task *t, int64_t from, int64_t to)
{
    struct scratch s;
    kernel_map_forget(&s);
    for (int64_t b = from; b < to; b++) {
        int64_t at[MAP_RANK] = {0};
        kernel_map_unravel(t, b, 0, t->split + 1, at);
        const int64_t rows = kernel_map_least(t->rows, t->dim[t->split] - at[t->split]),
                      n = t->inner;
        const float *x[MAP_BUFFERS];
        float *out = (float *)t->out + offset(t->out_stride, at, t->rank);
        kernel_map_evaluate(t, &s, at, rows, NULL, x);
        for (int k = 0; k < t->n_result; k++, out += t->next_result)
            for (int64_t r = 0; r < rows; r++)
                out[r * t->out_stride[t->split]] = reduce_run(t->reduce, k, x[t->result[k]] + r * n,
                                                              n);
    }
}

// A fixed share of every unit to each thread.
static void reduce_share(const struct map_task *t, int64_t from, int64_t to)
{
    struct scratch s;
    const int64_t each = t->state;
    double *partial = t->partial + omp_get_thread_num() * t->units * each;
    kernel_map_forget(&s);
    for (int64_t u = 0; u < t->units; u++) {
        kernel_map_start(t, partial + u * each);
        reduce_unit(t, &s, u, from, to, partial + u * each);
    }
}

static void join_states(const struct map_task *t, double *a, double *b)
{
    const struct moments m = moments_in(a, t->width), more = moments_in(b, t->width);
    if (t->reduce == MAP_SUM_VAR) {
        for (int64_t i = 0; i<t->width && * more.n> 0; i++)
            join_moments(*m.n, *more.n, m.mean + i, m.square + i, more.mean[i], more.square[i]);
        *m.n += *more.n;
        return;
    }
    for (int64_t i = 0; i < t->state; i++)
        a[i] = t->reduce == MAP_SUM ? a[i] + b[i] : fmax(a[i], b[i]);
}

static void join_shares(const struct map_task *t, int threads)
{
    for (int64_t u = 0; u < t->units; u++) {
        double *const first = t->partial + u * t->state;
        for (int k = 1; k < threads; k++)
            join_states(t, first, first + k * t->units * t->state);
        finish_unit(t, u, first);
    }
}

void KERNEL(map_reduce)(const void *task);
void KERNEL(map_reduce)(const void *task)
{
    const struct map_task *t = task;
    ASSERT(t->reduce != MAP_STORE && t->out_type == TYPE_F32 && t->kept < t->rank);
    ASSERT(t->n_result > 0 && t->n_result <= MAP_RESULTS && t->next_result > 0);
    ASSERT(!t->shared || t->partial);
    int threads = 1;
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        if (t->by_row)
            reduce_rows(t, SHARE(t->blocks));
        else if (t->shared)
            reduce_share(t, SHARE(t->blocks));
        else
            reduce_units(t, SHARE(t->units));
#pragma omp master
        threads = omp_get_num_threads();
    }
    if (t->shared)
        join_shares(t, threads);
}
