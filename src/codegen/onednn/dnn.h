// The seam to oneDNN: what the rest of ganexp sees of it, the same for both majors (dnn_v2.c,
// dnn_v3.c; only one is built). Layouts and primitives live as long as the process, are found again
// by what they are, and are shared by all plans: equal requests give equal pointers. Called from
// one thread.
#ifndef CODEGEN_ONEDNN_DNN_H
#define CODEGEN_ONEDNN_DNN_H

#include "ir/value.h"

struct arena;

// How a tensor lies in memory. A struct blocked_layout is its head.
struct dnn_layout;
// Plain, or channels-last (rank 4).
const struct dnn_layout *dnn_layout(struct shape shape, enum layout layout, enum type type);
// The layout that v was given by codegen/assign_layouts.c.
const struct dnn_layout *dnn_layout_of(const struct value *v);
const struct blocked_layout *dnn_layout_head(const struct dnn_layout *l);

// What can be computed. NULL where oneDNN has no implementation.
struct dnn_primitive;

enum dnn_conv_kind { DNN_CONV_FORWARD, DNN_CONV_DATA_GRAD, DNN_CONV_WEIGHT_GRAD };

// What is done to a result before it is written, one after the other; all are NOTHING after the
// last. ADD_BIAS adds a float32 number to every channel of an image or column of a matrix, ADD a
// float32 tensor that lies like the result. The number of SCALE is a factor, that of LEAKY_RELU a
// slope, that of ELU what it nears, negated.
enum dnn_after_kind {
    DNN_AFTER_NOTHING,
    DNN_AFTER_ADD_BIAS,
    DNN_AFTER_ADD,
    DNN_AFTER_SCALE,
    DNN_AFTER_LEAKY_RELU,
    DNN_AFTER_ELU,
    DNN_AFTER_TANH,
    DNN_AFTER_SIGMOID
};
enum { DNN_AFTERS = 4 };
struct dnn_after {
    enum dnn_after_kind kind;
    float number;
};

// x (n, c, h, w), w (k, c, kh, kw), y (n, k, oh, ow). Unused members are zero: equal specs are equal
// in all.
struct dnn_conv {
    // how the weights lie; NULL: plain or whatever oneDNN likes best, as `weights` says
    const struct dnn_layout *as;
    int64_t n, c, h, w, k, kh, kw, oh, ow;
    int64_t stride[2], pad[4]; // pad: top, bottom, left, right
    enum dnn_conv_kind kind;
    enum type takes, gives;             // of the two operands, of the result
    enum layout x, y;                   // plain or channels-last
    enum layout weights;                // plain, or blocked: whatever oneDNN likes best
    struct dnn_after after[DNN_AFTERS]; // forward only
};
const struct dnn_primitive *dnn_conv(const struct dnn_conv *spec);
// The layout of the weights (or of their gradient) that the primitive works with.
const struct dnn_layout *dnn_conv_weights(const struct dnn_primitive *p);

// y (batch, m, n) = after(op(a) · op(b)). a is stored (batch, m, k), or (batch, k, m) where ta.
struct dnn_matmul {
    int64_t batch, m, k, n;
    enum type takes, gives;
    struct dnn_after after[DNN_AFTERS];
    bool ta, tb;
};
const struct dnn_primitive *dnn_matmul(const struct dnn_matmul *spec);

// Copies from one layout to another, rounding where the types differ; the shapes are the same.
const struct dnn_primitive *dnn_reorder(const struct dnn_layout *from, const struct dnn_layout *to);

const char *dnn_name(const struct dnn_primitive *p); // oneDNN's: "brgconv:avx512_core"
// Whether it is code made for it, which reads memory as it lies; not a product of copies, not loops.
bool dnn_direct(const struct dnn_primitive *p);
size_t dnn_scratch(const struct dnn_primitive *p); // bytes of room that it wants while it runs

// A primitive bound to addresses: x, w, y of a convolution in any direction (x is written by
// DATA_GRAD, w by WEIGHT_GRAD); a, b, y of a matmul; x (from) and y (to) of a reorder; and what
// after[i] adds. NULL where the primitive has no such tensor.
struct dnn_args {
    void *x, *w, *y, *after[DNN_AFTERS];
};
struct dnn_call;
struct dnn_call *dnn_bind(struct arena *a, const struct dnn_primitive *p, struct dnn_args args);
void dnn_call_room(void *call, void *room); // where its scratch is; for plan_scratch
// for plan_step; returns when the result is there
void dnn_run(const void *call);

const char *dnn_version(void); // "oneDNN 2.6.3"
const char *dnn_isa(void);     // "avx512_core_bf16"
// Which of the processor's instructions it uses: all, unless ONEDNN_MAX_CPU_ISA says less.
bool dnn_uses_avx2(void);
bool dnn_uses_avx512(void);
bool dnn_multiplies_bf16(void);

#endif
