// A grid has rows × columns samples. Several expressions take turns by rows, all fed the same
// draws, so a picture stands above its reconstruction. Where `columns:` names something, along a
// row nothing else changes: what is seen from left to right is its doing. Fresh noise in every cell
// would show more samples and hide what the code does.
#include "train/grid.h"

#include "base/arena.h"
#include "base/image.h"
#include "base/size.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { GAP = 2 }; // pixels between pictures

struct grid {
    const struct experiment *experiment;
    struct sampler **sampler; // by expression
    int n;
};

// --- what is fed ---------------------------------------------------------------------------------

// Along each row the sample of its first column.
static void hold(float *to, int64_t size, const struct samples *how)
{
    for (int64_t i = 0; i < how->rows * how->columns; i++)
        memcpy(to + i * size, to + (i - i % how->columns) * size, sizeof *to * (size_t)size);
}

// Rows take turns with what varies along them.
static void vary(float *to, const struct noise *noise, int64_t size, const struct samples *how)
{
    for (int64_t row = 0; row < how->rows; row++) {
        const struct sweep *by = &how->by[row % how->n_by];
        for (int64_t c = 0; by->noise == noise && c < how->columns; c++)
            noise->kind->vary(noise, by->element, c, how->columns,
                              to + (row * how->columns + c) * size);
    }
}

static void grid_feed(struct sampler *s, const struct samples *how, uint64_t seed)
{
    sampler_noise(s, seed, 0);
    for (int i = 0; how->n_by && i < s->program->n_input; i++) {
        const struct program_input *in = &s->program->input[i];
        const int64_t size = shape_size(in->shape) / s->batch;
        float *to = sampler_input(s, in->name);
        if (!to)
            continue;
        hold(to, size, how);
        if (in->noise)
            vary(to, in->noise, size, how);
    }
}

// --- pictures ------------------------------------------------------------------------------------

static bool grid_is_picture(struct shape s)
{
    return s.rank == 3 && (s.dim[0] == 1 || s.dim[0] == 3);
}

// stb counts a picture's bytes, and a filter byte a row, in an int.
static bool drawable(const struct samples *how, struct shape is, struct diag *d)
{
    const int64_t height = size_product(how->rows * how->n_of, is.dim[1] + GAP) + GAP,
                  width = size_product(how->columns, is.dim[2] + GAP) + GAP,
                  bytes = size_product(height, size_sum(size_product(width, is.dim[0]), 1));
    return bytes < INT_MAX ||
           fail(d, how->where,
                "a grid of %" PRId64 " × %" PRId64 " pictures is larger than a PNG of 2 GB\n"
                "expected a smaller `grid:`",
                how->rows * how->n_of, how->columns);
}

struct grid *grid_new(struct arena *a, struct experiment *e, float *slab, struct diag *d)
{
    const struct samples *how = &e->samples;
    struct grid *g = NEW(a, struct grid);
    *g = (struct grid){e, NEW_ARRAY(a, struct sampler *, how->n_of), how->n_of};
    for (int i = 0; i < g->n; i++) {
        struct sampler *s = sampler_new_of(a, e, slab, how->rows * how->columns, how->of[i],
                                           e->ema_decay > 0, d);
        if (!s || !grid_is_picture(s->is.shape) || !drawable(how, s->is.shape, d) ||
            !sampler_data(s, SPLIT_TEST, 0, d))
            return NULL;
        g->sampler[i] = s;
        if (!shape_equal(s->is.shape, g->sampler[0]->is.shape)) {
            fail(d, how->of[i]->where,
                 "this has another shape than the first picture\nexpected pictures of one size in "
                 "a grid");
            return NULL;
        }
    }
    return g->n ? g : NULL;
}

bool grid_write(struct grid *g, const char *path, struct arena *scratch)
{
    const struct samples *how = &g->experiment->samples;
    const struct shape is = g->sampler[0]->is.shape;
    const size_t row = (size_t)(how->columns * shape_size(is));
    float *all = NEW_ARRAY(scratch, float, row *(size_t)(how->rows * g->n));
    for (int k = 0; k < g->n; k++) {
        grid_feed(g->sampler[k], how, (uint64_t)g->experiment->seed);
        const float *x = sampler_draw(g->sampler[k]);
        for (int64_t r = 0; r < how->rows; r++)
            memcpy(all + row * (size_t)(r * g->n + k), x + row * (size_t)r, sizeof *x * row);
    }
    struct image image = image_grid(scratch, all, (int)how->rows * g->n, (int)how->columns,
                                    (int)is.dim[0], (int)is.dim[1], (int)is.dim[2], GAP);
    return image_write_png(&image, path);
}

struct sampler *const *grid_samplers(const struct grid *g, int *n)
{
    *n = g->n;
    return g->sampler;
}
