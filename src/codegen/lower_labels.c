// Ops on labels.
#include "base/arena.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

static struct label_task *task(struct plan *p, const struct value *v, const struct value *index,
                               int64_t rows)
{
    struct label_task *t = NEW(plan_arena(p), struct label_task);
    *t = (struct label_task){.x = plan_data(p, v->in[0]),
                             .index = plan_data(p, index),
                             .y = plan_data(p, v),
                             .n = index->shape.dim[0],
                             .rows = rows,
                             .columns = v->shape.dim[1],
                             .threads = kernel_threads(shape_size(v->shape))};
    return t;
}

static void lower_gather(struct plan *p, const struct value *v)
{
    plan_step(p, v, "gather", kernels()->gather, task(p, v, v->in[1], v->in[0]->shape.dim[0]));
}

static void lower_scatter_add(struct plan *p, const struct value *v)
{
    plan_step(p, v, "scatter_add", kernels()->scatter_add, task(p, v, v->in[1], v->shape.dim[0]));
}

static void lower_one_hot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "one_hot", kernels()->one_hot, task(p, v, v->in[0], v->shape.dim[1]));
}

const struct lowering rows_lower_labels[] = {{.op = &op_gather, .lower = lower_gather},
                                             {.op = &op_scatter_add, .lower = lower_scatter_add},
                                             {.op = &op_one_hot, .lower = lower_one_hot},
                                             {0}};
