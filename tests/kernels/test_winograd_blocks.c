// Convolutions by Winograd's algorithm in blocks: every build of the kernels against the meaning of
// the op, for all kernels, strides and tiles, with caches so small that everything is cut.
#include "base/arena.h"
#include "base/philox.h"
#include "ir/build.h"
#include "ir/post_ops.h"
#include "ir/op.h"
#include "ir/winograd_points.h"
#include "codegen/compile.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"
#include "support/numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h> // last: its fail() is another

static struct rng rng;

static int64_t between(int from, int to)
{
    return from + (int64_t)rng_below(&rng, (uint32_t)(to - from + 1));
}

static struct value *random_convolution(struct graph *g, int tile[2])
{
    const int64_t stride = between(1, 2), kernel = between(2, 5),
                  taps = (kernel + stride - 1) / stride, h = between(1, 9), w = between(1, 9);
    const struct window window = {{stride, stride},
                                  {between(0, 2), between(0, 2), between(0, 2), between(0, 2)}};
    const int64_t H = h * stride + kernel, W = w * stride + kernel, C = 16 * between(1, 4),
                  K = 16 * between(1, 4), N = between(1, 4);
    struct value *x = input(g, "x", SHAPE(N, C, H, W)),
                 *k = input(g, "w", SHAPE(K, C, kernel, kernel)), *y = conv(x, k, window),
                 *d = input(g, "y", y->shape);
    for (int axis = 0; axis < 2; axis++)
        tile[axis] = (int)between(
            2, (int)(WINOGRAD_POINTS_MAX + 1 - taps < 6 ? WINOGRAD_POINTS_MAX + 1 - taps : 6));
    switch (between(0, 2)) {
    case 0: return y;
    case 1: return conv_data_grad(d, k, window, H, W);
    default: return conv_weight_grad(x, d, window, kernel, kernel);
    }
}

// Numbers of v as they lie: channels beside each other, but for weights. Those of the reference are
// of bf16 where v is.
static void *laid_out(struct arena *a, const struct value *v, const double *plain, bool last)
{
    const int64_t *d = v->shape.dim, pixels = d[2] * d[3];
    float *to = NEW_ARRAY(a, float, shape_size(v->shape));
    for (int64_t i = 0; i < shape_size(v->shape); i++) {
        const int64_t n = i / (d[1] * pixels), c = i / pixels % d[1], at = i % pixels,
                      place = last ? (n * pixels + at) * d[1] + c : i;
        const float x = (float)plain[i];
        if (v->type == TYPE_BF16)
            memcpy((uint16_t *)to + place, (const uint16_t *)&x + 1, sizeof(uint16_t));
        else
            to[place] = x;
    }
    return to;
}

// What a result may be off by, of the largest.
static double tolerance(const struct value *v)
{
    const int64_t kernel = conv_parts(v).w->shape.dim[2], stride = v->attr.conv.window.stride[0];
    const int taps = (int)((kernel + stride - 1) / stride);
    return v->takes == TYPE_F32 ? 1e-4 / 3
                                : 0.01 * sqrt(winograd_noise(conv_winograd_tile(v, 0), taps) *
                                              winograd_noise(conv_winograd_tile(v, 1), taps));
}

static void compare(const struct kernels *k, const struct winograd_task *t, const struct value *v,
                    const double *want)
{
    const int64_t *d = v->shape.dim, pixels = d[2] * d[3];
    const float *got = t->out ? t->out->image : t->weights;
    double most = 0;
    for (int64_t i = 0; i < shape_size(v->shape); i++)
        most = fmax(most, fabs(want[i]));
    const double allowed = tolerance(v) * most;
    for (int64_t i = 0; i < shape_size(v->shape); i++) {
        const int64_t n = i / (d[1] * pixels), c = i / pixels % d[1],
                      at = t->out ? (n * pixels + i % pixels) * d[1] + c : i;
        if (!(fabs(got[at] - want[i]) <= allowed))
            fail_msg("%s, %s%s, tiles of %d × %d, kernel %d/%d: [%d] is %g, not %g", k->isa,
                     v->op->name, v->takes ? " of bf16" : "", conv_winograd_tile(v, 0),
                     conv_winograd_tile(v, 1), (int)conv_parts(v).w->shape.dim[2],
                     (int)v->attr.conv.window.stride[0], (int)i, got[at], want[i]);
    }
}

// What the convolution ends in: a factor, a bias, a tensor and leaky_relu.
static const double factor = 0.5, slope = 0.2;

