// oneDNN 2.x: descriptors are structs, filled by an init function for each operation and transposed
// into a primitive descriptor by one function for all of them.
#include "codegen/onednn/dnn_seam.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static dnnl_memory_desc_t *allocate(void)
{
    dnnl_memory_desc_t *md = calloc(1, sizeof *md);
    if (!md)
        out_of_memory(sizeof *md);
    return md;
}

static dnnl_data_type_t dnn_v2_data_type(enum type type)
{
    return type == TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
}

static size_t dnn_v2_type_size(dnnl_data_type_t type)
{
    return type == dnnl_f32 ? sizeof(float) : type == dnnl_bf16 ? sizeof(uint16_t) : 0;
}

// The library reads all of a dnnl_dims_t, whatever the rank.
static void dnn_v2_widen(int rank, const int64_t *from, dnnl_dims_t to)
{
    memset(to, 0, sizeof(dnnl_dims_t));
    memcpy(to, from, sizeof *from * (size_t)rank);
}

void *seam_strided(struct shape shape, const int64_t *stride, enum type type)
{
    dnnl_memory_desc_t *md = allocate();
    dnnl_dims_t dims, steps;
    dnn_v2_widen(shape.rank, shape.dim, dims);
    dnn_v2_widen(shape.rank, stride, steps);
    if (dnnl_memory_desc_init_by_strides(md, shape.rank, dims, dnn_v2_data_type(type), steps) !=
        dnnl_success)
        BUG("oneDNN refuses a tensor of rank %d", shape.rank);
    return md;
}

void *seam_any(struct shape shape, enum type type)
{
    dnnl_memory_desc_t *md = allocate();
    dnnl_dims_t dims;
    dnn_v2_widen(shape.rank, shape.dim, dims);
    if (dnnl_memory_desc_init_by_tag(md, shape.rank, dims, dnn_v2_data_type(type),
                                     dnnl_format_tag_any) != dnnl_success)
        BUG("oneDNN refuses a tensor of rank %d", shape.rank);
    return md;
}

void *seam_copy(const void *md) { return memcpy(allocate(), md, sizeof(dnnl_memory_desc_t)); }

void seam_free(void *md) { free(md); }

bool seam_blocks(const void *md, struct seam_blocks *out)
{
    const dnnl_memory_desc_t *m = md;
    const dnnl_blocking_desc_t *b = &m->format_desc.blocking;
    if (m->format_kind != dnnl_blocked || m->ndims > RANK_MAX || b->inner_nblks > ORDER_RANK)
        return false;
    *out = (struct seam_blocks){dnn_v2_type_size(m->data_type), m->ndims, b->inner_nblks};
    memcpy(out->dim, m->dims, sizeof *out->dim * (size_t)m->ndims);
    memcpy(out->stride, b->strides, sizeof *out->stride * (size_t)m->ndims);
    for (int i = 0; i < b->inner_nblks; i++) {
        out->block[i] = b->inner_blks[i];
        out->of[i] = (int)b->inner_idxs[i];
    }
    return true;
}

bool seam_equal(const void *a, const void *b) { return dnnl_memory_desc_equal(a, b); }

dnnl_status_t seam_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(ops, 1, alg, alpha, 0);
}

static dnnl_status_t dnn_v2_describe_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                             const struct dnn_conv *s, const struct seam_tensors *t,
                                             const_dnnl_primitive_attr_t attr)
{
    dnnl_convolution_desc_t d;
    const dnnl_dims_t stride = {s->stride[0], s->stride[1]}, before = {s->pad[0], s->pad[2]},
                      after = {s->pad[1], s->pad[3]};
    const dnnl_prop_kind_t prop = s->kind == DNN_CONV_FORWARD ? dnnl_forward_inference
                                                              : dnnl_forward_training;
    const dnnl_status_t status = dnnl_convolution_forward_desc_init(
        &d, prop, dnnl_convolution_direct, t->x, t->w, t->bias, t->y, stride, before, after);
    return status != dnnl_success ? status : dnnl_primitive_desc_create(pd, &d, attr, engine, NULL);
}

dnnl_status_t seam_conv(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const struct dnn_conv *s,
                        const struct seam_tensors *t, const struct seam_tensors *forward,
                        const_dnnl_primitive_attr_t attr)
{
    if (s->kind == DNN_CONV_FORWARD)
        return dnn_v2_describe_forward(pd, engine, s, t, attr);
    dnnl_primitive_desc_t hint;
    dnnl_status_t status = dnn_v2_describe_forward(&hint, engine, s, forward, NULL);
    if (status != dnnl_success)
        return status;
    dnnl_convolution_desc_t d;
    const dnnl_dims_t stride = {s->stride[0], s->stride[1]}, before = {s->pad[0], s->pad[2]},
                      after = {s->pad[1], s->pad[3]};
    if (s->kind == DNN_CONV_DATA_GRAD)
        status = dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, t->x, t->w,
                                                          t->y, stride, before, after);
    else
        status = dnnl_convolution_backward_weights_desc_init(
            &d, dnnl_convolution_direct, t->x, t->w, NULL, t->y, stride, before, after);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(pd, &d, attr, engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

dnnl_status_t seam_matmul(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const struct seam_tensors *t, const_dnnl_primitive_attr_t attr)
{
    dnnl_matmul_desc_t d;
    const dnnl_status_t status = dnnl_matmul_desc_init(&d, t->x, t->w, t->bias, t->y);
    return status != dnnl_success ? status : dnnl_primitive_desc_create(pd, &d, attr, engine, NULL);
}
