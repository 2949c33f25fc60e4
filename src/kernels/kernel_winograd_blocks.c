// Convolutions by Winograd's algorithm, in blocks: tiles are evaluated, multiplied and interpolated in
// blocks that stay in cache, so that planes are never a tensor. opt/winograd.c has the
// algebra.
//
// A result (winograd_result): all tiles of some images are evaluated, by all threads. Then each
// thread takes a block of the result's channels: it evaluates the weights that lead there, and goes
// through the tiles, some at a time, with products for each point and the adjoint map of what comes
// out. Weights' gradient (winograd_weights): both images are evaluated, and each thread takes a block
// of the weights.
//
// What a result ends in (ir/post_ops.h) is done where a pixel is written: in a result of a forward
// convolution once; in that of a data gradient tiles overlap, and it is done by the last of them.
//
// Channels go in runs of RUN. Behind each other they are, with s² phases and G runs: run 0 of
// phase 0, run 0 of phase 1, … run 1 of phase 0; so a block of some runs has all their phases, and
// nothing else writes those pixels.
//
// Where products are of bf16, tiles are evaluated in float32 from images of either type, rounded as
// they are written, and interpolated in float32: only what is multiplied is ever rounded. Two
// numbers that a product sums lie in one word: neighbours of a row, or two rows one in the other.
#include "kernels/kernel.h"
#include "kernels/kernel_lanes.h"
#include "kernels/kernel_product.h"
#include "kernels/kernel_transpose.h"

#include "ir/winograd_points.h"

#include <omp.h>
#include <string.h>

enum { TAPS = 25, AHEAD = 6 * RUN };

typedef float run __attribute__((vector_size(RUN * sizeof(float)), aligned(4), may_alias));

typedef uint32_t bits __attribute__((vector_size(RUN * sizeof(uint32_t))));
typedef uint16_t halves __attribute__((vector_size(RUN * sizeof(uint16_t)), aligned(2), may_alias));

// A tile of one phase, and a run of channels: its first pixel, which may lie outside, the way to
// the next ones in bytes, and which of them lie inside.
struct spot {
    char *image;
    int64_t down, across;
    enum type type;
    int from[2], to[2];
    int64_t next; // how far the next tile is
    int seen[2];  // so many of the first were written by the tiles before
    int done[2];  // so many of the first are written by no tile behind
    const struct image_end *end;
    const float *bias, *more; // of these channels; as far from `image` as what is beside it
};

INLINE void read_run(run *to, const char *at, enum type type)
{
    if (type == TYPE_F32)
        *to = *(const run *)at;
    else
        *to = (run)(__builtin_convertvector(*(const halves *)at, bits) << 16);
}

// The upper halves of `to` are the nearest of bf16, ties to even; a NaN stays one.
INLINE void round_run(bits *to, const run *x)
{
    const bits b = (bits)*x;
    *to = (b + 0x7fff + (b >> 16 & 1)) | (bits)(*x != *x);
}

// How a run of points is written: as it is, as so many bf16, or as words with those of another.
enum form { FLOATS, HALVES, PAIRS };

INLINE void write_run(float *to, const run *x, const float *other, const enum form form)
{
    bits upper, lower;
    round_run(&upper, x);
    if (form == FLOATS) {
        *(run *)to = *x;
    } else if (form == HALVES) {
        *(halves *)to = __builtin_convertvector(upper >> 16, halves);
    } else {
        round_run(&lower, (const run *)other);
        *(run *)to = (run)(lower >> 16 | (upper & 0xffff0000));
    }
}

// half[u][j] = Σ_i m[u][i]·pixel[i][j]
INLINE void evaluate_down(const struct transform_task *t, const struct spot *s, run *half,
                          const int n)
{
    run tile[WINOGRAD_POINTS_MAX];
    const int q = t->axis[0].rows, columns = t->axis[1].columns;
    for (int j = 0; j < columns; j++) {
        const bool inside = j >= s->from[1] && j < s->to[1];
        const char *const column = s->image + j * s->across;
        EACH(i, n)
            if (inside && i >= s->from[0] && i < s->to[0])
                read_run(tile + i, column + i * s->down, s->type);
            else
                tile[i] = (run){0};
        if (s->next)
            EACH(i, n)
                __builtin_prefetch(column + s->next + i * s->down);
        const float *m = t->axis[0].m;
        for (int u = 0; u < q; u++, m += n) {
            run sum = m[0] * tile[0];
            EACH(i, n - 1)
                sum += m[i + 1] * tile[i + 1];
            half[u * columns + j] = sum;
        }
    }
}

