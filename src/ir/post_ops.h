// What a product, or the last map of a Winograd convolution, does to each number of its result before it
// writes it: some pointwise ops in a row, each of what the one before has made and, where it takes
// two, of an operand that stands behind its own: a number for each channel or column, or a tensor
// like the result.
// Only opt/fuse_post_ops.c makes them, after differentiation.
#ifndef IR_POST_OPS_H
#define IR_POST_OPS_H

#include "ir/op.h"

struct post_op {
    enum pointwise op;  // PW_ADD, which has an operand; PW_AFFINE without a shift; others of one
    double number;      // its slope, scale, alpha
    struct value *with; // NULL: none
};

// n: 0 where there is none.
struct post_ops {
    int n;
    struct post_op step[POST_OPS_MAX];
};
struct post_ops post_ops_of(const struct value *product);
// How many operands v has of its own.
int operands_before_post_ops(const struct value *v);
// "bias, leaky_relu 0.2"
void post_ops_text(const struct post_ops *e, struct shape result, struct text *out);
// The same product, which has none yet, with one.
struct value *with_post_ops(struct value *product, const struct post_ops *e);
void post_ops_reference(const struct value *v, const double *const *in, double *out);
void post_ops_print(const struct value *v, struct text *out); // " then bias, leaky_relu 0.2"

// Whether a step has an operand that is a number for each channel of an image or column of a
// matrix.
bool post_op_is_bias(const struct post_op *step, struct shape result);

#endif
