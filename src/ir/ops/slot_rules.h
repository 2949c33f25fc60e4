// Rules that no config names: clipping, running statistics and averages, histories. op_effect.c and
// kernels/kernel_update.c compile them (ir/update_rule.h).
#ifndef IR_OPS_SLOT_RULES_H
#define IR_OPS_SLOT_RULES_H

#include "ir/update_rule.h"

struct clip_options {
    double low, high;
};
struct lerp_options {
    double t;
};

// Keeps NaN.
UPDATE(clip)
{
    const struct clip_options *o = options;
    const real low = o->low, high = o->high;
    EACH(i) {
        const real x = p[i] < low ? low : p[i];
        p[i] = x > high ? high : x;
    }
}

// p ← p + t·(x − p)
UPDATE(lerp)
{
    const struct lerp_options *o = options;
    const real t = o->t;
    EACH(i)
        p[i] += t * (g[i] - p[i]);
}

UPDATE(assign)
{
    EACH(i)
        p[i] = g[i];
}

#endif
