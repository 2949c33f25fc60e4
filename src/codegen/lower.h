// What an op's lowering sees of the plan that is being built.
#ifndef CODEGEN_LOWER_H
#define CODEGEN_LOWER_H

#include "codegen/plan.h"
#include "ir/view.h"

struct plan_clock; // kernels/kernel.h

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
const struct plan_clock *plan_clock(const struct plan *p);

#endif
