// Convolutions by minimal filtering, blocked: tiles are evaluated, multiplied and interpolated in
// blocks that stay in cache, so that planes are never a tensor. pass/minimal_filter.c has the
// algebra.
//
// A result (filter_result): all tiles of some images are evaluated, by all threads. Then each
// thread takes a block of the result's channels: it evaluates the weights that lead there, and goes
// through the tiles, some at a time, with products for each point and the adjoint map of what comes
// out. Weights' gradient (filter_weights): both images are evaluated, and each thread takes a block
// of the weights.
//
// Channels go in runs of RUN. Behind each other they are, with s² phases and G runs: run 0 of
// phase 0, run 0 of phase 1, … run 1 of phase 0; so a block of some runs has all their phases, and
// nobody else writes those pixels.
#include "prim/kernel.h"
#include "prim/kernel_lanes.h"
#include "prim/kernel_product.h"

#include "graph/toom.h"

#include <omp.h>
#include <string.h>

enum { RUN = FILTER_RUN, TAPS = 25, AHEAD = 6 * RUN };

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

typedef float run __attribute__((vector_size(RUN * sizeof(float)), aligned(4), may_alias));

// A tile of one phase, and a run of channels: its first pixel, which may lie outside, the way to
// the next ones, and which of them lie inside.
struct spot {
    float *image;
    int64_t down, across;
    int from[2], to[2];
    int64_t next; // how far the next tile is
    int seen[2];  // so many of the first were written by the tiles before
};

// to[u][v] = Σ_i,j m[u][i]·m[v][j]·pixel[i][j], `plane` numbers apart
INLINE void evaluate_n(const struct tile_task *t, struct spot s, float *to, int64_t plane,
                       const int n)
{
    run tile[TOOM_MOST], half[TOOM_MOST * TOOM_MOST];
    const int q = t->rows;
    for (int j = 0; j < n; j++) {
        const bool inside = j >= s.from[1] && j < s.to[1];
        const float *const column = s.image + j * s.across;
        EACH(i, n)
            tile[i] = inside && i >= s.from[0] && i < s.to[0] ? *(const run *)(column + i * s.down)
                                                              : (run){0};
        if (s.next)
            EACH(i, n)
                __builtin_prefetch(column + s.next + i * s.down);
        const float *m = t->m;
        for (int u = 0; u < q; u++, m += n) {
            run sum = m[0] * tile[0];
            EACH(i, n - 1)
                sum += m[i + 1] * tile[i + 1];
            half[u * n + j] = sum;
        }
    }
    for (int u = 0; u < q; u++) {
        EACH(j, n)
            tile[j] = half[u * n + j];
        const float *m = t->m;
        for (int v = 0; v < q; v++, m += n, to += plane) {
            run sum = m[0] * tile[0];
            EACH(j, n - 1)
                sum += m[j + 1] * tile[j + 1];
            __builtin_prefetch(to + AHEAD, 1);
            *(run *)to = sum;
        }
    }
}

static void evaluate(const struct tile_task *t, struct spot s, float *to, int64_t plane)
{
    switch (t->columns) {
    case 1: evaluate_n(t, s, to, plane, 1); break;
    case 2: evaluate_n(t, s, to, plane, 2); break;
    case 3: evaluate_n(t, s, to, plane, 3); break;
    case 4: evaluate_n(t, s, to, plane, 4); break;
    case 5: evaluate_n(t, s, to, plane, 5); break;
    case 6: evaluate_n(t, s, to, plane, 6); break;
    case 7: evaluate_n(t, s, to, plane, 7); break;
    case 8: evaluate_n(t, s, to, plane, 8); break;
    }
}

// pixel[i][j] (+)= Σ_u,v m[u][i]·m[v][j]·from[u][v]
INLINE void interpolate_q(const struct tile_task *t, struct spot s, const float *from,
                          int64_t plane, const int q)
{
    run in[TOOM_MOST], half[TOOM_MOST * TOOM_MOST];
    const int n = t->columns;
    for (int i = s.from[0]; i < s.to[0]; i++)
        for (int j = s.from[1]; j < s.to[1]; j++)
            __builtin_prefetch(s.image + s.next + i * s.down + j * s.across, 1);
    for (int u = 0; u < q; u++) {
        EACH(v, q)
            in[v] = *(const run *)(from + (u * q + v) * plane);
        const float *m = t->turned;
        for (int j = 0; j < n; j++, m += q) {
            run sum = m[0] * in[0];
            EACH(v, q - 1)
                sum += m[v + 1] * in[v + 1];
            half[j * q + u] = sum;
        }
    }
    for (int j = s.from[1]; j < s.to[1]; j++) {
        EACH(u, q)
            in[u] = half[j * q + u];
        for (int i = s.from[0]; i < s.to[0]; i++) {
            const float *m = t->turned + i * q;
            run *const p = (run *)(s.image + i * s.down + j * s.across);
            run sum = m[0] * in[0];
            EACH(u, q - 1)
                sum += m[u + 1] * in[u + 1];
            if (i < s.seen[0] || j < s.seen[1])
                sum += *p;
            *p = sum;
        }
    }
}

