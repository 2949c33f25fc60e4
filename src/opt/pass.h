// Passes: graph to graph. Each is one file with one exported function that returns whether it
// changed anything.
#ifndef OPT_PASS_H
#define OPT_PASS_H

#include "ir/value.h"

// Algebra on neighbours: constants folded, reshapes of reshapes, broadcasts that a pointwise op
// does by itself.
bool pass_simplify(struct graph *g);
// Equal ops on equal inputs become one value. Versions of slots are different inputs, so what an
// update changed stays two.
bool pass_cse(struct graph *g);
// What no root needs goes.
bool pass_dce(struct graph *g);
// Upsampling followed by a convolution becomes one transposed convolution; so do both gradients.
bool pass_fold_upsample(struct graph *g);
// A convolution followed by sums of blocks becomes one convolution with a stride; so do both
// gradients.
bool pass_fold_pool(struct graph *g);
// Two gradients that went back through the same ops, each sample's a number times the other's, go back
// once.
bool pass_share_backward(struct graph *g);
// A network applied to two batches with the same weights, where nothing in it couples samples, is
// applied once to both; so are its gradients.
bool pass_batch_siblings(struct graph *g);
// A convolution whose kernel covers the image is a matrix product, or with one channel a sum; so
// are its gradients.
bool pass_conv_to_matmul(struct graph *g);
// Convolutions with fewer multiplications, where that is worth the transforms around them; see
// graph->minimal_filtering, and ir/choice.h for the size of tiles.
bool pass_winograd(struct graph *g);
// What stands behind a product, a bias, a factor, a sum, an activation, is done by it.
bool pass_fuse_post_ops(struct graph *g);
// A sum and the sum of squares of deviations from its mean become one reading.
bool pass_fuse_mean_var(struct graph *g);
// Pointwise chains, and pointwise into reductions, become one loop.
bool pass_fuse(struct graph *g);
bool pass_fuse_reductions(struct graph *g);

// Where graph->precision says so: products take bf16, and values are kept as such between them.
bool pass_bf16(struct graph *g);
enum type bf16_takes(const struct value *product); // what that will make it take
// Which products oneDNN computes although we could.
bool pass_select_kernel(struct graph *g);

// The last three, in this order; each runs once.
// Chooses where values lie channels-last or in oneDNN's own layouts, and appends the reorders
// between. Roots stay plain.
bool pass_assign_layouts(struct graph *g);
// Reorders of slots become reads of second copies, which are written with the slot.
bool pass_packed_copy(struct graph *g);
// Chooses which values share memory, and offsets in the activation slab; below graph->kept lies what
// the host reads or writes between executions.
bool pass_assign_memory(struct graph *g);

// What pass_assign_memory does, for tests and printing: the slab's size in bytes.
size_t memory_plan(struct graph *g);

// The list of passes, in order. Names are what `ganexp explain --at NAME` takes.
struct pass {
    const char *name;
    bool (*run)(struct graph *g);
};
extern const struct pass passes[]; // ends in {0}

// Runs the list, verifying after each pass, up to and including the pass `last` (NULL: all).
// simplify, cse and dce repeat until nothing changes. False when there is no pass of that name.
bool passes_run(struct graph *g, const char *last);
// The same from the pass `first` on.
bool passes_run_between(struct graph *g, const char *first, const char *last);

#endif
