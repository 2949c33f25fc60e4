// How a convolution by Winograd's algorithm is cut into blocks. What all threads share, the evaluated
// tiles of some images, is to fit in a last cache; what each keeps for itself, the sums of some
// tiles at all points, in a second one. Products reuse whatever they read often enough that nothing
// else matters much.
//
// Of weights that meet all tiles at once, more may be evaluated than a second cache has: they pass
// through once, and fewer of them at a time mean shorter products (64 for 128 deep took 4 % longer
// with 512 filters). The weights' gradient keeps its sums from images to images; where all images
// fit in most of a last cache, there is nothing to keep.
#include "codegen/post_ops_lowering.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

#include "base/arena.h"

#include <string.h>

enum { WIDE = 64 };

const struct winograd_caches winograd_caches = {2 << 20, 6 << 20, 192 << 10, 416 << 10};

static int64_t lower_winograd_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t lower_winograd_least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t columns_of(int64_t channels, int64_t stride) { return channels * stride * stride; }

// Whether tiles of whatever size reach all of an image: a convolution may leave the last rows, or
// those that it crops, unread.
static bool reaches_all(const struct value *v, const struct conv_parts *s)
{
    for (int axis = 0; axis < 2; axis++) {
        const int64_t stride = v->attr.conv.window.stride[axis],
                      pad = v->attr.conv.window.pad[2 * axis];
        const int64_t last = s->y->shape.dim[2 + axis] +
                             lower_winograd_up(s->w->shape.dim[2 + axis], stride) - 2;
        if (pad < 0 || (s->x->shape.dim[2 + axis] - 1 + pad) / stride > last)
            return false;
    }
    return true;
}

bool winograd_has_blocks(const struct value *v)
{
    enum { PANEL = 2 * WINOGRAD_RUN };
    const struct conv_parts s = conv_parts(v);
    const int64_t K = s.y->shape.dim[1], C = s.x->shape.dim[1];
    const int64_t columns = v->op == &op_conv ? K : columns_of(C, v->attr.conv.window.stride[0]);
    return K % WINOGRAD_RUN == 0 && C % WINOGRAD_RUN == 0 && columns % PANEL == 0 &&
           (v->op != &op_conv_data_grad || reaches_all(v, &s));
}

static void set_image(struct transform_task *t, const struct value *v)
{
    const struct view x = view_of(v);
    t->N = x.dim[0], t->C = x.dim[1], t->H = x.dim[2], t->W = x.dim[3];
    memcpy(t->stride, x.stride, sizeof t->stride);
    t->type[0] = x.type;
    if (x.stride[1] != 1)
        BUG("%%%d: a tiled convolution's images lie channels-last", v->id);
}

// With tiles of as many results as the convolution is told, down or across.
static struct winograd_tiling lower_winograd_tiling_of(const struct value *v,
                                                       const struct conv_parts *s, int axis)
{
    const int64_t n = conv_winograd_tile(v, axis), *pad = v->attr.conv.window.pad;
    return (struct winograd_tiling){
        n,
        v->attr.conv.window.stride[0],
        s->w->shape.dim[2],
        {pad[0], pad[2]},
        {lower_winograd_up(s->y->shape.dim[2], n), lower_winograd_up(s->y->shape.dim[3], n)}};
}

static struct transform_task lower_winograd_side(const struct value *v, const struct conv_parts *s,
                                                 enum winograd_role role)
{
    struct transform_task t = transform_task_of(role, lower_winograd_tiling_of(v, s, 0));
    t.axis[1] = transform_task_of(role, lower_winograd_tiling_of(v, s, 1)).axis[1];
    return t;
}

static void set_sides(struct winograd_task *t, const struct value *v)
{
    const struct conv_parts s = conv_parts(v);
    const int64_t kernel = s.w->shape.dim[2];
    t->fine = lower_winograd_side(v, &s, TILE_FINE);
    t->coarse = lower_winograd_side(v, &s, TILE_COARSE);
    t->weight = lower_winograd_side(v, &s, TILE_WEIGHT);
    t->coarse.axis[0].pad = t->coarse.axis[1].pad = 0;
    set_image(&t->fine, s.x);
    set_image(&t->coarse, s.y);
    t->weight.H = t->weight.W = kernel;
    t->weight.stride[2] = kernel * WINOGRAD_RUN;
    t->weight.stride[3] = WINOGRAD_RUN;
    t->taps = kernel * kernel;
    t->points = t->fine.axis[0].rows * t->fine.axis[1].rows;
}

static int64_t lower_winograd_tiles_of(const struct transform_task *t)
{
    return t->axis[0].count * t->axis[1].count;
}

// A plane's stride: an odd number of runs.
static int64_t apart(int64_t numbers)
{
    return (lower_winograd_up(numbers, WINOGRAD_RUN) | 1) * WINOGRAD_RUN;
}

// So many images that `each` numbers for each of them fit.
static int64_t images_in(const struct winograd_task *t, int64_t each, int64_t room)
{
    const int64_t fit = most(1, room / each), parts = lower_winograd_up(t->fine.N, fit);
    return lower_winograd_up(t->fine.N, parts);
}

