// The op set by name, for those who look at a value and ask what it is: passes, lowerings, tests.
// Descriptors are defined in prim/op_*.c.
#ifndef IR_OP_H
#define IR_OP_H

#include "ir/value.h"

extern const struct op op_input, op_param, op_constant, op_random;
extern const struct op op_reshape, op_detach, op_transpose, op_slice, op_pad, op_concat,
    op_broadcast;
extern const struct op op_upsample, op_pool_sum, op_reduce_sum, op_reduce_max, op_sum_var,
    op_reorder;
extern const struct op op_fused, op_fused_reduce, op_part; // ir/map_program.h
extern const struct op op_matmul, op_conv, op_conv_data_grad, op_conv_weight_grad;
extern const struct op op_upsampled_kernel, op_upsampled_kernel_grad;
extern const struct op op_winograd_transform, op_winograd_transform_adjoint;
extern const struct op op_one_hot, op_gather, op_scatter_add;
extern const struct op op_adam, op_rmsprop, op_sgd, op_clip_slot, op_lerp_slot, op_assign_slot,
    op_packed_copy;

// Pointwise ops differ by a row of a table: what one element becomes, and what its derivative is
// made of.
enum pointwise {
    PW_ADD,
    PW_SUB,
    PW_MUL,
    PW_DIV,
    PW_MAX,
    PW_MIN,
    PW_GREATER,
    PW_SELECT,
    PW_AFFINE,
    PW_LEAKY_RELU,
    PW_STEP,
    PW_ELU,
    PW_EXP,
    PW_LOG,
    PW_SQRT,
    PW_RSQRT,
    PW_TANH,
    PW_SIGMOID,
    PW_SOFTPLUS,
    PW_SQUARE,
    PW_ABS,
    PW_SIGN,
    PW_COUNT
};
extern const struct op op_pointwise[PW_COUNT];
// Which row v is; v->op has OP_POINTWISE.
enum pointwise pointwise_of(const struct value *v);
int pointwise_operands(enum pointwise op);
// One element in float64: a, b, c are the inputs, f0 and f1 the attributes f[0] and f[1].
double pointwise_eval(enum pointwise op, double a, double b, double c, double f0, double f1);

// axis_rule of what treats each element alike, its operands repeated where they are of size 1.
bool axis_rule_elementwise(const struct value *v, int known, int d, int *axis);

#endif
