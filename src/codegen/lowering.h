// How an op runs on this machine. What it means is struct op's (ir/value.h), which knows none. A file
// lower_NAME.c has a row for each op that it lowers, in a table rows_lower_NAME that ends in {0}; the
// build lists the files, so a new one touches nothing else.
#ifndef CODEGEN_LOWERING_H
#define CODEGEN_LOWERING_H

#include "codegen/lower.h"
#include "ir/build.h"
#include "ir/op.h"
#include "ir/post_ops.h"

enum lowering_flag {
    // rank-4 inputs and output may each be plain or channels-last: it works by strides (ir/view.h)
    RUNS_ANY_LAYOUT = 1 << 0,
    // blocked_layout says which inputs, or the output, want a blocked layout; the others
    // channels-last
    RUNS_BLOCKED = 1 << 1,
    RUNS_READING_BF16 = 1 << 2, // each input may be of either type
    RUNS_WRITING_BF16 = 1 << 3,
};

struct lowering {
    const struct op *op;
    int n; // so many ops from there on in one array; 0: one
    unsigned flags;
    // Emits the steps that compute v.
    void (*lower)(struct plan *p, const struct value *v);
    // The layout that is wanted for input i (i >= 0) or the output (i == -1); NULL where that is
    // channels-last. See RUNS_BLOCKED.
    const struct blocked_layout *(*blocked_layout)(const struct value *v, int i);
    // Whether v can be computed by a kernel of our own as well as by oneDNN; NULL: no.
    bool (*own_kernel)(const struct value *v);
    // Whether v can be computed with post-ops; NULL: no.
    bool (*post_ops_fit)(const struct value *v, const struct post_ops *e);
};

// Never NULL: an op without a row takes no step. A plan has such of sources and aliases only.
const struct lowering *lowering_of(const struct op *op);
bool lowering_has(const struct value *v, enum lowering_flag flag);

// --- what lowerings of convolutions share --------------------------------------------------------
// Whether kernel_few.c or kernel_taps.c can do a convolution: it has few channels on one side and
// whole vectors on the other. Its weights may lie in any dense layout then.
bool conv_own_kernel(const struct value *v);
// Whether it is one that makes an image of many channels of one of few, and whether that can end so:
// in a bias, a leaky_relu, or both.
bool conv_from_few(const struct value *v);
bool conv_from_few_ends(const struct value *v, const struct post_ops *e);
// False, and nothing done, where the wide image does not lie channels-last.
bool lower_few_channels(struct plan *p, const struct value *v, const char *word);
// A convolution that has tiles (conv_is_winograd), computed in blocks (kernels/kernel_winograd_blocks.c).
// Its weights lie plain, its images channels-last. It may end in a factor, a bias and a tensor, and a
// leaky_relu.
bool winograd_image_end(const struct value *v, const struct post_ops *e);
void lower_winograd(struct plan *p, const struct value *v, const char *word);
// Whether there are kernels for its channels, which leave nothing of its result unwritten.
bool winograd_has_blocks(const struct value *conv);

#endif
