// What is minimised: functions from graph values to a scalar of rank 0. One word a file: loss_*.c
// (the two sides of a game), penalty_*.c (a game's regulariser), term_*.c (everything else), each
// ending in its descriptor.
#ifndef LOSSES_LOSSES_H
#define LOSSES_LOSSES_H

#include "config/param.h"
#include "ir/build.h"

enum loss_flag {
    LOSS_PAIRS = 1 << 0,  // both sides need the critic's output on real and on fake
    LOSS_SMOOTH = 1 << 1, // its critic's side has a target for real data, which `smooth` lowers
    LOSS_SLOPE = 1 << 2 // grows without end with the critic's slope: something must hold that back
};

// `real` and `fake` are what the critic says, logits of any shape (patch maps too); a loss means
// over everything.
struct loss {
    struct word word; // usage: the formula; r = critic(real), f = critic(fake)
    unsigned flags;
    // Between which numbers the critic must be able to answer; NULL: it wants them all.
    struct bounds (*wants)(const void *params);
    // smooth: how far the target of real data is lowered; 0 without LOSS_SMOOTH.
    struct value *(*critic)(const void *params, struct value *real, struct value *fake,
                            double smooth);
    // What the other side minimises. Without LOSS_PAIRS either may be NULL: `real` is given only
    // where it depends on what is being trained (an encoder's side of BiGAN), `fake` likewise,
    // never both NULL.
    struct value *(*generator)(const void *params, struct value *real, struct value *fake);
};

// Where a penalty is taken: a critic's arguments on both sides and the critic itself.
struct penalty_ctx {
    struct graph *graph;
    int n; // the critic's arguments
    struct value *const *real, *const *fake;
    // labels, and conditions that are the same value on both sides: neither mixed nor varied
    const bool *held;
    struct value *(*critic)(struct penalty_ctx *ctx, struct value *const *argument);
    void *own; // the callback's
};

struct penalty {
    struct word
        word; // usage: the formula; the first parameter is the weight, which `build` multiplies by
    struct value *(*build)(struct penalty_ctx *ctx, const void *params);
};

// ‖∂ Σ critic(x) / ∂x‖² for each sample, over all arguments that are not held: (N, 1).
struct value *penalty_slope(struct penalty_ctx *ctx, struct value *const *x);
// mean((√(s + 1e-12) − target)²) of the squared norms s (N, 1)
struct value *penalty_distance(struct value *s, double target);
// (N, 1, …) of x's rank: one draw of U(0, 1) a sample, a new stream.
struct value *penalty_alpha(const struct value *x);

// A term's arguments are expressions: the first parameters of its table, whose struct begins with a struct term_arguments. A
// PARAM_TENSOR has any shape, or is a number, which is repeated to the shape of the first argument; a PARAM_LABEL is (N) whole
// numbers, a number, or one-hot of the first argument's shape.
enum { TERM_ARGUMENTS = 4 };
struct term_arguments {
    const struct node *is[TERM_ARGUMENTS]; // NULL: optional and absent
};
#define TERM_ARGUMENT(i, name, type, otherwise, about)                               \
    {                                                                                \
        name, type, offsetof(struct term_arguments, is[i]), otherwise, .help = about \
    }
#define TERM_TENSOR(i, name, about) TERM_ARGUMENT(i, name, PARAM_TENSOR, NULL, about)
#define TERM_OPTIONAL(i, name, about) TERM_ARGUMENT(i, name, PARAM_TENSOR, "", about)
#define TERM_LABEL(i, name, about) TERM_ARGUMENT(i, name, PARAM_LABEL, NULL, about)

struct term {
    struct word word; // usage: the formula; parameters: its arguments, then others
    unsigned logits;  // bit i: argument i is logits, which may be any number
    // Tensors have equal shapes, checked by the caller; an absent optional argument is NULL.
    struct value *(*build)(const void *params, struct value *const *argument);
};

extern const struct vocabulary losses, penalties, terms; // generated from the folder
const struct loss *loss_find(const char *name);
const struct penalty *penalty_find(const char *name);
const struct term *term_find(const char *name);
int term_argument_count(const struct term *is); // how many it can have

// --- what several losses are made of -------------------------------------------------------------
// The critic's side of `log`: mean(softplus(−r)) + mean(softplus(f)), and smooth·mean(r).
struct value *log_critic(const void *params, struct value *real, struct value *fake, double smooth);
// The generator's side of a difference of means: −mean(f) + mean(r), either NULL.
struct value *mean_generator(const void *params, struct value *real, struct value *fake);
// x: rank 0, or of shape's rank with 1s
struct value *repeat_to(struct value *x, struct shape shape);
struct value *log_softmax(struct value *logits);           // (N, K), stable
struct value *sum_terms(struct value *a, struct value *b); // a + b where either may be NULL

#endif
