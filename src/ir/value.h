// The intermediate representation: a graph is a list of values in an order in which they can be
// computed; a value is an op applied to earlier values. All tensors are float32, to which
// codegen/bf16.c may make exceptions; labels travel as floats that hold whole numbers. Ops that change
// a slot ("effects") return its new version.
#ifndef IR_VALUE_H
#define IR_VALUE_H

#include "base/diag.h"
#include "base/hash_map.h"
#include "ir/attr.h"
#include "ir/layout.h"
#include "ir/shape.h"

struct arena;
struct chooser;
struct machine;
struct post_ops;
struct graph;
struct op;
struct slot;
struct text;

// What a number is in memory: float32, or the upper half of one.
enum type { TYPE_F32, TYPE_BF16 };

static inline size_t type_bytes(enum type t) { return t == TYPE_BF16 ? 2 : 4; }

struct value {
    int id; // position in graph->value
    const struct op *op;
    struct graph *graph;
    struct shape shape;
    int n_in;
    struct value **in;
    struct attr attr;
    struct place where; // the line of the user's text it came from
    const char *label;  // where in the model, for people: "discriminator.2 conv2d"; may be NULL
    bool backward;      // born in gradient(), or in place of such

    // Set by passes.
    struct value *replaced;               // during graph_rewrite only: what took this value's place
    enum layout layout;                   // chosen by codegen/assign_layouts.c, plain before it
    const struct blocked_layout *blocked; // LAYOUT_TRANSPOSED and LAYOUT_BLOCKED only
    enum type type;                       // of the numbers in memory
    enum type takes;                      // OP_PRODUCT: what its operands are rounded to
    bool by_library;                      // by oneDNN, although a kernel of ours could
    // the value whose memory this one shares; itself when it has its own; NULL for slots
    struct value *storage;
    size_t bytes, offset; // in the activation slab, when storage == itself
    size_t shift;         // in bytes, from where the storage begins
};

enum op_flag {
    OP_SOURCE = 1 << 0, // no inputs
    // writes attr.slot in place; in[0] is the slot's previous version, in[1] a gradient or what is
    // mixed in, in[EFFECT_NUMBERS] a few numbers, what follows moments
    OP_EFFECT = 1 << 1,
    // one output element depends on the same element of each (broadcast) input
    OP_POINTWISE = 1 << 2,
    // derivative zero everywhere (step, compare, one_hot) or stopped (detach)
    OP_NO_GRAD = 1 << 4,
    // plain in, plain out: same bytes in the same order (reshape, detach), or a stretch of them
    // (part: attr.part times its own length from the start)
    OP_ALIAS = 1 << 5,
    // filled when the plan is made or by the host, not by a step: its memory is never shared
    OP_PINNED = 1 << 7,
    OP_PRODUCT = 1 << 8,   // a sum of products of two operands, which may be rounded to bf16
    OP_MOVES = 1 << 10,    // each element of the result is an element of an input
    OP_ADDS_UP = 1 << 11,  // each element is the sum of as many elements of the input
    OP_IN_ORDER = 1 << 12, // of one input; where that has the result's shape, it is the result
    OP_POST_OPS = 1 << 9, // its attributes have room for what is done to its result (ir/post_ops.h)
};

// Where v computes each sample (dimension 0) of its result from the same sample of its inputs alone:
// what an input is. An op that does not say so couples samples, so that a new one is left alone until
// somebody has thought about it.
enum batch_role { BATCH_COUPLED, BATCH_EACH, BATCH_SHARED };

enum { EFFECT_NUMBERS = 2 };

struct bounds { // between which numbers something lies
    double low, high;
};

