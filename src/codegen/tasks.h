// Tasks for our kernels (kernels/kernel.h), made from values' views: whatever can be decided before a step runs is decided here.
#ifndef CODEGEN_TASKS_H
#define CODEGEN_TASKS_H

#include "kernels/kernel.h"

// --- which kernels -------------------------------------------------------------------------------
const struct kernels *kernels(void); // the best that oneDNN uses as well, chosen once
// every set it can run, portable first; NULL beyond the last
const struct kernels *kernels_at(int i);
int kernel_threads(int64_t floats); // how many threads so many elements are worth

// --- maps ----------------------------------------------------------------------------------------
// The views have the rank of `space` or 0; stride 0 where a view repeats, and in `to`, that of the
// first result, where the program reduces.
struct map_task *map_task(struct arena *a, const struct map_program *program, const void *const *in,
                          const struct view *view, void *out, struct view to);
void map_run(const void *map_task); // on the best kernels

// --- copies --------------------------------------------------------------------------------------
// Equal dims, float32. Stride 0 in `from` repeats.
struct copy_task copy_task(float *to, struct view to_view, const float *from,
                           struct view from_view);
// at once
void copy_views(float *to, struct view to_view, const float *from, struct view from_view);

// --- winograd ------------------------------------------------------------------------------------
// What role and tiling say of a task; the rest is zero. In codegen/lower_winograd_planes.c.
struct transform_task transform_task_of(enum winograd_role role, struct winograd_tiling tiling);
// Numbers that are to stay in a last cache, or all that is evaluated, where that saves keeping sums;
// in a thread's own, sums, and weights that meet nothing but those.
struct winograd_caches {
    int64_t shared, whole, own, weights;
};
extern const struct winograd_caches winograd_caches;
// For a convolution with tiles that has its layout; images and weights are still to be set, and
// room for so many floats. In codegen/lower_winograd.c.
struct winograd_task *winograd_task(struct arena *a, const struct value *conv, int threads,
                                    const struct winograd_caches *caches);
void winograd_task_room(void *winograd_task, void *room);

// --- few channels --------------------------------------------------------------------------------
// Sets what taps_… need to know of room, of a task that is whole but for that; how many floats
// `packed` is to have.
int64_t taps_prepare(struct few_task *t);

// --- random --------------------------------------------------------------------------------------
// What a random op draws, in float64: element `index` of a stream. Philox with key = seed and
// counter = (2^63 | step·2^20 | stream, index / 4) gives words w[0…3], of elements 4k … 4k+3. With
// u(w) = (w >> 8)·2^-24:
//     uniform    a + (b − a)·u
//     bernoulli  u < a, a rounded to 2^-24
//     label      ⌊w·a / 2^32⌋
//     normal     Box–Muller on (w[0], w[1]) and on (w[2], w[3]):
//                √(−2 ln(u(w[0]) + 2^-24)) times cos 2πu(w[1]), then sin 2πu(w[1])
double random_at(enum random_kind kind, double a, double b, uint64_t stream, struct plan_clock at,
                 int64_t index);

#endif