static void interpolate(const struct tile_task *t, struct spot s, const float *from, int64_t plane)
{
    switch (t->rows) {
    case 2: interpolate_q(t, s, from, plane, 2); break;
    case 3: interpolate_q(t, s, from, plane, 3); break;
    case 4: interpolate_q(t, s, from, plane, 4); break;
    case 5: interpolate_q(t, s, from, plane, 5); break;
    case 6: interpolate_q(t, s, from, plane, 6); break;
    case 7: interpolate_q(t, s, from, plane, 7); break;
    case 8: interpolate_q(t, s, from, plane, 8); break;
    }
}

// --- tiles of images -----------------------------------------------------------------------------

INLINE int64_t tiles_of(const struct tile_task *t) { return t->count[0] * t->count[1]; }
INLINE int64_t phases_of(const struct tile_task *t) { return t->phases * t->phases; }
INLINE int64_t runs_of(const struct tile_task *t) { return t->C / RUN * phases_of(t); }

// Pixels at + i·step, i < n, that lie in [0, size).
INLINE void clip(struct spot *s, int axis, int64_t at, int64_t step, int n, int64_t size)
{
    int from = 0, to = n;
    while (from < n && at + from * step < 0)
        from++;
    while (to > from && at + (to - 1) * step >= size)
        to--;
    s->from[axis] = from;
    s->to[axis] = to;
}

// Where run `r` of tile `tile` of image n lies.
INLINE struct spot spot_of(const struct tile_task *t, int64_t n, int64_t tile, int64_t r)
{
    const int64_t phase = r % phases_of(t), channel = r / phases_of(t) * RUN;
    const int64_t ty = tile / t->count[1], tx = tile % t->count[1];
    const int64_t y = t->n * t->step * ty + phase / t->phases - t->pad[0],
                  x = t->n * t->step * tx + phase % t->phases - t->pad[1];
    const int both = t->columns - (int)t->n;
    struct spot s = {(float *)t->image + n * t->stride[0] + channel + y * t->stride[2] +
                         x * t->stride[3],
                     t->step * t->stride[2], t->step * t->stride[3],
                     .next = t->n * t->step * t->stride[3], .seen = {ty ? both : 0, tx ? both : 0}};
    clip(&s, 0, y, t->step, t->columns, t->H);
    clip(&s, 1, x, t->step, t->columns, t->W);
    return s;
}

// Rows of tiles, `row` numbers each.
static void evaluate_rows(const struct tile_task *t, int64_t first, int64_t at, float *to,
                          int64_t plane, int64_t row)
{
    const int64_t tiles = tiles_of(t), n = first + at / tiles;
    for (int64_t r = 0; r < runs_of(t); r++)
        evaluate(t, spot_of(t, n, at % tiles, r), to + at * row + r * RUN, plane);
}

// Panels of `rows` tiles.
static void evaluate_panels(const struct tile_task *t, int64_t first, int64_t at, float *to,
                            int64_t plane, int64_t rows)
{
    const int64_t tiles = tiles_of(t), n = first + at / tiles;
    for (int64_t r = 0; r < runs_of(t); r++) {
        const int64_t column = r * RUN;
        evaluate(t, spot_of(t, n, at % tiles, r),
                 to + column / PANEL * rows * PANEL + at * PANEL + column % PANEL, plane);
    }
}

// --- weights -------------------------------------------------------------------------------------

// A square is turned in steps: of two rows that are s apart, each takes its half of what lies s off
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
static void turn_square(const float *from, int64_t row, float *to, int64_t to_row)
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
static void turn(const float *from, int64_t row, int64_t columns, float *to)
{
    int64_t j = 0;
    for (; j + RUN <= columns; j += RUN)
        turn_square(from + j, row, to + j * RUN, RUN);
    for (; j < columns; j++)
        for (int64_t i = 0; i < RUN; i++)
            to[j * RUN + i] = from[i * row + j];
}

