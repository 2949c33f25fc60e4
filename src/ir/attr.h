// What an op knows beside its inputs: a member of the union for each kind of op, named by struct
// op's `attr`. Every member is eight bytes wide, so that none has padding and two attributes of one
// op are equal when their bytes are; attr_equal and attr_hash know how many count.
#ifndef IR_ATTR_H
#define IR_ATTR_H

#include "ir/resampling.h"
#include "ir/shape.h"

#include <stddef.h>
#include <stdint.h>

struct map_program;
struct slot;
struct update_call;

struct window {
    int64_t stride[2], pad[4]; // pad: top, bottom, left, right; below zero it crops
};

enum random_kind { RANDOM_UNIFORM, RANDOM_NORMAL, RANDOM_BERNOULLI, RANDOM_LABEL };

// What Winograd's convolutions are made of (ir/build.h: winograd_transform).
enum winograd_role { TILE_COARSE, TILE_FINE, TILE_WEIGHT };
struct winograd_tiling {
    int64_t n, stride, kernel; // a tile is n results of a convolution
    int64_t pad[2], count[2];  // top, left; tiles down and across
};

enum attr_kind {
    ATTR_NONE,
    ATTR_CONV,
    ATTR_MATMUL,
    ATTR_PERMUTATION,
    ATTR_SLICE,
    ATTR_PAD,
    ATTR_AXIS,
    ATTR_AXES,
    ATTR_FACTOR,
    ATTR_RESAMPLE,
    ATTR_WINOGRAD,
    ATTR_RANDOM,
    ATTR_NUMBERS,
    ATTR_PART,
    ATTR_PROGRAM,
    ATTR_WHY,
    ATTR_UPDATE,
    ATTR_KINDS
};

enum { POST_OPS_MAX = 4 };

struct attr {
    const char *name;  // input: what the host feeds; interned by graph_name
    struct slot *slot; // param and effects
    // ops with OP_POST_OPS (ir/post_ops.h): enum pointwise + 1, 0 beyond the last, and its number
    struct {
        int64_t op;
        double number;
    } post[POST_OPS_MAX];
    union {
        struct { // conv and its gradients
            struct window window;
            int64_t tile[2]; // down, across: by Winograd's algorithm in blocks; 0: directly
        } conv;
        struct {
            int64_t ta, tb; // whether an operand is stored transposed
        } matmul;
        struct {
            int64_t axis[RANK_MAX]; // out.dim[i] = in.dim[axis[i]]
        } permutation;
        struct {
            int64_t axis, from;
        } slice;
        struct {
            int64_t before[RANK_MAX], after[RANK_MAX];
        } pad;
        int64_t axis;  // concat
        uint64_t axes; // reductions: bit i is dimension i
        struct {       // upsample, pool_sum, folded kernels
            int64_t by, pooled;
        } factor;
        struct {
            struct resampling axis[2]; // down, across
            int64_t adjoint;           // both transposed: from their `to` to their `from`
        } resample;
        struct {
            int64_t role; // enum winograd_role
            struct winograd_tiling tiling;
        } winograd;
        struct {
            int64_t kind, stream; // enum random_kind
            double a, b;
        } random;
        double number[2];                  // constant; pointwise: scale and shift, slope, alpha
        int64_t part;                      // which stretch of its input
        const struct map_program *program; // fused ops
        const char *why;                   // reorder, packed_copy: for people
        const struct update_call *update;  // update
    };
};

bool attr_equal(enum attr_kind kind, const struct attr *a, const struct attr *b);
uint64_t attr_hash(enum attr_kind kind, const struct attr *a);

#endif
