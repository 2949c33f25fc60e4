// A slot is a tensor that outlives a step: a parameter, a buffer (running statistics,
// power-iteration vectors), an optimizer moment, an average. All slots of a model live in one slab,
// which is what a checkpoint writes. A graph reads a slot as a value and writes it through an
// effect op; each write makes a new version, so "the weights before the update" and "after" are
// different values.
#ifndef GRAPH_SLOT_H
#define GRAPH_SLOT_H

#include "base/diag.h"
#include "graph/shape.h"

enum slot_kind { SLOT_PARAM, SLOT_BUFFER, SLOT_MOMENT, SLOT_AVERAGE };

enum init_kind { INIT_CONSTANT, INIT_NORMAL, INIT_UNIFORM, INIT_TRUNCATED, INIT_ORTHOGONAL };

// How a fresh slot is filled: a = the constant, the mean or the lower bound; b = the standard
// deviation or the upper bound. Fan-based rules (glorot, he, torch default) are resolved to these
// numbers when the slot is made.
struct init {
    enum init_kind kind;
    double a, b;
};

struct slot {
    int index;              // position in its slots; also the Philox stream of its init
    // PyTorch's: "generator.0.weight"; moments and averages: "adam.m/generator.0.weight",
    // "ema/generator.0.weight"
    const char *name;
    enum slot_kind kind;
    struct shape shape;     // PyTorch's layout: conv (out, in, kh, kw), dense (out, in)
    struct init init;
    struct place where;     // the layer in the user's text
    size_t offset;          // in floats, in the slab
};

// All slots of an experiment, in the order of their making.
struct slots {
    struct arena *arena;
    struct slot **slot;
    int n;
    size_t floats;          // size of the slab; every slot starts at a multiple of 16 floats
};

void slots_init(struct slots *s, struct arena *a);
// The name must be new.
struct slot *slots_add(struct slots *s, const char *name, enum slot_kind kind, struct shape shape,
                       struct init init, struct place where);
struct slot *slots_find(const struct slots *s, const char *name);  // NULL when absent
// Fills the slab of s->floats floats: each slot from its own Philox stream (seed, index).
void slots_fill(const struct slots *s, float *slab, uint64_t seed);

#endif
