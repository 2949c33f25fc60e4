// How a convolution by minimal filtering is cut into blocks. What all threads share, the evaluated
// tiles of some images, is to fit in a last cache; what each keeps for itself, the sums of some
// tiles at all points, in a second one. Products reuse whatever they read often enough that nothing
// else matters much.
//
// Of weights that meet all tiles at once, more may be evaluated than a second cache has: they pass
// through once, and fewer of them at a time mean shorter products (64 for 128 deep took 4 % longer
// with 512 filters). The weights' gradient keeps its sums from images to images; where all images
// fit in most of a last cache, there is nothing to keep.
#include "prim/epilogue.h"
#include "prim/kernel.h"
#include "prim/lower.h"

#include "base/arena.h"

#include <string.h>

enum { WIDE = 64 };

const struct filter_caches filter_caches = {2 << 20, 6 << 20, 192 << 10, 416 << 10};

static int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t columns_of(int64_t channels, int64_t stride) { return channels * stride * stride; }

// Whether tiles of whatever size reach all of an image: a convolution may leave the last rows, or
// those that it crops, unread.
static bool reaches_all(const struct value *v, const struct conv_parts *s)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = v->attr.i[axis], pad = v->attr.i[2 + 2 * axis];
        const int64_t last = s->y->shape.dim[2 + axis] + up(s->w->shape.dim[2 + axis], stride) - 2;
        if (pad < 0 || (s->x->shape.dim[2 + axis] - 1 + pad) / stride > last)
            return false;
    }
    return true;
}

bool conv_can_be_tiled(const struct value *v)
{
    enum { PANEL = 2 * FILTER_RUN };
    const struct conv_parts s = conv_parts(v);
    const int64_t K = s.y->shape.dim[1], C = s.x->shape.dim[1];
    const int64_t columns = v->op == &op_conv ? K : columns_of(C, v->attr.i[0]);
    return K % FILTER_RUN == 0 && C % FILTER_RUN == 0 && columns % PANEL == 0 &&
           (v->op != &op_conv_data_grad || reaches_all(v, &s));
}

static void set_image(struct tile_task *t, const struct value *v)
{
    const struct view x = view_of(v);
    t->N = x.dim[0], t->C = x.dim[1], t->H = x.dim[2], t->W = x.dim[3];
    memcpy(t->stride, x.stride, sizeof t->stride);
    t->type[0] = x.type;
    if (x.stride[1] != 1)
        BUG("%%%d: a tiled convolution's images lie channels-last", v->id);
}

// With tiles of as many results as the convolution is told, down or across.
static struct tiling tiling_of(const struct value *v, const struct conv_parts *s, int axis)
{
    const int64_t n = conv_tile(v, axis), *i = v->attr.i;
    return (struct tiling){n,
                           i[0],
                           s->w->shape.dim[2],
                           {i[2], i[4]},
                           {up(s->y->shape.dim[2], n), up(s->y->shape.dim[3], n)}};
}

static struct tile_task side(const struct value *v, const struct conv_parts *s, enum tile_role role)
{
    struct tile_task t = tile_task_of(role, tiling_of(v, s, 0));
    t.axis[1] = tile_task_of(role, tiling_of(v, s, 1)).axis[1];
    return t;
}

static void set_sides(struct filter_task *t, const struct value *v)
{
    const struct conv_parts s = conv_parts(v);
    const int64_t kernel = s.w->shape.dim[2];
    t->fine = side(v, &s, TILE_FINE);
    t->coarse = side(v, &s, TILE_COARSE);
    t->weight = side(v, &s, TILE_WEIGHT);
    t->coarse.axis[0].pad = t->coarse.axis[1].pad = 0;
    set_image(&t->fine, s.x);
    set_image(&t->coarse, s.y);
    t->weight.H = t->weight.W = kernel;
    t->weight.stride[2] = kernel * FILTER_RUN;
    t->weight.stride[3] = FILTER_RUN;
    t->taps = kernel * kernel;
    t->points = t->fine.axis[0].rows * t->fine.axis[1].rows;
}

static int64_t tiles_of(const struct tile_task *t) { return t->axis[0].count * t->axis[1].count; }

// A plane's stride: an odd number of runs.
static int64_t apart(int64_t numbers) { return (up(numbers, FILTER_RUN) | 1) * FILTER_RUN; }

// So many images that `each` numbers for each of them fit.
static int64_t images_in(const struct filter_task *t, int64_t each, int64_t room)
{
    const int64_t fit = most(1, room / each), parts = up(t->fine.N, fit);
    return up(t->fine.N, parts);
}

