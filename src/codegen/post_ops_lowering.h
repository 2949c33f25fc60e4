// What a chain of post-ops is told oneDNN, and our own kernels.
#ifndef CODEGEN_POST_OPS_LOWERING_H
#define CODEGEN_POST_OPS_LOWERING_H

#include "ir/post_ops.h"
#include "codegen/onednn/dnn.h"

struct image_end;
struct plan;

void post_ops_to_dnn(const struct post_ops *e, struct shape result, struct dnn_after *after);
// What is added, in memory.
void post_ops_bind(struct plan *p, const struct value *v, struct dnn_args *args);
// Whether it is a factor, then a bias or a tensor or both, then a leaky_relu; each may be missing. p
// may be NULL: then nothing is said of where they are.
bool post_ops_image_end(struct plan *p, const struct value *v, const struct post_ops *e,
                        struct image_end *end);

#endif
