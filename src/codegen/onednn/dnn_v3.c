// oneDNN 3.x: descriptors are handles, and each operation has a function of its own that makes its
// primitive descriptor.
#include "codegen/onednn/dnn_seam.h"

#include "base/arena.h"

#include <string.h>

static dnnl_data_type_t dnn_v3_data_type(enum type type)
{
    return type == TYPE_BF16 ? dnnl_bf16 : dnnl_f32;
}

static size_t dnn_v3_type_size(dnnl_data_type_t type)
{
    return type == dnnl_f32 ? sizeof(float) : type == dnnl_bf16 ? sizeof(uint16_t) : 0;
}

// The library reads all of a dnnl_dims_t, whatever the rank.
static void dnn_v3_widen(int rank, const int64_t *from, dnnl_dims_t to)
{
    memset(to, 0, sizeof(dnnl_dims_t));
    memcpy(to, from, sizeof *from * (size_t)rank);
}

void *seam_strided(struct shape shape, const int64_t *stride, enum type type)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims, steps;
    dnn_v3_widen(shape.rank, shape.dim, dims);
    dnn_v3_widen(shape.rank, stride, steps);
    if (dnnl_memory_desc_create_with_strides(&md, shape.rank, dims, dnn_v3_data_type(type),
                                             steps) != dnnl_success)
        BUG("oneDNN refuses a tensor of rank %d", shape.rank);
    return md;
}

void *seam_any(struct shape shape, enum type type)
{
    dnnl_memory_desc_t md;
    dnnl_dims_t dims;
    dnn_v3_widen(shape.rank, shape.dim, dims);
    if (dnnl_memory_desc_create_with_tag(&md, shape.rank, dims, dnn_v3_data_type(type),
                                         dnnl_format_tag_any) != dnnl_success)
        BUG("oneDNN refuses a tensor of rank %d", shape.rank);
    return md;
}

void *seam_copy(const void *md)
{
    dnnl_memory_desc_t copy;
    if (dnnl_memory_desc_clone(&copy, md) != dnnl_success)
        BUG("out of memory");
    return copy;
}

void seam_free(void *md) { dnnl_memory_desc_destroy(md); }

static const int64_t *dnn_v3_numbers(const void *md, dnnl_query_t what)
{
    const dnnl_dims_t *numbers = NULL;
    dnnl_memory_desc_query(md, what, (void *)&numbers);
    return numbers ? *numbers : NULL;
}

bool seam_blocks(const void *md, struct seam_blocks *out)
{
    dnnl_format_kind_t kind = dnnl_format_kind_undef;
    dnnl_data_type_t type = dnnl_data_type_undef;
    int rank = 0, n = 0;
    dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind);
    dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &rank);
    dnnl_memory_desc_query(md, dnnl_query_data_type, &type);
    if (kind != dnnl_blocked || rank > RANK_MAX)
        return false;
    dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &n);
    if (n > ORDER_RANK)
        return false;
    const int64_t *block = dnn_v3_numbers(md, dnnl_query_inner_blks),
                  *of = dnn_v3_numbers(md, dnnl_query_inner_idxs);
    *out = (struct seam_blocks){dnn_v3_type_size(type), rank, n};
    memcpy(out->dim, dnn_v3_numbers(md, dnnl_query_dims), sizeof *out->dim * (size_t)rank);
    memcpy(out->stride, dnn_v3_numbers(md, dnnl_query_strides), sizeof *out->stride * (size_t)rank);
    for (int i = 0; i < n; i++) {
        out->block[i] = block[i];
        out->of[i] = (int)of[i];
    }
    return true;
}

bool seam_equal(const void *a, const void *b) { return dnnl_memory_desc_equal(a, b); }

dnnl_status_t seam_eltwise(dnnl_post_ops_t ops, dnnl_alg_kind_t alg, float alpha)
{
    return dnnl_post_ops_append_eltwise(ops, alg, alpha, 0);
}

static dnnl_status_t dnn_v3_describe_forward(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                                             const struct dnn_conv *s, const struct seam_tensors *t,
                                             const_dnnl_primitive_attr_t attr)
{
    const dnnl_dims_t stride = {s->stride[0], s->stride[1]}, dilate = {0},
                      before = {s->pad[0], s->pad[2]}, after = {s->pad[1], s->pad[3]};
    const dnnl_prop_kind_t prop = s->kind == DNN_CONV_FORWARD ? dnnl_forward_inference
                                                              : dnnl_forward_training;
    return dnnl_convolution_forward_primitive_desc_create(pd, engine, prop, dnnl_convolution_direct,
                                                          t->x, t->w, t->bias, t->y, stride, dilate,
                                                          before, after, attr);
}

dnnl_status_t seam_conv(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const struct dnn_conv *s,
                        const struct seam_tensors *t, const struct seam_tensors *forward,
                        const_dnnl_primitive_attr_t attr)
{
    if (s->kind == DNN_CONV_FORWARD)
        return dnn_v3_describe_forward(pd, engine, s, t, attr);
    dnnl_primitive_desc_t hint;
    dnnl_status_t status = dnn_v3_describe_forward(&hint, engine, s, forward, NULL);
    if (status != dnnl_success)
        return status;
    const dnnl_dims_t stride = {s->stride[0], s->stride[1]}, dilate = {0},
                      before = {s->pad[0], s->pad[2]}, after = {s->pad[1], s->pad[3]};
    if (s->kind == DNN_CONV_DATA_GRAD)
        status = dnnl_convolution_backward_data_primitive_desc_create(
            pd, engine, dnnl_convolution_direct, t->x, t->w, t->y, stride, dilate, before, after,
            hint, attr);
    else
        status = dnnl_convolution_backward_weights_primitive_desc_create(
            pd, engine, dnnl_convolution_direct, t->x, t->w, NULL, t->y, stride, dilate, before,
            after, hint, attr);
    dnnl_primitive_desc_destroy(hint);
    return status;
}

dnnl_status_t seam_matmul(dnnl_primitive_desc_t *pd, dnnl_engine_t engine,
                          const struct seam_tensors *t, const_dnnl_primitive_attr_t attr)
{
    return dnnl_matmul_primitive_desc_create(pd, engine, t->x, t->w, t->bias, t->y, attr);
}
