// Inside the seam: where the two majors of oneDNN differ. Everything else in dnn.c is common to
// both. A memory descriptor is held by address in either major, so that the common code can pass it
// on without knowing which it is.
#ifndef CODEGEN_ONEDNN_DNN_SEAM_H
#define CODEGEN_ONEDNN_DNN_SEAM_H

#include "codegen/onednn/dnn.h"

#include <dnnl.h>

// Where a convolution's tensors lie; weights may be "any". bias NULL when there is none.
struct seam_tensors {
    const void *x, *w, *bias, *y;
};

void *seam_strided(struct shape shape, const int64_t *stride, enum type type);
void *seam_any(struct shape shape, enum type type);
void *seam_copy(const void *md);

// How a blocked layout is made: strides of the blocks, then what is inside them, outermost first:
// block[i] steps of dimension of[i].
struct seam_blocks {
    size_t each; // bytes of a float32 or a bfloat16; else 0
    int rank, n;
    int64_t dim[RANK_MAX], stride[RANK_MAX], block[ORDER_RANK];
    int of[ORDER_RANK];
};
bool seam_blocks(const void *md, struct seam_blocks *out); // false: not made like that
void seam_free(void *md);
bool seam_equal(const void *a, const void *b);

dnnl_status_t seam_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha);
// `forward`: the tensors of the forward convolution that a gradient belongs to, as oneDNN wants to
// hear them: all of the type that operands have.
dnnl_status_t seam_conv(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                        const struct dnn_conv *spec, const struct seam_tensors *t,
                        const struct seam_tensors *forward, const_dnnl_primitive_attr_t attr);
dnnl_status_t seam_matmul(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const struct seam_tensors *t, const_dnnl_primitive_attr_t attr);

// From now on memory that is out inside the library ends the program as out_of_memory does.
void seam_terminate_with_a_line(void);

#endif
