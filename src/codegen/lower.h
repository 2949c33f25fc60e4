// What an op's lowering sees of the plan that is being built.
#ifndef CODEGEN_LOWER_H
#define CODEGEN_LOWER_H

#include "codegen/plan.h"

// Where v lies. Fixed for the plan's life.
float *plan_data(struct plan *p, const struct value *v);
// Memory for step arguments, constants and workspaces; lives as long as the plan.
struct arena *plan_arena(struct plan *p);
// Appends a step. args come from plan_arena. `what` names it in plan_print: "map", "conv forward
// brgconv:avx512_core".
void plan_step(struct plan *p, const struct value *v, const char *what,
               void (*run)(const void *args), const void *args);
// Room that steps share, for what lives only while one runs: at least `bytes`, aligned to 64.
// set(object, room) is called once, at the end of plan_new, when the most that any step wants is
// known.
void plan_scratch(struct plan *p, size_t bytes, void (*set)(void *object, void *room),
                  void *object);
// What random draws are keyed by; read when the step runs.
struct plan_clock {
    uint64_t seed, step;
};
const struct plan_clock *plan_clock(const struct plan *p);

// A value as nested loops: dims and strides in numbers, in logical order, according to its layout.
struct view {
    int rank;
    int64_t dim[RANK_MAX], stride[RANK_MAX];
    enum type type;
};
// Plain or channels-last. A transposed or blocked value as if it were plain: that is for ops that do not
// care for the order of elements in memory, whose operands all lie alike.
struct view view_of(const struct value *v);
// v seen with the shape of a larger iteration space: stride 0 where it repeats. Equal rank, or rank
// 0.
struct view view_broadcast(const struct value *v, struct shape to);

#endif