// to[i][j] = from[j][i] for i < RUN, j < columns
static void turn_back(const float *from, int64_t columns, float *to)
{
    int64_t j = 0;
    for (; j + RUN <= columns; j += RUN)
        turn_square(from + j * RUN, RUN, to + j, columns);
    for (; j < columns; j++)
        for (int64_t i = 0; i < RUN; i++)
            to[i * columns + j] = from[j * RUN + i];
}

// A phase of weights that lie as an image of runs.
INLINE struct spot phase_of(const struct filter_task *t, float *taps, int64_t phase)
{
    const struct tile_task *w = &t->weight;
    const int64_t a = phase / w->phases, b = phase % w->phases;
    struct spot s = {taps + a * w->stride[2] + b * w->stride[3], w->step * w->stride[2],
                     w->step * w->stride[3]};
    clip(&s, 0, a, w->step, w->columns, w->H);
    clip(&s, 1, b, w->step, w->columns, w->W);
    return s;
}

// The weights between filter k and channel c, as an image of one run.
INLINE float *weights_at(const struct filter_task *t, int64_t k, int64_t c)
{
    return t->weights + (k * t->fine.C + c) * t->taps;
}

// Columns are filters from `column`; rows are channels and phases, `deep` of them from `row`.
static void weights_to_coarse(const struct filter_task *t, int64_t column, int64_t row, float *to)
{
    float taps[PANEL / RUN][RUN * TAPS * RUN];
    const int64_t C = t->fine.C, ph = phases_of(&t->fine), step = t->taps * RUN;
    for (int64_t k = 0; k < t->block; k += PANEL)
        for (int64_t c = 0; c < t->deep; c += RUN * ph) {
            float *const at = to + k * t->deep + c * PANEL;
            for (int64_t half = 0; half < PANEL / RUN; half++)
                turn(weights_at(t, column + k + half * RUN, (row + c) / ph), C * t->taps, step,
                     taps[half]);
            for (int64_t r = 0; r < ph * RUN; r++)
                for (int64_t half = 0; half < PANEL / RUN; half++)
                    evaluate(&t->weight, phase_of(t, taps[half] + r % RUN * step, r / RUN),
                             at + r * PANEL + half * RUN, t->weight_plane);
        }
}

// Columns are channels and phases from `column`; rows are filters.
static void weights_to_fine(const struct filter_task *t, int64_t column, int64_t row, float *to)
{
    float taps[TAPS * RUN];
    const int64_t ph = phases_of(&t->fine);
    for (int64_t k = 0; k < t->deep; k++)
        for (int64_t r = 0; r < t->block / RUN; r++) {
            const int64_t phase = r % ph, at = r * RUN;
            if (phase == 0)
                turn(weights_at(t, row + k, (column / RUN + r) / ph * RUN), t->taps, t->taps, taps);
            evaluate(&t->weight, phase_of(t, taps, phase),
                     to + at / PANEL * t->deep * PANEL + k * PANEL + at % PANEL, t->weight_plane);
        }
}

// --- results -------------------------------------------------------------------------------------

// What a thread works on: channels of the result from `column`, and tiles of images that are
// evaluated.
struct work {
    float *weights, *sums; // its own
    int64_t first;         // image
    int64_t column;
    int64_t row; // of the weights at hand
};

static void multiply(const struct filter_task *t, const struct work *w, int64_t at, int64_t tiles)
{
    struct product p = {.rows = tiles,
                        .depth = t->deep,
                        .panels = t->block / PANEL,
                        .width = t->block,
                        .row = t->row,
                        .step = 1,
                        .panel = t->deep * PANEL,
                        .more = w->row > 0};
    for (int64_t u = 0; u < t->out->rows * t->out->rows; u++) {
        p.r = w->sums + u * t->sum_plane;
        p.a = t->planes + u * t->plane + at * t->row + w->row;
        p.b = w->weights + u * t->weight_plane;
        KERNEL(product)(&p);
    }
}

static void finish(const struct filter_task *t, const struct work *w, int64_t at, int64_t tiles)
{
    const int64_t each = tiles_of(t->out);
    for (int64_t i = 0; i < tiles; i++)
        for (int64_t c = 0; c < t->block; c += RUN)
            interpolate(
                t->out,
                spot_of(t->out, w->first + (at + i) / each, (at + i) % each, (w->column + c) / RUN),
                w->sums + i * t->block + c, t->sum_plane);
}

