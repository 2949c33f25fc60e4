// Our own loops for work that is bound by memory: maps, reductions, copies, draws, optimizer steps,
// labels. Plain C in kernel_*.c, built once for each instruction set (meson.build); a task holds
// every address and size, so that running it decides nothing and allocates nothing.
// codegen/map_task.c and codegen/copy_task.c prepare tasks from views.
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H

#include "ir/build.h"
#include "ir/map_program.h"
#include "ir/op.h"
#include "ir/update.h"
#include "ir/winograd_points.h"
#include "ir/view.h"

#define KERNEL_JOIN_(a, b) a##_##b
#define KERNEL_JOIN(a, b) KERNEL_JOIN_(a, b)
#define KERNEL(name) KERNEL_JOIN(name, ISA) // map_store: map_store_avx2

struct arena;

// Elements from … to − 1 of an update; its arguments are UPDATE's (ir/update.h), in float.
typedef void update_part(const void *options, float *p, const float *g, float *const *moment,
                         const float *number, int64_t from, int64_t to);

// Runs a task of the kind its member is named after, on as many threads as the task says.
struct kernels {
    const char *isa;
#define KERNEL_ENTRY(name, task) void (*name)(const void *task);
#include "kernels/kernels.def"
#undef KERNEL_ENTRY
    update_part *(*update_part)(const char *rule); // NULL: no such rule
};

// --- maps ----------------------------------------------------------------------------------------
enum {
    MAP_TILE = 1024,
    // of operands that are read where they lie; so many rows of them at most
    MAP_TALL = 8192,
    MAP_ROWS = 128,
    MAP_NEAR = 6144, // floats
    MAP_BUFFERS = MAP_INPUTS + MAP_LENGTH,
    MAP_RANK = RANK_MAX + 1,
    MAP_OUT = 255
};

// What the kernels do at once beside the pointwise ops.
enum {
    MAP_MUL_ADD = PW_COUNT, // a·b + c
    MAP_MUL_SUB,            // a·b − c
    MAP_SUB_MUL,            // c − a·b
    MAP_GATE                // a where b > 0, else f0·a
};

// One instruction; operands are buffer numbers: inputs first, then registers. to == MAP_OUT writes
// the output's tile.
struct map_step {
    uint8_t code, to, a, b, c;
    float f0, f1;
};

// What the gradient of a normalisation with an activation sums, of inputs (numbers of them): with d
// = x − mean and g = dy where d·scale + shift > 0, else slope·dy: g, then g·d, or the other way round.
struct map_gate {
    int dy, x, mean, scale, shift;
    float slope;
    bool transposed;
};

// A program over an iteration space, walked in blocks of `rows` of dimension `split` with all that
// is inside it. A reduction's dimensions lie in three groups: `kept` outer ones, reduced ones, and
// one last dimension that is kept again (of size 1 where the innermost elements are reduced).
struct map_task {
    int n_in, n_step, threads;
    struct map_step step[MAP_LENGTH];
    int rank, split, kept;
    int64_t tile;                       // elements of a block at most
    int64_t dim[MAP_RANK], rows, inner; // inner: elements inside one row of `split`
    const void *in[MAP_INPUTS];
    enum type in_type[MAP_INPUTS];
    int64_t in_stride[MAP_INPUTS][MAP_RANK];
    bool in_dense[MAP_INPUTS]; // a block is contiguous in memory: used where it lies
    void *out;
    enum type out_type; // float32 where it reduces
    int64_t out_stride[MAP_RANK];
    bool out_dense;
    // of a reduction: the buffers that are reduced, and the numbers from one's results to the next's
    int n_result;
    uint8_t result[MAP_RESULTS];
    int64_t next_result;
    int64_t blocks; // of a reduction: in each unit
    enum map_reduce reduce;
    // a block holds several results; threads share every result
    bool by_row, shared;
    // a unit is `width` results at one kept index; `chunks` of them beside each other
    int64_t units, width, chunks;
    int64_t state;   // of a unit: numbers that a reduction keeps
    double *partial; // (threads, units, state), where shared
    bool gated;      // the two results are those of `gate`
    struct map_gate gate;
};

// --- copies --------------------------------------------------------------------------------------
enum { COPY_RANK = RANK_MAX + 1 };
enum copy_kind { COPY_ROWS, COPY_FILL, COPY_TRANSPOSE, COPY_NEST };

