// Draws. random_at is what the vector loops of kernel_random.c do, one element at a time and in
// float64.
#include "base/arena.h"
#include "base/philox.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

#include <math.h>

static double lower_random_unit(uint32_t w) { return (w >> 8) * 0x1p-24; }

double random_at(enum random_kind kind, double a, double b, uint64_t stream, struct plan_clock at,
                 int64_t index)
{
    const struct philox block = philox(at.seed, 1ull << 63 | at.step << 20 | stream,
                                       (uint64_t)index / 4);
    const uint32_t *w = block.word, k = index % 4;
    switch (kind) {
    case RANDOM_UNIFORM: return a + (b - a) * lower_random_unit(w[k]);
    case RANDOM_BERNOULLI: return lower_random_unit(w[k]) < floor(a * 0x1p24 + 0.5) * 0x1p-24;
    case RANDOM_LABEL: return (double)((uint64_t)w[k] * (uint32_t)a >> 32);
    case RANDOM_NORMAL: break;
    }
    const double r = sqrt(-2 * log(lower_random_unit(w[k & 2]) + 0x1p-24)),
                 turn = 6.283185307179586 * lower_random_unit(w[k | 1]);
    return a + b * r * (k & 1 ? sin(turn) : cos(turn));
}

static void lower_random(struct plan *p, const struct value *v)
{
    struct random_task *t = NEW(plan_arena(p), struct random_task);
    const int64_t n = shape_size(v->shape);
    const int64_t *d = v->shape.dim,
                  *turn = v->layout == LAYOUT_TRANSPOSED ? v->blocked->order.dim : NULL;
    const bool last = v->layout == LAYOUT_CHANNELS_LAST;
    *t = (struct random_task){.to = plan_data(p, v),
                              .n = n,
                              .channels = last   ? d[1]
                                          : turn ? turn[1]
                                                 : 1,
                              .pixels = last   ? d[2] * d[3]
                                        : turn ? turn[2]
                                               : 1,
                              .kind = (enum random_kind)v->attr.random.kind,
                              .a = v->attr.random.a,
                              .b = v->attr.random.b,
                              .stream = (uint64_t)v->attr.random.stream,
                              .clock = plan_clock(p),
                              .threads = kernel_threads(4 * n)};
    plan_step(p, v, "random", kernels()->random, t);
}

const struct lowering rows_lower_random[] = {
    {.op = &op_random, .flags = RUNS_ANY_LAYOUT, .lower = lower_random}, {0}};