// Tiles [from, to). Either all of them are summed at once, or all rows of the weights are.
static void one_block(const struct filter_task *t, struct work w, int64_t from, int64_t to)
{
    for (w.row = 0; w.row < t->depth; w.row += t->deep) {
        if (t->out == &t->fine)
            weights_to_fine(t, w.column, w.row, w.weights);
        else
            weights_to_coarse(t, w.column, w.row, w.weights);
        for (int64_t at = from; at < to; at += t->some) {
            const int64_t tiles = to - at < t->some ? to - at : t->some;
            multiply(t, &w, at, tiles);
            if (w.row + t->deep == t->depth)
                finish(t, &w, at, tiles);
        }
    }
}

void KERNEL(filter_result)(const void *task);
void KERNEL(filter_result)(const void *task)
{
    const struct filter_task *t = task;
    const struct tile_task *in = t->out == &t->fine ? &t->coarse : &t->fine;
    const int64_t blocks = runs_of(t->out) * RUN / t->block, N = in->N, tiles = tiles_of(in);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    for (int64_t first = 0; first < N; first += t->images) {
        const int64_t images = N - first < t->images ? N - first : t->images;
#pragma omp for schedule(static)
        for (int64_t at = 0; at < images * tiles; at++)
            evaluate_rows(in, first, at, t->planes, t->plane, t->row);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks * t->groups; i++) {
            const int64_t group = i % t->groups, from = images * group / t->groups,
                          to = images * (group + 1) / t->groups;
            float *const own = t->own + omp_get_thread_num() * t->own_each;
            const struct work w = {own, own + in->rows * in->rows * t->weight_plane, first,
                                   i / t->groups * t->block, 0};
            one_block(t, w, from * tiles, to * tiles);
        }
    }
}

// --- the weights' gradient -----------------------------------------------------------------------

static void interpolate_weights(const struct filter_task *t, const float *sums, int64_t filter,
                                int64_t filters, int64_t column)
{
    const int64_t ph = phases_of(&t->fine);
    float taps[TAPS * RUN];
    for (int64_t k = 0; k < filters; k++)
        for (int64_t r = 0; r < t->block / RUN; r++) {
            const int64_t phase = r % ph, c = (column / RUN + r) / ph * RUN;
            interpolate(&t->weight, phase_of(t, taps, phase), sums + k * t->block + r * RUN,
                        t->sum_plane);
            if (phase == ph - 1)
                turn_back(taps, t->taps, weights_at(t, filter + k, c));
        }
}

// A block of weights: filters by channels and phases.
static void weight_block(const struct filter_task *t, int64_t rows, bool more, bool last, int64_t i)
{
    const int64_t points = t->weight.rows * t->weight.rows, K = t->coarse.C,
                  bands = (K + t->some - 1) / t->some, band = i % bands, filter = K * band / bands,
                  filters = K * (band + 1) / bands - filter, column = i / bands * t->block,
                  capacity = t->images * tiles_of(&t->fine);
    float *const sums = t->own + (t->keeps ? i : omp_get_thread_num()) * t->own_each;
    struct product p = {.rows = filters,
                        .depth = rows,
                        .panels = t->block / PANEL,
                        .width = t->block,
                        .row = 1,
                        .step = t->row,
                        .panel = capacity * PANEL,
                        .more = more};
    for (int64_t u = 0; u < points; u++) {
        p.r = sums + u * t->sum_plane;
        p.a = t->planes + u * t->plane + filter;
        p.b = t->planes + points * t->plane + u * t->panel_plane + column * capacity;
        KERNEL(product)(&p);
    }
    if (last)
        interpolate_weights(t, sums, filter, filters, column);
}

void KERNEL(filter_weights)(const void *task);
void KERNEL(filter_weights)(const void *task)
{
    const struct filter_task *t = task;
    const int64_t N = t->fine.N, tiles = tiles_of(&t->fine), width = runs_of(&t->fine) * RUN,
                  capacity = t->images * tiles, points = t->fine.rows * t->fine.rows,
                  blocks = width / t->block * ((t->coarse.C + t->some - 1) / t->some);
    float *const panels = t->planes + points * t->plane;
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    for (int64_t first = 0; first < N; first += t->images) {
        const int64_t images = N - first < t->images ? N - first : t->images;
#pragma omp for schedule(static)
        for (int64_t at = 0; at < images * tiles; at++) {
            evaluate_rows(&t->coarse, first, at, t->planes, t->plane, t->row);
            evaluate_panels(&t->fine, first, at, panels, t->panel_plane, capacity);
        }
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks; i++)
            weight_block(t, images * tiles, first > 0, first + images == N, i);
    }
}
