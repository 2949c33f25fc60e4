// Between which numbers a value lies, whatever the weights are: interval arithmetic over a graph. Warnings ask it.
#ifndef IR_BOUNDS_H
#define IR_BOUNDS_H

#include "ir/value.h"

// By id, memory from the arena; what is not known is ±INFINITY. `given`, by id, is what the caller knows of inputs; NULL: nothing.
struct bounds *graph_bounds(const struct graph *g, const struct bounds *given, struct arena *a);
bool bounds_hold(struct bounds outer, struct bounds inner);

// --- traits of ops: struct op's `bounds` ---------------------------------------------------------
// A pointwise op of one operand that never falls where that rises.
struct bounds bounds_rising(const struct value *v, const struct bounds *in);
struct bounds bounds_affine(const struct value *v, const struct bounds *in);
struct bounds bounds_corners(const struct value *v,
                             const struct bounds *in); // of two: extreme where both are
struct bounds bounds_quotient(const struct value *v, const struct bounds *in);
struct bounds bounds_folded(const struct value *v, const struct bounds *in); // even: square, abs
struct bounds bounds_either(const struct value *v, const struct bounds *in); // a select
struct bounds bounds_unit(const struct value *v, const struct bounds *in);   // [0, 1]
struct bounds bounds_with_zero(const struct value *v, const struct bounds *in);
struct bounds bounds_constant(const struct value *v, const struct bounds *in);
struct bounds bounds_random(const struct value *v, const struct bounds *in);
struct bounds bounds_same(const struct value *v, const struct bounds *in);

#endif
