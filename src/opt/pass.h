// Passes that know no machine: graph to graph. Each is one file with one exported function that returns whether it
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

struct pass {
    const char *name;
    bool (*run)(struct graph *g);
    bool cleans; // what it leaves is simplified
};
// The passes above, in order; ends in {0}. simplify, cse and dce repeat until nothing changes.
extern const struct pass optimizations[];
// Runs one, and verifies. Returns whether it changed anything.
bool pass_run(const struct pass *p, struct graph *g);
// Runs them all, without a machine to ask.
void optimize_graph(struct graph *g);

#endif