// At least two dimensions. dim[rank - 1] is contiguous in `to` as far as that can be had.
// COPY_TRANSPOSE: dim[rank - 2] is in `from`.
struct copy_task {
    float *to;
    const float *from;
    enum copy_kind kind;
    int rank, threads;
    int64_t dim[COPY_RANK], to_stride[COPY_RANK], from_stride[COPY_RANK];
    // a unit of work: piece[0] of dim[rank - 2] by piece[1] of dim[rank - 1]
    int64_t piece[2], pieces[2], units;
};
struct copy_tasks {
    int n;
    struct copy_task *task;
};

// --- nearest upsampling and its adjoint ----------------------------------------------------------
struct upsample_task {
    const float *x;
    float *y;
    int64_t N, C, H, W, factor; // of the coarse side
    bool channels_last;         // both sides
    int threads;
};

// --- resampling ----------------------------------------------------------------------------------
// struct resampling_rows (ir/resampling.h) for a kernel.
struct resample_axis {
    const int32_t *first, *at;
    const float *weight;
    int64_t n, from;
};

// Images lie plain or channels-last, each side on its own.
struct resample_task {
    const float *x;
    float *y;
    int64_t N, C, x_stride[4], y_stride[4];
    struct resample_axis down, across;
    int64_t run; // numbers of a pixel that lie together in x: C where it lies channels-last, else 1
    float *own;  // of each thread: a row of x, so that it is made once for all columns
    int64_t own_each;
    int threads;
};

// --- images moved by whole pixels ----------------------------------------------------------------
// Layouts and `run` as of struct resample_task.
struct shift_task {
    const float *x, *by; // by: N pairs
    float *y;
    int64_t N, C, H, W, x_stride[4], y_stride[4], run;
    int threads;
};

// --- Winograd's convolutions ----------------------------------------------------------------------
// Down or across: `count` tiles of n results each, and the matrix.
struct transform_axis {
    int64_t n, count, pad;
    int rows, columns;
    // rows × columns, and columns × rows
    float m[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX],
        transposed[WINOGRAD_POINTS_MAX * WINOGRAD_POINTS_MAX];
};

// What becomes of an image before it is written: leaky_relu of scale·x + bias + more, which lies
// like the image; bias and more may be NULL.
struct image_end {
    const float *bias, *more;
    float scale, slope;
};

// Both directions of a winograd_transform (ir/ops/op_winograd.c has the formula and the names).
struct transform_task {
    void *image, *tiles;
    enum type type[2];             // of image (float32 where it is written) and tiles
    int64_t N, C, H, W, stride[4]; // of the image
    int64_t step, phases;
    int64_t plane; // numbers in each of the rows² planes of `tiles`
    struct transform_axis axis[2];
    bool adjoint;                // tiles to image
    const struct image_end *end; // of that image; NULL: nothing
    int threads;
};

// A convolution by Winograd's algorithm in blocks (kernel_winograd_blocks.c): winograd_result makes the image
// `out`, winograd_weights, where it is NULL, the weights. Images lie channels-last, channels are
// multiples of WINOGRAD_RUN. What is multiplied lies in words of four bytes: a float32, or two of
// bf16, neighbours in what a product sums. All sizes are in words; a sum is one.
enum { WINOGRAD_RUN = 16 };
struct winograd_task {
    struct transform_task fine, coarse, weight;
    const struct transform_task *out;
    const struct image_end *end; // of out; NULL: nothing
    int in_word;                 // numbers: 1 or 2
    float *weights;              // (K, C, k, k), plain
    int64_t taps, points;        // k²; of a tile
    int64_t images;              // whose tiles are evaluated at once
    int64_t capacity;            // rows of theirs, of which the weights' gradient is a sum
    int64_t block;               // columns of a product: channels with their phases
    int64_t depth, row;          // what a product sums; what that takes in a plane
    int64_t deep;                // so much of depth, of the weights, is evaluated at once
    int64_t some;                // tiles of a result, or filters, that are summed at once
    int64_t groups;              // that share the images of a block
    // from point to point of what is evaluated (of weights: coarse, fine), of weights, of sums
    int64_t plane, panel_plane, weight_plane, sum_plane;
    float *planes, *own; // shared; of each thread, or block of weights that is kept
    int64_t own_each, owners, room;
    bool keeps; // sums stay from images to images
    int threads;
};