// How many parts the rows of weights are evaluated in, where all tiles are summed at once.
static int64_t parts(const struct winograd_task *t, const struct transform_task *in, int64_t own)
{
    const int64_t unit = WINOGRAD_RUN * in->phases * in->phases / t->in_word;
    int64_t n = 1;
    while (t->depth / unit % (2 * n) == 0 && t->points * t->block * t->depth / n > own)
        n *= 2;
    return n;
}

static void divide_result(struct winograd_task *t, const struct winograd_caches *room)
{
    ASSERT(t->out);
    const struct transform_task *in = t->out == &t->fine ? &t->coarse : &t->fine;
    const int64_t tiles = lower_winograd_tiles_of(in);
    const int64_t columns = columns_of(t->out->C, t->out->phases);
    t->depth = columns_of(in->C, in->phases) / t->in_word;
    t->row = t->depth + WINOGRAD_RUN;
    t->images = images_in(t, t->points * tiles * t->row, room->shared);
    t->block = columns % WIDE == 0 ? WIDE : WIDE / 2;
    t->groups = lower_winograd_least(t->images, lower_winograd_up(t->threads, columns / t->block));
    t->some = lower_winograd_least(most(1, room->own / (t->points * t->block)), t->images * tiles);
    t->deep = t->depth / (t->some == t->images * tiles ? parts(t, in, room->weights) : 1);
    t->plane = apart(t->images * tiles * t->row);
    t->weight_plane = apart(t->deep * t->block);
    t->sum_plane = apart(t->some * t->block);
    t->own_each = t->points * (t->weight_plane + t->sum_plane);
    t->owners = t->threads;
    t->room = t->points * t->plane + t->owners * t->own_each;
}

static void divide_weights(struct winograd_task *t, const struct winograd_caches *room)
{
    const int64_t tiles = lower_winograd_tiles_of(&t->fine);
    const int64_t columns = columns_of(t->fine.C, t->fine.phases), K = t->coarse.C;
    t->row = K + WINOGRAD_RUN;
    const int64_t each = t->points * tiles * (t->row + columns) / t->in_word;
    t->images = images_in(t, each, room->whole);
    if (t->images < t->fine.N)
        t->images = images_in(t, each, room->shared);
    t->capacity = lower_winograd_up(t->images * tiles, t->in_word);
    t->keeps = t->images < t->fine.N;
    t->block = columns % WIDE == 0 ? WIDE : WIDE / 2;
    t->some = lower_winograd_least(K, most(WINOGRAD_RUN, room->own / (t->points * t->block)));
    t->plane = apart(t->capacity * t->row);
    t->panel_plane = apart(t->capacity * columns);
    t->sum_plane = apart(t->some * t->block);
    t->own_each = t->points * t->sum_plane;
    t->owners = t->keeps ? columns / t->block * lower_winograd_up(K, t->some) : t->threads;
    t->room = t->points * (t->plane + t->panel_plane) + t->owners * t->own_each;
}

struct winograd_task *winograd_task(struct arena *a, const struct value *v, int threads,
                                    const struct winograd_caches *caches)
{
    ASSERT(conv_is_winograd(v) && winograd_has_blocks(v) && threads > 0);
    struct winograd_task *t = NEW(a, struct winograd_task);
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

void winograd_task_room(void *task, void *room)
{
    struct winograd_task *t = task;
    t->own = room;
    t->planes = t->own + t->owners * t->own_each;
}

bool winograd_image_end(const struct value *v, const struct post_ops *e)
{
    struct image_end end;
    return v->op != &op_conv_weight_grad && post_ops_image_end(NULL, v, e, &end);
}

static void lower_winograd_set_end(struct plan *p, struct winograd_task *t, const struct value *v)
{
    const struct post_ops e = post_ops_of(v);
    struct image_end *end = NEW(plan_arena(p), struct image_end);
    post_ops_image_end(p, v, &e, end);
    t->end = e.n ? end : NULL;
}

void lower_winograd(struct plan *p, const struct value *v, const char *word)
{
    const struct conv_parts s = conv_parts(v);
    struct winograd_task *t = winograd_task(
        plan_arena(p), v, kernel_threads(shape_size(s.x->shape)), &winograd_caches);
    t->fine.image = plan_data(p, s.x);
    t->coarse.image = plan_data(p, s.y);
    t->weights = plan_data(p, s.w);
    lower_winograd_set_end(p, t, v);
    plan_scratch(p, sizeof(float) * (size_t)t->room, winograd_task_room, t);
    plan_step(p, v,
              arena_printf(plan_arena(p), "%s F(%dx%d,%d)", word, conv_winograd_tile(v, 0),
                           conv_winograd_tile(v, 1), t->weight.axis->columns),
              t->out ? kernels()->winograd_result : kernels()->winograd_weights, t);
}

// Blocks are a way to lower the three convolutions (lower_conv.c), which have their rows there.
const struct lowering rows_lower_winograd[] = {{0}};
