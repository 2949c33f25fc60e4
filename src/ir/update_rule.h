// How the rule of an update is written: as C text, once, with UPDATE. It is compiled in two ways: in
// double it is the reference, in float, by kernels/kernel_update.c, the kernel of each instruction
// set. `real` is the one or the other; functions of <tgmath.h> follow it.
//
//     UPDATE(lerp)
//     {
//         const struct lerp_options *o = options;
//         const real t = o->t;
//         EACH(i)
//             p[i] += t * (g[i] - p[i]);
//     }
//
// A rule reads p, g, moment[0 …], number[0 … UPDATE_NUMBERS − 1], which has what changes from step to
// step, and options; it writes p and the moments. What is the same for all elements is worked out
// before EACH. A literal with a fraction is a double: 0.5 * p[i] would be computed as one.
//
// The simpler idea, a rule as a map program (ir/map_program.h) that the map engine interprets an
// instruction at a time, is slower: each instruction loads and stores, and root and division no longer
// hide behind memory (experiments/performance/dropped.md).
#ifndef IR_UPDATE_RULE_H
#define IR_UPDATE_RULE_H

#include <tgmath.h>

#include "ir/update.h"

#define UPDATE_UNUSED __attribute__((unused))
#define UPDATE_ARGUMENTS                                                                         \
    UPDATE_UNUSED const void *options, UPDATE_UNUSED real *p, UPDATE_UNUSED const real *g,       \
        UPDATE_UNUSED real *const *moment, UPDATE_UNUSED const real *number, const int64_t from, \
        const int64_t to
#define EACH(i) _Pragma("omp simd") for (int64_t i = from; i < to; i++)

// kernels/kernel_update.c has others.
#ifndef UPDATE
typedef double real;
#define UPDATE(name) static void name##_update(UPDATE_ARGUMENTS)
#define RULE(word)                             \
    {                                          \
        .name = #word, .update = word##_update \
    }
#define REGISTERED(type, name) const type name
#endif

#endif