// How many parts the rows of weights are evaluated in, where all tiles are summed at once.
static int64_t parts(const struct filter_task *t, const struct tile_task *in, int64_t own)
{
    const int64_t unit = FILTER_RUN * in->phases * in->phases / t->in_word;
    int64_t n = 1;
    while (t->depth / unit % (2 * n) == 0 && t->points * t->block * t->depth / n > own)
        n *= 2;
    return n;
}

static void divide_result(struct filter_task *t, const struct filter_caches *room)
{
    const struct tile_task *in = t->out == &t->fine ? &t->coarse : &t->fine;
    const int64_t tiles = tiles_of(in);
    const int64_t columns = columns_of(t->out->C, t->out->phases);
    t->depth = columns_of(in->C, in->phases) / t->in_word;
    t->row = t->depth + FILTER_RUN;
    t->images = images_in(t, t->points * tiles * t->row, room->shared);
    t->block = columns % WIDE == 0 ? WIDE : WIDE / 2;
    t->groups = least(t->images, up(t->threads, columns / t->block));
    t->some = least(most(1, room->own / (t->points * t->block)), t->images * tiles);
    t->deep = t->depth / (t->some == t->images * tiles ? parts(t, in, room->weights) : 1);
    t->plane = apart(t->images * tiles * t->row);
    t->weight_plane = apart(t->deep * t->block);
    t->sum_plane = apart(t->some * t->block);
    t->own_each = t->points * (t->weight_plane + t->sum_plane);
    t->owners = t->threads;
    t->room = t->points * t->plane + t->owners * t->own_each;
}

static void divide_weights(struct filter_task *t, const struct filter_caches *room)
{
    const int64_t tiles = tiles_of(&t->fine);
    const int64_t columns = columns_of(t->fine.C, t->fine.phases), K = t->coarse.C;
    t->row = K + FILTER_RUN;
    const int64_t each = t->points * tiles * (t->row + columns) / t->in_word;
    t->images = images_in(t, each, room->whole);
    if (t->images < t->fine.N)
        t->images = images_in(t, each, room->shared);
    t->capacity = up(t->images * tiles, t->in_word);
    t->keeps = t->images < t->fine.N;
    t->block = columns % WIDE == 0 ? WIDE : WIDE / 2;
    t->some = least(K, most(FILTER_RUN, room->own / (t->points * t->block)));
    t->plane = apart(t->capacity * t->row);
    t->panel_plane = apart(t->capacity * columns);
    t->sum_plane = apart(t->some * t->block);
    t->own_each = t->points * t->sum_plane;
    t->owners = t->keeps ? columns / t->block * up(K, t->some) : t->threads;
    t->room = t->points * (t->plane + t->panel_plane) + t->owners * t->own_each;
}

struct filter_task *filter_task(struct arena *a, const struct value *v, int threads,
                                const struct filter_caches *caches)
{
    struct filter_task *t = NEW(a, struct filter_task);
    set_sides(t, v);
    t->threads = threads;
    t->in_word = v->takes == TYPE_BF16 ? 2 : 1;
    const struct conv_parts p = conv_parts(v);
    t->out = v == p.y ? &t->coarse : v == p.x ? &t->fine : NULL;
    if (t->out)
        divide_result(t, caches);
    else
        divide_weights(t, caches);
    return t;
}

void filter_task_room(void *task, void *room)
{
    struct filter_task *t = task;
    t->own = room;
    t->planes = t->own + t->owners * t->own_each;
}

bool filter_ends(const struct value *v, const struct epilogue *e)
{
    struct image_end end;
    return v->op != &op_conv_weight_grad && epilogue_ends(NULL, v, e, &end);
}

static void set_end(struct plan *p, struct filter_task *t, const struct value *v)
{
    const struct epilogue e = epilogue_of(v);
    struct image_end *end = NEW(plan_arena(p), struct image_end);
    epilogue_ends(p, v, &e, end);
    t->end = e.n ? end : NULL;
}

void lower_filter(struct plan *p, const struct value *v, const char *word)
{
    const struct conv_parts s = conv_parts(v);
    struct filter_task *t = filter_task(plan_arena(p), v, kernel_threads(shape_size(s.x->shape)),
                                        &filter_caches);
    t->fine.image = plan_data(p, s.x);
    t->coarse.image = plan_data(p, s.y);
    t->weights = plan_data(p, s.w);
    set_end(p, t, v);
    plan_scratch(p, sizeof(float) * (size_t)t->room, filter_task_room, t);
    plan_step(p, v,
              arena_printf(plan_arena(p), "%s F(%dx%d,%d)", word, conv_tile(v, 0), conv_tile(v, 1),
                           t->weight.axis->columns),
              t->out ? kernels()->filter_result : kernels()->filter_weights, t);
}