// What an op means: no machine. How it runs is told by codegen/lowering.h. One descriptor an op, in
// ir/ops/op_*.c.
struct op {
    const char *name;
    unsigned flags;
    enum attr_kind attr; // which member of struct attr it uses
    // "dx_i = …": dx[i] is already set to NULL; fill it for each input i with want[i], or leave
    // NULL for zero.
    void (*grad)(struct value *v, struct value *dy, const bool *want, struct value **dx);
    // The meaning, in float64 on plain layouts. Effects compute the new version into out.
    void (*reference)(const struct value *v, const double *const *in, double *out);
    // Writes attributes for printing: "stride=2 pad=1,1,1,1".
    void (*print)(const struct value *v, struct text *out);
    // For ops that work dimension by dimension: which dimension of each operand is dimension d of
    // operand `known` (an input, or -1: the result). axis[0 … n_in − 1] of the inputs, axis[n_in]
    // of the result; -1 where it has none, or one of size 1. NULL or false: not so. Such an op may
    // take that dimension in another order, the same in all.
    bool (*axis_rule)(const struct value *v, int known, int d, int *axis);
    // What input i is to v's batch; NULL: v couples samples. Asked by batch_role.
    enum batch_role (*batch_role)(const struct value *v, int i);
    // Whether v sums over the batch of all its inputs; NULL: no. Asked by sums_batch.
    bool (*sums_batch)(const struct value *v);
    // Whether v is linear in those of its inputs together (bit i: input i), the others held; NULL: no.
    // Asked by linear_in.
    bool (*linear_in)(const struct value *v, unsigned inputs);
    // Between which numbers the result lies where input i lies within in[i]; NULL: what the flags say (ir/bounds.h).
    struct bounds (*bounds)(const struct value *v, const struct bounds *in);
    // Multiply-adds of one evaluation; NULL counts as zero.
    double (*multiply_adds)(const struct value *v);
};

struct root {
    const char *name; // what the host calls it: "loss/discriminator", "sample"; effects: NULL
    struct value *value;
};

struct graph {
    struct arena *arena;
    struct value **value; // in an order in which they can be computed
    int n;
    struct root *root; // what must be kept: named results and effects
    int n_root;
    // given to new values; builders set it as they go through the user's text
    struct place where;
    const char *label; // the same for value.label
    bool backward;
    bool minimal_filtering;  // whether convolutions may be computed by fewer, rounded differently
    struct chooser *chooser; // answers what passes ask (ir/choice.h); NULL: their rules do
    const struct machine
        *machine;          // answers what they ask about the machine (ir/machine.h); may be NULL
    enum type precision;   // what products may round their operands to
    struct hash_map names; // graph_name's
    const struct value *excess; // the first value of more than ELEMENTS_MAX elements; NULL: none
    int next_stream;            // next free number for graph_random
    int *reached;               // ir/reach.c's, by id: 1 + the position in the reach that is open
    int n_reached;
    size_t kept; // what lies below this offset outlives an execution; codegen/assign_memory.c says
};

struct graph *graph_new(struct arena *a);
const char *graph_name(struct graph *g, const char *name); // one pointer per text
// Appends a value; inputs must belong to the graph already.
struct value *graph_add(struct graph *g, const struct op *op, struct shape shape, int n_in,
                        struct value *const *in, struct attr attr);
// Whether no value has more than ELEMENTS_MAX elements. False, reported at the first that has: what
// is built of a user's numbers is asked before it is built upon.
bool graph_fits(const struct graph *g, struct diag *d);
void graph_root(struct graph *g, const char *name, struct value *v);
struct value *graph_find_root(const struct graph *g, const char *name);

// Rewrites the graph in order. For each value, whose inputs are already mapped, rule returns
// NULL to keep it, or its replacement (built by constructors, or an earlier value). Returns whether
// anything was replaced.
bool graph_rewrite(struct graph *g, struct value *(*rule)(struct value *v, void *context),
                   void *context);
// Drops values that no root needs. Returns whether any was dropped.
bool graph_drop_unneeded(struct graph *g);

// Structural checks: inputs earlier, shapes right, no read of a slot's version after it was
// overwritten, every effect a root. Aborts, printing the graph with the offending value marked.
void graph_verify(const struct graph *g, const char *after);
// One line a value: "%12 = conv(%3, %7) (32, 64, 14, 14) stride=2 # configs/acgan.yaml:31
// discriminator.2 conv2d"
void graph_print(const struct graph *g, struct text *out);
void value_text(const struct value *v, struct text *out);

// Interprets the graph in float64 with the reference kernels, on plain layouts. Callbacks give the
// sources.
struct reference {
    // input, param and random values
    void (*input)(void *context, const struct value *v, double *out);
    void *context;
};
// results[id] for every value; memory from arena a.
double **graph_reference(const struct graph *g, const struct reference *r, struct arena *a);

#endif