// to[u][v] = Σ_j m[v][j]·half[u][j], `plane` words apart; those of `other` RUN
INLINE void evaluate_across(const struct transform_task *t, const run *half, float *to,
                            int64_t plane, const float *other, const enum form form, const int n)
{
    run tile[WINOGRAD_POINTS_MAX];
    const int q = t->axis[1].rows;
    for (int u = 0; u < t->axis[0].rows; u++, half += n) {
        EACH(j, n)
            tile[j] = half[j];
        const float *m = t->axis[1].m;
        for (int v = 0; v < q; v++, m += n, to += plane, other += RUN) {
            run sum = m[0] * tile[0];
            EACH(j, n - 1)
                sum += m[j + 1] * tile[j + 1];
            __builtin_prefetch(to + AHEAD, 1);
            write_run(to, &sum, other, form);
        }
    }
}

// One of eight, each with the size n of a matrix written in.
#define SWITCH(size, call) \
    switch (size) {        \
        CASE(1, call);     \
        CASE(2, call);     \
        CASE(3, call);     \
        CASE(4, call);     \
        CASE(5, call);     \
        CASE(6, call);     \
        CASE(7, call);     \
        CASE(8, call);     \
    }
#define CASE(size, call)   \
    case size: {           \
        enum { n = size }; \
        call;              \
    } break

static void down(const struct transform_task *t, const struct spot *s,
                 run *half){SWITCH(t->axis[0].columns, evaluate_down(t, s, half, n))}

// to[u][v] = Σ_i,j m[u][i]·m[v][j]·pixel[i][j]
INLINE void evaluate(const struct transform_task *t, const struct spot *s, float *to, int64_t plane,
                     const float *other, const enum form form)
{
    run half[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX];
    down(t, s, half);
    SWITCH(t->axis[1].columns, evaluate_across(t, half, to, plane, other, form, n))
}

static void as_floats(const struct transform_task *t, const struct spot *s, float *to,
                      int64_t plane)
{
    evaluate(t, s, to, plane, to, FLOATS);
}

static void as_halves(const struct transform_task *t, const struct spot *s, float *to,
                      int64_t plane)
{
    evaluate(t, s, to, plane, to, HALVES);
}

static void as_pairs(const struct transform_task *t, const struct spot s[2], float *to,
                     int64_t plane)
{
    float points[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX * RUN];
    as_floats(t, s, points, RUN);
    evaluate(t, s + 1, to, plane, points, PAIRS);
}

// half[j][u] = Σ_v m[v][j]·from[u][v]
INLINE void interpolate_across(const struct transform_task *t, const float *from, int64_t plane,
                               run *half, const int q)
{
    run in[WINOGRAD_POINTS_MAX];
    const int rows = t->axis[0].rows, columns = t->axis[1].columns;
    for (int u = 0; u < rows; u++) {
        EACH(v, q)
            in[v] = *(const run *)(from + (u * q + v) * plane);
        const float *m = t->axis[1].transposed;
        for (int j = 0; j < columns; j++, m += q) {
            run sum = m[0] * in[0];
            EACH(v, q - 1)
                sum += m[v + 1] * in[v + 1];
            half[j * rows + u] = sum;
        }
    }
}

// What a pixel becomes that no other tile adds to.
INLINE void end_pixel(const struct spot *s, run *pixel, int64_t at)
{
    const struct image_end *end = s->end;
    run x = *pixel * end->scale;
    if (s->bias)
        x += *(const run *)s->bias;
    if (s->more)
        x += *(const run *)((const char *)s->more + at);
    const bits above = (bits)(x > 0);
    *pixel = (run)(((bits)x & above) | ((bits)(x * end->slope) & ~above));
}

