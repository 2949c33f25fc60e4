// Pointwise ops, reductions and fused chains of them: all are maps.
#include "base/arena.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

static void lower_map(struct plan *p, const struct value *v, const struct map_program *program,
                      const char *what)
{
    const void *in[MAP_INPUTS];
    struct view view[MAP_INPUTS];
    for (int i = 0; i < v->n_in; i++) {
        in[i] = plan_data(p, v->in[i]);
        view[i] = view_broadcast(v->in[i], program->space);
    }
    struct view to = view_broadcast(v, program->space);
    for (int d = 0; d < to.rank && program->reduce != MAP_STORE; d++)
        to.stride[d] = program->axes >> d & 1 ? 0 : to.stride[d];
    const struct map_task *t = map_task(plan_arena(p), program, in, view, plan_data(p, v), to);
    plan_step(p, v, what, t->reduce == MAP_STORE ? kernels()->map_store : kernels()->map_reduce, t);
}

static void lower_pointwise(struct plan *p, const struct value *v)
{
    const struct map_inst inst = {.code = (uint8_t)pointwise_of(v),
                                  .a = 0,
                                  .b = v->n_in > 1,
                                  .c = v->n_in > 2 ? 2 : 0,
                                  .f0 = (float)v->attr.number[0],
                                  .f1 = (float)v->attr.number[1]};
    const struct map_program program = {.n_in = v->n_in, .n = 1, .inst = {inst}, .space = v->shape};
    lower_map(p, v, &program, "map");
}

static void lower_reduce(struct plan *p, const struct value *v, enum map_reduce reduce)
{
    const struct map_program program = {.n_in = 1,
                                        .reduce = reduce,
                                        .axes = (unsigned)v->attr.axes,
                                        .n_result = reduce == MAP_SUM_VAR ? 2 : 1,
                                        .space = v->in[0]->shape};
    lower_map(p, v, &program, "reduce");
}

static void lower_sum_var(struct plan *p, const struct value *v)
{
    lower_reduce(p, v, MAP_SUM_VAR);
}

static void lower_reduce_sum(struct plan *p, const struct value *v) { lower_reduce(p, v, MAP_SUM); }

static void lower_reduce_max(struct plan *p, const struct value *v) { lower_reduce(p, v, MAP_MAX); }

static void lower_fused(struct plan *p, const struct value *v)
{
    const struct map_program *program = map_program_of(v);
    lower_map(p, v, program, program->reduce == MAP_STORE ? "map" : "map reduce");
}

enum { RUNS_AS_MAP = RUNS_ANY_LAYOUT | RUNS_READING_BF16 };

const struct lowering rows_lower_pointwise[] = {
    {.op = op_pointwise,
     .n = PW_COUNT,
     .flags = RUNS_AS_MAP | RUNS_WRITING_BF16,
     .lower = lower_pointwise},
    {.op = &op_fused, .flags = RUNS_AS_MAP | RUNS_WRITING_BF16, .lower = lower_fused},
    {.op = &op_fused_reduce, .flags = RUNS_AS_MAP, .lower = lower_fused},
    {.op = &op_reduce_sum, .flags = RUNS_AS_MAP, .lower = lower_reduce_sum},
    {.op = &op_reduce_max, .flags = RUNS_AS_MAP, .lower = lower_reduce_max},
    {.op = &op_sum_var, .flags = RUNS_AS_MAP, .lower = lower_sum_var},
    {0}};
