// How values lie, as far as that can be said of an op without knowing the rest of its graph; for
// codegen/assign_layouts.c.
#ifndef CODEGEN_VALUE_LAYOUT_H
#define CODEGEN_VALUE_LAYOUT_H

#include "ir/value.h"

struct slot;

struct value_layout {
    enum layout layout;
    const struct blocked_layout *blocked;
};

bool value_layout_equal(struct value_layout a, struct value_layout b);
bool value_layout_is_plain(struct value_layout a);
struct value_layout value_layout_of(const struct value *v);
// Plain until the layout pass, or a slab that was filled before, has said otherwise.
struct value_layout slot_value_layout(const struct slot *s);
// How a slot of that shape has to lie for its values to lie so; NULL for plain.
const struct blocked_layout *layout_in_slot(struct shape s, struct value_layout a);
// For people: "channels-last".
const char *value_layout_name(struct value_layout a);

// How convolutions take and make a picture: channels-last where that is another order in memory.
struct value_layout picture_layout(struct shape s);
// The same memory under another shape; plain where that cannot be said.
struct value_layout value_layout_reshaped(struct value_layout a, struct shape from,
                                          struct shape to);
// How all operands lie where v works on memory in the order that its operand `known` (an input, or
// -1: the result) has: of[0 … n_in − 1] of the inputs, of[n_in] of the result. False where it
// cannot.
bool value_layout_alike(const struct value *v, int known, struct value_layout a,
                        struct value_layout *of);

#endif