// pixel[i][j] (+)= Σ_u m[u][i]·half[j][u]
INLINE void interpolate_down(const struct transform_task *t, const struct spot *s, const run *half,
                             const int q)
{
    run in[WINOGRAD_POINTS_MAX];
    for (int j = s->from[1]; j < s->to[1]; j++) {
        EACH(u, q)
            in[u] = half[j * q + u];
        for (int i = s->from[0]; i < s->to[0]; i++) {
            const float *m = t->axis[0].transposed + i * q;
            const int64_t at = i * s->down + j * s->across;
            run *const p = (run *)(s->image + at);
            run sum = m[0] * in[0];
            EACH(u, q - 1)
                sum += m[u + 1] * in[u + 1];
            if (i < s->seen[0] || j < s->seen[1])
                sum += *p;
            if (s->end && i < s->done[0] && j < s->done[1])
                end_pixel(s, &sum, at);
            *p = sum;
        }
    }
}

// pixel[i][j] (+)= Σ_u,v m[u][i]·m[v][j]·from[u][v]
static void kernel_winograd_blocks_interpolate(const struct transform_task *t, const struct spot *s,
                                               const float *from, int64_t plane)
{
    run half[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX];
    for (int i = s->from[0]; i < s->to[0]; i++)
        for (int j = s->from[1]; j < s->to[1]; j++)
            __builtin_prefetch(s->image + s->next + i * s->down + j * s->across, 1);
    SWITCH(t->axis[1].rows, interpolate_across(t, from, plane, half, n))
    SWITCH(t->axis[0].rows, interpolate_down(t, s, half, n))
}

// --- tiles of images -----------------------------------------------------------------------------

INLINE int64_t tiles_of(const struct transform_task *t)
{
    return t->axis[0].count * t->axis[1].count;
}
INLINE int64_t phases_of(const struct transform_task *t) { return t->phases * t->phases; }
INLINE int64_t runs_of(const struct transform_task *t) { return t->C / RUN * phases_of(t); }

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

INLINE struct spot no_spot(struct spot s)
{
    memset(s.to, 0, sizeof s.to);
    return s;
}

// The way from a tile to the next, of this image or the one after it, in numbers.
INLINE int64_t next_tile(const struct transform_task *t, int64_t tile)
{
    const struct transform_axis *a = t->axis;
    const int64_t down = a[0].n * t->step * t->stride[2], across = a[1].n * t->step * t->stride[3];
    const int64_t back = (a[1].count - 1) * across;
    if (tile + 1 == tiles_of(t))
        return t->stride[0] - (a[0].count - 1) * down - back;
    return (tile + 1) % a[1].count == 0 ? down - back : across;
}

// Where the first channels of a phase of tile `tile` of image n lie.
INLINE struct spot spot_of(const struct transform_task *t, int64_t n, int64_t tile, int64_t phase)
{
    const struct transform_axis *a = t->axis;
    const int64_t ty = tile / a[1].count, tx = tile % a[1].count;
    const int64_t y = a[0].n * t->step * ty + phase / t->phases - a[0].pad,
                  x = a[1].n * t->step * tx + phase % t->phases - a[1].pad;
    const int64_t bytes = (int64_t)type_bytes(t->type[0]), down = t->step * bytes * t->stride[2],
                  across = t->step * bytes * t->stride[3],
                  at = n * t->stride[0] + y * t->stride[2] + x * t->stride[3];
    struct spot s = {
        (char *)t->image + at * bytes,
        down,
        across,
        t->type[0],
        .next = next_tile(t, tile) * bytes,
        .seen = {ty ? a[0].columns - (int)a[0].n : 0, tx ? a[1].columns - (int)a[1].n : 0},
        .done = {(int)(ty + 1 < a[0].count ? a[0].n : a[0].columns),
                 (int)(tx + 1 < a[1].count ? a[1].n : a[1].columns)}};
    clip(&s, 0, y, t->step, a[0].columns, t->H);
    clip(&s, 1, x, t->step, a[1].columns, t->W);
    return s;
}

INLINE void next_run(struct spot *s) { s->image += RUN * type_bytes(s->type); }

