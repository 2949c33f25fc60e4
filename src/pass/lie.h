// How values lie, as far as that can be said of an op without knowing the rest of its graph; for
// pass/layout.c.
#ifndef PASS_LIE_H
#define PASS_LIE_H

#include "graph/value.h"

struct slot;

struct lie {
    enum layout layout;
    const struct opaque_layout *opaque;
};

bool lie_equal(struct lie a, struct lie b);
bool lie_is_plain(struct lie a);
struct lie lie_of(const struct value *v);
// Plain until the layout pass, or a slab that was filled before, has said otherwise.
struct lie lie_of_slot(const struct slot *s);
// How a slot of that shape has to lie for its values to lie so; NULL for plain.
const struct opaque_layout *lie_in_slot(struct shape s, struct lie a);
// For people: "channels-last".
const char *lie_name(struct lie a);

// How convolutions take and make a picture: channels-last where that is another order in memory.
struct lie lie_of_picture(struct shape s);
// The same memory under another shape; plain where that cannot be said.
struct lie lie_reshaped(struct lie a, struct shape from, struct shape to);
// How all operands lie where v works on memory in the order that its operand `known` (an input, or
// -1: the result) has: of[0 … n_in − 1] of the inputs, of[n_in] of the result. False where it
// cannot.
bool lie_alike(const struct value *v, int known, struct lie a, struct lie *of);

#endif