static struct value *end_in_all(struct value *v)
{
    struct value *bias = input(v->graph, "bias", SHAPE(1, v->shape.dim[1], 1, 1)),
                 *more = input(v->graph, "more", v->shape);
    const struct post_ops e = {4,
                               {{PW_AFFINE, factor, NULL},
                                {PW_ADD, 0, bias},
                                {PW_ADD, 0, more},
                                {PW_LEAKY_RELU, slope, NULL}}};
    assert_true(winograd_image_end(v, &e));
    return with_post_ops(v, &e);
}

static void set_end(struct arena *a, struct winograd_task *t, const struct value *v, double **value)
{
    if (v->n_in < 4)
        return;
    struct image_end *end = NEW(a, struct image_end);
    *end = (struct image_end){laid_out(a, v->in[2], value[v->in[2]->id], true),
                              laid_out(a, v->in[3], value[v->in[3]->id], true), (float)factor,
                              (float)slope};
    t->end = end;
}

static void try_one(struct arena *a, struct value *v, double **value,
                    const struct winograd_caches *caches)
{
    struct winograd_task *t = winograd_task(a, v, (int)between(1, 3), caches);
    const struct conv_parts s = conv_parts(v);
    const double *const want = value[v->id];
    winograd_task_room(t, NEW_ARRAY(a, float, t->room));
    set_end(a, t, v, value);
    for (int k = 0; kernels_at(k); k++) {
        t->fine.image = laid_out(a, s.x, value[s.x->id], true);
        t->coarse.image = laid_out(a, s.y, value[s.y->id], true);
        t->weights = laid_out(a, s.w, value[s.w->id], false);
        // the result is made, whatever was there
        memset(t->out ? t->out->image : t->weights, 0xff,
               sizeof(float) * (size_t)shape_size(v->shape));
        (t->out ? kernels_at(k)->winograd_result : kernels_at(k)->winograd_weights)(t);
        compare(kernels_at(k), t, v, want);
    }
}

// Half of what a convolution of bf16 reads is in memory what it is multiplied as.
static void prepare(struct value *v)
{
    const struct graph *g = v->graph;
    for (int i = 0; i < g->n; i++)
        g->value[i]->layout = LAYOUT_CHANNELS_LAST;
    v->takes = between(0, 1) ? TYPE_BF16 : TYPE_F32;
    for (int i = 0; i < 2; i++)
        if (v->takes && v->in[i] != conv_parts(v).w)
            v->in[i]->type = between(0, 1) ? TYPE_BF16 : TYPE_F32;
}

// Numbers that are of bf16 where a value is.
static void feed_types(void *context, const struct value *v, double *out)
{
    feed(context, v, out);
    for (int64_t i = 0; v->type == TYPE_BF16 && i < shape_size(v->shape); i++)
        out[i] = rint(out[i] * 0x1p7) * 0x1p-7;
}

static void random_convolutions_give_the_reference(void **state)
{
    (void)state;
    for (int round = 0; round < 150; round++) {
        struct arena *a = arena_new(NULL);
        struct graph *g = graph_new(a);
        int tile[2];
        struct value *v = random_convolution(g, tile);
        const struct reference r = {feed_types, NULL};
        const struct winograd_caches small = {between(1, 60000), between(1, 90000),
                                              between(1, 30000), between(1, 60000)};
        if (winograd_has_blocks(v)) {
            struct value *tiled = conv_winograd(v, tile[0], tile[1]);
            if (round % 2 && v->op != &op_conv_weight_grad)
                tiled = end_in_all(tiled);
            prepare(tiled);
            try_one(a, tiled, graph_reference(g, &r, a), round % 5 ? &small : &winograd_caches);
        }
        arena_free(a);
    }
}

// A last row that no window reads has no gradient: the kernels would leave it as it was.
static void rows_that_no_window_reads_take_another_way(void **state)
{
    (void)state;
    struct graph *g = graph_new(arena_new(NULL));
    struct value *w = input(g, "w", SHAPE(32, 32, 2, 2));
    const struct window window = {{2, 2}, {0}};
    assert_true(
        winograd_has_blocks(conv_data_grad(input(g, "y", SHAPE(1, 32, 4, 4)), w, window, 8, 8)));
    assert_false(
        winograd_has_blocks(conv_data_grad(input(g, "y", SHAPE(1, 32, 4, 4)), w, window, 9, 8)));
    assert_false(winograd_has_blocks(
        conv(input(g, "x", SHAPE(1, 24, 8, 8)), input(g, "v", SHAPE(32, 24, 2, 2)), window)));
    arena_free(g->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_convolutions_give_the_reference),
        cmocka_unit_test(rows_that_no_window_reads_take_another_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
