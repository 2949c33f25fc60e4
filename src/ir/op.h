// The op set by name, for what looks at a value and asks what it is: passes, lowerings, tests.
// Descriptors are defined in ir/ops/.
#ifndef IR_OP_H
#define IR_OP_H

#include "ir/value.h"

extern const struct op op_input, op_param, op_constant, op_random;
extern const struct op op_reshape, op_detach, op_transpose, op_slice, op_pad, op_concat,
    op_broadcast;
extern const struct op op_upsample, op_pool_sum, op_resample, op_shift, op_reduce_sum,
    op_reduce_max, op_sum_var, op_reorder;
extern const struct op op_fused, op_fused_reduce, op_part; // ir/map_program.h
extern const struct op op_matmul, op_conv, op_conv_data_grad, op_conv_weight_grad;
extern const struct op op_upsampled_kernel, op_upsampled_kernel_grad;
extern const struct op op_winograd_transform, op_winograd_transform_adjoint;
extern const struct op op_one_hot, op_gather, op_scatter_add;
extern const struct op op_update, op_packed_copy; // ir/update.h

// Pointwise ops differ by a row of a table: what one element becomes, and what its derivative is
// made of: ir/ops/pointwise.def.
enum pointwise {
#define POINTWISE(code, ...) PW_##code,
#include "ir/ops/pointwise.def"
#undef POINTWISE
    PW_COUNT
};
extern const struct op op_pointwise[PW_COUNT];
// Which row v is; v->op has OP_POINTWISE.
enum pointwise pointwise_of(const struct value *v);
int pointwise_operands(enum pointwise op);
int pointwise_numbers(enum pointwise op); // how many of attr.number it has
// One element in float64: a, b, c are the inputs, f and g the numbers of its attribute.
double pointwise_eval(enum pointwise op, double a, double b, double c, double f0, double f1);

bool is_pointwise(const struct value *v, enum pointwise op);
// One number everywhere; and that number is x.
bool is_constant(const struct value *v);
bool is_number(const struct value *v, double x);
bool is_reduction(const struct value *v); // over axes: attr.axes

// --- traits: what passes ask of any op -----------------------------------------------------------
enum batch_role batch_role(const struct value *v, int i);
bool sums_batch(const struct value *v);
bool linear_in(const struct value *v, unsigned inputs);
// A product of a batch and of weights that all samples share.
bool reads_weights(const struct value *v);

// --- traits that many ops have -------------------------------------------------------------------
enum batch_role batch_role_each(const struct value *v, int i);
// An operand of one sample is repeated for all.
enum batch_role batch_role_repeated(const struct value *v, int i);
bool linear_in_one(const struct value *v, unsigned inputs);  // of one input, or in the first
bool linear_in_each(const struct value *v, unsigned inputs); // a product: in either
bool linear_in_all(const struct value *v, unsigned inputs);  // in all together
// axis_rule of what treats each element alike, its operands repeated where they are of size 1.
bool axis_rule_elementwise(const struct value *v, int known, int d, int *axis);

#endif
