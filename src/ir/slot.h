// A slot is a tensor that outlives a step: a parameter, a buffer (running statistics,
// power-iteration vectors), an optimizer moment, an average. All slots of a model live in one slab,
// which is what a checkpoint writes. A graph reads a slot as a value and writes it through an
// effect op; each write makes a new version, so "the weights before the update" and "after" are
// different values.
#ifndef IR_SLOT_H
#define IR_SLOT_H

#include "base/diag.h"
#include "base/hash_map.h"
#include "ir/value.h"

enum slot_kind { SLOT_PARAM, SLOT_BUFFER, SLOT_MOMENT, SLOT_AVERAGE };

enum init_kind { INIT_CONSTANT, INIT_NORMAL, INIT_UNIFORM, INIT_TRUNCATED, INIT_ORTHOGONAL };

// How a fresh slot is filled: a = the constant, the mean or the lower bound; b = the standard
// deviation or the upper bound. Fan-based rules (glorot, he, torch default) are resolved to these
// numbers when the slot is made.
struct init {
    enum init_kind kind;
    double a, b;
};

// A second copy of a slot, for what reads it in another layout, or rounded. What writes the slot
// writes it too, so it holds no state of its own: it is in the slab, and in nothing that is
// saved.
struct packed_copy {
    const struct blocked_layout *layout; // NULL: plain
    enum type type;
    size_t offset; // in floats, in the slab
    struct packed_copy *next;
};

struct slot {
    struct slots *all;
    int index; // position in its slots; also the Philox stream of its init
    // PyTorch's: "generator.0.weight"; moments and averages: "adam.m/generator.0.weight",
    // "ema/generator.0.weight"
    const char *name;
    enum slot_kind kind;
    struct shape shape; // PyTorch's layout: conv (out, in, kh, kw), dense (out, in)
    struct init init;
    struct place where; // the layer in the user's text
    size_t offset;      // in floats, in the slab
    // What its elements lie like in the slab: dense, NULL for plain. The layout pass chooses, until
    // a slab is filled; then all plans obey. Moments and averages lie as what they are `of`.
    const struct blocked_layout *layout;
    const struct slot *of;
    struct packed_copy *packed_copy;
    bool settled; // it stays where it lies
};

// All slots of an experiment, in the order of their making. They know where it is, so it stays there.
struct slots {
    struct arena *arena;
    struct slot **slot;
    int n;
    struct hash_map by_name;
    size_t floats; // size of the slab; every slot starts at a multiple of 16 floats; packed copies
                   // made by codegen/packed_copy.c add to it
};

void slots_init(struct slots *s, struct arena *a);
// The name must be new.
struct slot *slots_add(struct slots *s, const char *name, enum slot_kind kind, struct shape shape,
                       struct init init, struct place where);
struct slot *slots_find(const struct slots *s, const char *name); // NULL when absent
const struct blocked_layout *slot_layout(const struct slot *s);
// The slot's packed copy that lies so, of that type; NULL where it has none.
const struct packed_copy *slot_packed(const struct slot *s, const struct blocked_layout *layout,
                                      enum type type);
// The same, made where there is none: the slab grows. NULL where a slab was filled before, or the
// layout's order is not known.
const struct packed_copy *slot_packed_made(struct slot *s, const struct blocked_layout *layout,
                                           enum type type);
// Where in the slot's memory, or the packed copy's, each element is, in row-major order.
void slot_positions(const struct slot *s, const struct blocked_layout *layout, int64_t *at);
// The slot's elements to and from the slab, in row-major order wherever they lie; packed copies are written
// too. slot_get gives the slab's own memory where that is so, else a copy in the arena.
void slot_put(const struct slot *s, float *slab, const float *x);
const float *slot_get(const struct slot *s, const float *slab, struct arena *a);
// From now on the slots lie as they do.
void slots_settle(const struct slots *s);
// Fills the slab of s->floats floats: each slot from its own Philox stream (seed, index); settles them.
void slots_fill(const struct slots *s, float *slab, uint64_t seed);

#endif