// A row of a matrix for a tile.
static void tile_row(const struct winograd_task *f, const struct transform_task *t, int64_t first,
                     int64_t at)
{
    const int64_t tiles = tiles_of(t), ph = phases_of(t), in = f->in_word;
    for (int64_t phase = 0; phase < ph; phase++) {
        struct spot s = spot_of(t, first + at / tiles, at % tiles, phase);
        float *to = f->planes + at * f->row + phase * RUN / in;
        for (int64_t c = 0; c < t->C; c += RUN, next_run(&s), to += ph * RUN / in)
            (in == 1 ? as_floats : as_halves)(t, &s, to, f->plane);
    }
}

// Rows for the tiles that share words, in panels of `width` columns.
static void tile_rows(const struct winograd_task *f, const struct transform_task *t, int64_t first,
                      int64_t at, int64_t count, float *to, int64_t plane, int64_t width)
{
    const int64_t tiles = tiles_of(t), ph = phases_of(t), next = at + 1;
    to += at / f->in_word * width;
    for (int64_t phase = 0; phase < ph; phase++) {
        struct spot s[2] = {spot_of(t, first + at / tiles, at % tiles, phase)};
        s[1] = next < count ? spot_of(t, first + next / tiles, next % tiles, phase) : no_spot(s[0]);
        for (int64_t r = phase; r < runs_of(t); r += ph, next_run(s), next_run(s + 1)) {
            const int64_t panel = r * RUN / width;
            float *const place = to + panel * f->capacity * width + (r * RUN - panel * width);
            if (f->in_word == 1)
                as_floats(t, s, place, plane);
            else
                as_pairs(t, s, place, plane);
        }
    }
}

// --- weights -------------------------------------------------------------------------------------

// A phase of weights that lie as an image of runs.
INLINE struct spot phase_of(const struct winograd_task *t, float *taps, int64_t phase)
{
    const struct transform_task *w = &t->weight;
    const int64_t a = phase / w->phases, b = phase % w->phases;
    const int64_t bytes = sizeof *taps;
    struct spot s = {(char *)(taps + a * w->stride[2] + b * w->stride[3]),
                     w->step * bytes * w->stride[2], w->step * bytes * w->stride[3]};
    clip(&s, 0, a, w->step, w->axis[0].columns, w->H);
    clip(&s, 1, b, w->step, w->axis[1].columns, w->W);
    return s;
}

// The weights between filter k and channel c, as an image of one run.
INLINE float *weights_at(const struct winograd_task *t, int64_t k, int64_t c)
{
    return t->weights + (k * t->fine.C + c) * t->taps;
}

// Runs of as many rows as share words; `step` numbers apart.
INLINE void evaluate_taps(const struct winograd_task *t, struct spot s, int64_t taps, int64_t step,
                          float *to)
{
    s.image += taps * (int64_t)sizeof(float);
    struct spot both[] = {s, s};
    both[1].image += step * (int64_t)sizeof(float);
    if (t->in_word == 1)
        as_floats(&t->weight, &s, to, t->weight_plane);
    else
        as_pairs(&t->weight, both, to, t->weight_plane);
}

// Columns are filters from `column`; rows are channels and phases, `deep` words of them from `row`.
static void weights_to_coarse(const struct winograd_task *t, int64_t column, int64_t row, float *to)
{
    enum { HALVES_OF = PANEL / RUN };
    float taps[HALVES_OF][RUN * TAPS * RUN];
    const int64_t C = t->fine.C, ph = phases_of(&t->fine), step = t->taps * RUN, in = t->in_word;
    for (int64_t k = 0; k < t->block; k += PANEL)
        for (int64_t c = 0; c < t->deep * in; c += RUN * ph) {
            float *at = to + k * t->deep + c / in * PANEL;
            for (int64_t half = 0; half < HALVES_OF; half++)
                turn(weights_at(t, column + k + half * RUN, (row * in + c) / ph), C * t->taps, step,
                     taps[half]);
            for (int64_t phase = 0; phase < ph; phase++) {
                const struct spot s = phase_of(t, taps[0], phase);
                for (int64_t r = 0; r < RUN; r += in, at += PANEL)
                    for (int64_t half = 0; half < HALVES_OF; half++)
                        evaluate_taps(t, s, half * RUN * TAPS * RUN + r * step, step,
                                      at + half * RUN);
            }
        }
}

