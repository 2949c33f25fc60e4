// An update changes a slot in place, element by element: p ← f(p, g, moments; numbers, options). What
// it does is a rule: an optimizer's, or one of ops/slot_rules.h. How one is written: ir/update_rule.h.
#ifndef IR_UPDATE_H
#define IR_UPDATE_H

#include <stdint.h>

#include "ir/value.h"

// most moments of a rule; numbers that the host feeds before a step
enum { UPDATE_MOMENTS = 4, UPDATE_NUMBERS = 4 };

struct update_rule {
    const char *name; // of its kernel and of its step in a plan
    void (*update)(const void *options, double *p, const double *g, double *const *moment,
                   const double *number, int64_t from, int64_t to);
};

// p is a version of a slot; the result is its next version, a root. g: the gradient, or what is mixed
// in; NULL without. number: an input of shape (UPDATE_NUMBERS), NULL without. Moments are slots of
// p's shape. The options, of so many bytes, are copied.
struct value *update_slot(const struct update_rule *rule, const void *options, size_t size,
                          struct value *p, struct value *g, struct value *number,
                          struct slot *const *moment, int n_moment);
const struct update_rule *update_rule_of(const struct value *v); // NULL when v is no update
const void *update_options_of(const struct value *v);
int update_moments(const struct value *v);

// The rules of clip_slot, lerp_slot and assign_slot (ir/build.h).
extern const struct update_rule rule_clip, rule_lerp, rule_assign;

#endif
