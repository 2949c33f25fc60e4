// Winograd's maps of whole tensors, to planes and back.
#include "codegen/lowering.h"
#include "codegen/post_ops_lowering.h"
#include "codegen/tasks.h"

#include "base/arena.h"
#include "ir/ops/op_winograd.h"

#include <string.h>

static void fill_task(struct transform_task *t, const struct winograd_cut *c)
{
    t->step = c->step, t->phases = c->phases;
    for (int i = 0; i < 2; i++) {
        struct transform_axis *axis = &t->axis[i];
        *axis = (struct transform_axis){c->n, c->count[i], c->pad[i], c->rows, c->columns};
        for (int k = 0; k < c->rows; k++)
            for (int j = 0; j < c->columns; j++)
                axis->m[k * c->columns + j] = axis->transposed[j * c->rows + k] =
                    (float)c->m[k * c->columns + j];
    }
}

struct transform_task transform_task_of(enum winograd_role role, struct winograd_tiling tiling)
{
    const struct winograd_cut c = winograd_cut_by(role, tiling);
    struct transform_task t = {0};
    fill_task(&t, &c);
    return t;
}

// Weights' gradients go to an optimizer as they are.
static bool lower_winograd_planes_post_ops_fit(const struct value *v, const struct post_ops *e)
{
    struct image_end end;
    return v->attr.winograd.role != TILE_WEIGHT && post_ops_image_end(NULL, v, e, &end);
}

static const struct image_end *lower_winograd_planes_end_of(struct plan *p, const struct value *v)
{
    const struct post_ops e = post_ops_of(v);
    struct image_end *end = NEW(plan_arena(p), struct image_end);
    post_ops_image_end(p, v, &e, end);
    return e.n ? end : NULL;
}

static void lower_winograd_planes(struct plan *p, const struct value *v, const struct value *image,
                                  const struct value *y)
{
    static const char *const what[] = {"winograd_transform of a result",
                                       "winograd_transform of an image",
                                       "winograd_transform of weights"};
    const struct winograd_cut c = winograd_cut_of(v);
    const struct view x = view_of(image);
    struct transform_task *t = NEW(plan_arena(p), struct transform_task);
    *t = (struct transform_task){.image = plan_data(p, image),
                                 .tiles = plan_data(p, y),
                                 .N = x.dim[0],
                                 .C = x.dim[1],
                                 .H = x.dim[2],
                                 .W = x.dim[3],
                                 .type = {image->type, y->type},
                                 .plane = y->shape.dim[1] * y->shape.dim[2],
                                 .adjoint = image == v,
                                 .end = lower_winograd_planes_end_of(p, v),
                                 .threads = kernel_threads(shape_size(y->shape))};
    memcpy(t->stride, x.stride, sizeof t->stride);
    fill_task(t, &c);
    plan_step(p, v,
              arena_printf(plan_arena(p), "%s%s", what[v->attr.winograd.role],
                           image == v ? ", adjoint" : ""),
              kernels()->winograd_transform, t);
}

static void lower_winograd_transform(struct plan *p, const struct value *v)
{
    lower_winograd_planes(p, v, v->in[0], v);
}

static void lower_winograd_transform_adjoint(struct plan *p, const struct value *v)
{
    lower_winograd_planes(p, v, v, v->in[0]);
}

// Weights are plain; images lie channels-last.
static const struct blocked_layout *lower_winograd_planes_layout(const struct value *v, int i)
{
    static const struct blocked_layout plain = {.plain = true};
    (void)i;
    return v->attr.winograd.role == TILE_WEIGHT ? &plain : NULL;
}

const struct lowering rows_lower_winograd_planes[] = {
    {.op = &op_winograd_transform,
     .flags = RUNS_BLOCKED | RUNS_READING_BF16 | RUNS_WRITING_BF16,
     .lower = lower_winograd_transform,
     .blocked_layout = lower_winograd_planes_layout},
    {.op = &op_winograd_transform_adjoint,
     .flags = RUNS_BLOCKED | RUNS_READING_BF16,
     .lower = lower_winograd_transform_adjoint,
     .blocked_layout = lower_winograd_planes_layout,
     .post_ops_fit = lower_winograd_planes_post_ops_fit},
    {0}};