// Columns are channels and phases from `column`; rows are filters, `deep` words of them.
static void weights_to_fine(const struct winograd_task *t, int64_t column, int64_t row, float *to)
{
    float taps[2][TAPS * RUN];
    const int64_t ph = phases_of(&t->fine), in = t->in_word, filter = t->fine.C * t->taps;
    for (int64_t k = 0; k < t->deep; k++)
        for (int64_t r = 0; r < t->block / RUN; r++) {
            const int64_t phase = r % ph, at = r * RUN;
            for (int64_t i = 0; i < in && phase == 0; i++) {
                const float *from = weights_at(t, (row + k) * in + i,
                                               (column / RUN + r) / ph * RUN);
                for (int64_t tap = 0; tap < t->taps; tap++)
                    __builtin_prefetch(from + filter * in + tap * RUN);
                turn(from, t->taps, t->taps, taps[i]);
            }
            evaluate_taps(t, phase_of(t, taps[0], phase), 0, TAPS * RUN,
                          to + at / PANEL * t->deep * PANEL + k * PANEL + at % PANEL);
        }
}

// --- results -------------------------------------------------------------------------------------

// What a thread works on: channels of the result from `column`, and tiles of images that are
// evaluated.
struct kernel_winograd_blocks_work {
    float *weights, *sums; // its own
    int64_t first;         // image
    int64_t column;
    int64_t row; // of the weights at hand
};

static void multiply(const struct winograd_task *t, const struct kernel_winograd_blocks_work *w,
                     int64_t at, int64_t tiles)
{
    struct product p = {.rows = tiles,
                        .depth = t->deep,
                        .panels = t->block / PANEL,
                        .width = t->block,
                        .row = t->row,
                        .step = 1,
                        .panel = t->deep * PANEL,
                        .more = w->row > 0,
                        .pairs = t->in_word == 2};
    for (int64_t u = 0; u < t->points; u++) {
        p.r = w->sums + u * t->sum_plane;
        p.a = t->planes + u * t->plane + at * t->row + w->row;
        p.b = w->weights + u * t->weight_plane;
        KERNEL(product)(&p);
    }
}

// The same channels of what is added as those of the image.
static void kernel_winograd_blocks_set_end(struct spot *s, const struct winograd_task *t,
                                           int64_t channel)
{
    const struct image_end *end = s->end = t->end;
    if (end && end->bias)
        s->bias = end->bias + channel;
    if (end && end->more)
        s->more = end->more + (s->image - (char *)t->out->image) / (int64_t)sizeof(float);
}

static void kernel_winograd_blocks_finish(const struct winograd_task *t,
                                          const struct kernel_winograd_blocks_work *w, int64_t at,
                                          int64_t tiles)
{
    const int64_t each = tiles_of(t->out), ph = phases_of(t->out);
    for (int64_t i = 0; i < tiles; i++)
        for (int64_t phase = 0; phase < ph; phase++) {
            struct spot s = spot_of(t->out, w->first + (at + i) / each, (at + i) % each, phase);
            s.image += w->column / ph * (int64_t)sizeof(float);
            for (int64_t c = phase * RUN; c < t->block; c += ph * RUN, next_run(&s)) {
                kernel_winograd_blocks_set_end(&s, t, (w->column + c) / ph / RUN * RUN);
                kernel_winograd_blocks_interpolate(t->out, &s, w->sums + i * t->block + c,
                                                   t->sum_plane);
            }
        }
}

// Tiles [from, to). Either all of them are summed at once, or all rows of the weights are.
static void one_block(const struct winograd_task *t, struct kernel_winograd_blocks_work w,
                      int64_t from, int64_t to)
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
                kernel_winograd_blocks_finish(t, &w, at, tiles);
        }
    }
}