// --- convolutions with few channels on one side --------------------------------------------------
enum { FEW_MOST = 4, FEW_MULTIPLE = 16 }; // F is at most, C a multiple of

// few_result: few[n, f, y, x] = Σ_i,j,c wide[n, c, (step·y + sign·i − pad) / phases, …]·w[f, c, i,
// j] over the i, j for which phases divides. few_weight_grad: w from both images, of which the one
// that the other is a result of is read at step·y + i − pad; sign and phases are not used.
// taps_result makes `few`, taps_weight_grad the weights, taps_wide the wide image: tap (i, j) brings
// pixel (y, x) of `wide` and step·(y, x) + (i, j) − pad of `few` together, counted from the last tap
// where `flipped`; no sign, no phases.
struct few_task {
    float *few;
    const float *wide;
    float *weight;            // (F, C, kh, kw) where few_rows, else (C, F, kh, kw)
    const int64_t *weight_at; // where in memory each of them is; NULL: in that order
    int64_t N, F, C, few_size[2], size[2], kernel[2], step[2], pad[2], phases[2], sign;
    int64_t few_stride[4], wide_stride[4]; // wide_stride[1] is 1
    float *zeros, *packed;                 // C; kh·kw·F·C, for few_weight_grad a thread
    // for taps_…: floats of each thread; in multiples of `step`, what covers a kernel; floats of a
    // wide pixel's product with all taps
    float *own;
    int64_t own_each, pieces[2], width;
    float *made;       // by taps_wide, in place of `wide`
    const float *bias; // C, added to that, or NULL
    float slope;       // then, below zero
    bool few_rows, flipped;
    int threads;
};
// a kernel is at most; a row of `wide` at least, but for its weights' gradient
enum { TAPS_MOST = 7, TAPS_PIXELS = 8 };
// w[f, c, tap], the few being the rows or the columns of (K, C, kh, kw).
static inline float *few_weight(const struct few_task *t, int64_t f, int64_t c, int64_t tap)
{
    const int64_t taps = t->kernel[0] * t->kernel[1],
                  i = (t->few_rows ? f * t->C + c : c * t->F + f) * taps + tap;
    return t->weight + (t->weight_at ? t->weight_at[i] : i);
}

// What random draws are keyed by; read when a step runs.
struct plan_clock {
    uint64_t seed, step;
};

// --- random --------------------------------------------------------------------------------------
struct random_task {
    float *to;
    // elements; where channels > 1, (n / (channels·pixels), channels, pixels) lying with the
    // channels last
    int64_t n, channels, pixels;
    enum random_kind kind;
    double a, b;
    uint64_t stream;
    const struct plan_clock *clock;
    int threads;
};

// --- effects -------------------------------------------------------------------------------------
// A second copy of a slot. The slot's memory is blocks of rows × columns: number (r, c) of block i
// goes to to[at[i] + r·row_step + c·column_step]. A packed copy of bf16 is written in words of two where it
// can be, numbers which lie `apart` in the slot's memory, a multiple of 2·apart each block: those
// words are the rows and columns then.
enum { PACKED_BLOCK = 4096 }; // numbers of a block at most
struct packed_task {
    void *to;
    enum type type;
    const int32_t *at;
    int64_t rows, columns, row_step, column_step;
    int64_t apart; // 0: number by number
};
// Numbers of the slot in a block.
static inline int64_t packed_block(const struct packed_task *t)
{
    return t->rows * t->columns * (t->apart ? 2 : 1);
}

struct update_task {
    update_part *part;
    const void *options;
    float *p;
    const float *g; // NULL where the rule reads none; so are moments, numbers
    float *moment[UPDATE_MOMENTS];
    const float *number;
    int64_t n;
    int threads;
    int64_t chunk; // what threads share is cut at its multiples: whole blocks
    int n_packed;
    const struct packed_task *packed_copy; // written as well
};

// --- labels --------------------------------------------------------------------------------------
// A label out of range: gather gives a row of NaN, scatter_add drops the row, one_hot gives a row
// of zeros.
struct label_task {
    const float *x, *index;
    float *y;
    // n labels; rows of the table; columns: a row's length, or the classes
    int64_t n, rows, columns;
    int threads;
};

#endif
