// Lowerings onto this machine. Each lower_X is defined in a lower_*.c beside the op_*.c that gives
// the op its meaning.
#ifndef CODEGEN_LOWERINGS_H
#define CODEGEN_LOWERINGS_H

#include "ir/build.h"
#include "ir/op.h"
#include "codegen/lower.h"

#define LOWER(name) void lower_##name(struct plan *p, const struct value *v)

LOWER(pointwise); // every op with OP_POINTWISE: a one-instruction map
LOWER(fused);     // a map of several instructions
LOWER(sum_var);
LOWER(reduce_sum);
LOWER(reduce_max);
LOWER(constant); // filled once, when the plan is made
LOWER(random);
LOWER(transpose);
LOWER(slice);
LOWER(pad);
LOWER(concat);
LOWER(broadcast);
LOWER(upsample);
LOWER(pool_sum);
LOWER(matmul);
LOWER(conv);
LOWER(conv_data_grad);
LOWER(conv_weight_grad);
LOWER(reorder);
LOWER(one_hot);
LOWER(gather);
LOWER(scatter_add);
LOWER(update);

#undef LOWER

// same_axis of what treats each element alike, its operands repeated where they are of size 1.
bool same_axis_elementwise(const struct value *v, int known, int d, int *axis);

// Whether a product can end so.
bool conv_post_ops_fit(const struct value *v, const struct post_ops *e);
bool matmul_post_ops_fit(const struct value *v, const struct post_ops *e);

// What oneDNN wants its convolution weights to lie like; see codegen/onednn/dnn.h.
const struct blocked_layout *conv_blocked_layout(const struct value *v, int i);

// Whether kernel_few.c or kernel_taps.c can do a convolution: it has few channels on one side and
// whole vectors on the other. Its weights may lie in any dense layout then.
bool conv_own_kernel(const struct value *v);
// Whether it is one that makes an image of many channels of one of few, and whether that can end so:
// in a bias, a leaky_relu, or both.
bool conv_from_few(const struct value *v);
bool conv_from_few_ends(const struct value *v, const struct post_ops *e);
// False, and nothing done, where the wide image does not lie channels-last.
bool lower_few_channels(struct plan *p, const struct value *v, const char *word);

// A convolution that has tiles (conv_is_winograd) is computed by minimal filtering in blocks
// (kernel_filter.c). Its weights lie plain, its images channels-last.
// It may end in a factor, a bias and a tensor, and a leaky_relu.
bool winograd_image_end(const struct value *v, const struct post_ops *e);
void lower_winograd(struct plan *p, const struct value *v, const char *word);

#endif