void KERNEL(winograd_result)(const void *task);
void KERNEL(winograd_result)(const void *task)
{
    const struct winograd_task *t = task;
    ASSERT(t->out == &t->fine || t->out == &t->coarse);
    ASSERT(t->planes && t->own && t->images > 0 && t->groups > 0);
    ASSERT(t->in_word == 1 || t->in_word == 2);
    const struct transform_task *in = t->out == &t->fine ? &t->coarse : &t->fine;
    const int64_t blocks = runs_of(t->out) * RUN / t->block, N = in->N, tiles = tiles_of(in);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    for (int64_t first = 0; first < N; first += t->images) {
        const int64_t images = N - first < t->images ? N - first : t->images;
#pragma omp for schedule(static)
        for (int64_t at = 0; at < images * tiles; at++)
            tile_row(t, in, first, at);
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks * t->groups; i++) {
            const int64_t group = i % t->groups, from = images * group / t->groups,
                          to = images * (group + 1) / t->groups;
            float *const own = t->own + omp_get_thread_num() * t->own_each;
            const struct kernel_winograd_blocks_work w = {own, own + t->points * t->weight_plane,
                                                          first, i / t->groups * t->block, 0};
            one_block(t, w, from * tiles, to * tiles);
        }
    }
}

// --- the weights' gradient -----------------------------------------------------------------------

static void interpolate_weights(const struct winograd_task *t, const float *sums, int64_t filter,
                                int64_t filters, int64_t column)
{
    const int64_t ph = phases_of(&t->fine);
    float taps[TAPS * RUN];
    for (int64_t k = 0; k < filters; k++)
        for (int64_t r = 0; r < t->block / RUN; r++) {
            const int64_t phase = r % ph, c = (column / RUN + r) / ph * RUN;
            const struct spot s = phase_of(t, taps, phase);
            kernel_winograd_blocks_interpolate(&t->weight, &s, sums + k * t->block + r * RUN,
                                               t->sum_plane);
            if (phase == ph - 1)
                turn_back(taps, t->taps, weights_at(t, filter + k, c));
        }
}

// A block of weights: filters by channels and phases.
static void weight_block(const struct winograd_task *t, int64_t rows, bool more, bool last,
                         int64_t i)
{
    const int64_t K = t->coarse.C, bands = (K + t->some - 1) / t->some, band = i % bands,
                  filter = K * band / bands, filters = K * (band + 1) / bands - filter,
                  column = i / bands * t->block;
    float *const sums = t->own + (t->keeps ? i : omp_get_thread_num()) * t->own_each;
    struct product p = {.rows = filters,
                        .depth = rows,
                        .panels = t->block / PANEL,
                        .width = t->block,
                        .row = 1,
                        .step = t->row,
                        .panel = t->capacity * PANEL,
                        .more = more,
                        .pairs = t->in_word == 2};
    for (int64_t u = 0; u < t->points; u++) {
        p.r = sums + u * t->sum_plane;
        p.a = t->planes + u * t->plane + filter;
        p.b = t->planes + t->points * t->plane + u * t->panel_plane + column * t->capacity;
        KERNEL(product)(&p);
    }
    if (last)
        interpolate_weights(t, sums, filter, filters, column);
}

void KERNEL(winograd_weights)(const void *task);
void KERNEL(winograd_weights)(const void *task)
{
    const struct winograd_task *t = task;
    ASSERT(!t->out && t->planes && t->own && t->images > 0);
    const int64_t N = t->fine.N, tiles = tiles_of(&t->fine), width = runs_of(&t->fine) * RUN,
                  blocks = width / t->block * ((t->coarse.C + t->some - 1) / t->some);
    float *const panels = t->planes + t->points * t->plane;
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    for (int64_t first = 0; first < N; first += t->images) {
        const int64_t images = N - first < t->images ? N - first : t->images;
#pragma omp for schedule(static)
        for (int64_t at = 0; at < images * tiles; at += t->in_word) {
            tile_rows(t, &t->coarse, first, at, images * tiles, t->planes, t->plane, t->row);
            tile_rows(t, &t->fine, first, at, images * tiles, panels, t->panel_plane, PANEL);
        }
#pragma omp for schedule(static)
        for (int64_t i = 0; i < blocks; i++)
            weight_block(t, (images * tiles + t->in_word - 1) / t->in_word, first > 0,
                         first + images == N, i);
    }
}
