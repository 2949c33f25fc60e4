// Labels are whole numbers in floats. gather picks rows of a table, scatter_add is its adjoint.
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

#include <string.h>

struct value *one_hot(struct value *label, int64_t classes)
{
    if (label->shape.rank != 1)
        BUG("one_hot wants a vector of labels");
    return graph_add(label->graph, &op_one_hot, SHAPE(label->shape.dim[0], classes), 1, &label,
                     (struct attr){0});
}

struct value *gather(struct value *table, struct value *index)
{
    if (table->shape.rank != 2 || index->shape.rank != 1)
        BUG("gather wants a matrix and a vector of row numbers");
    return graph_add(table->graph, &op_gather, SHAPE(index->shape.dim[0], table->shape.dim[1]), 2,
                     (struct value *[]){table, index}, (struct attr){0});
}

struct value *scatter_add(struct value *x, struct value *index, int64_t rows)
{
    if (x->shape.rank != 2 || index->shape.rank != 1 || x->shape.dim[0] != index->shape.dim[0])
        BUG("scatter_add wants a matrix and as many row numbers");
    return graph_add(x->graph, &op_scatter_add, SHAPE(rows, x->shape.dim[1]), 2,
                     (struct value *[]){x, index}, (struct attr){0});
}

static void gather_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = scatter_add(dy, v->in[1], v->in[0]->shape.dim[0]);
}

static void scatter_add_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = gather(dy, v->in[1]);
}

static void one_hot_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t N = v->shape.dim[0], K = v->shape.dim[1];
    for (int64_t n = 0; n < N; n++)
        for (int64_t k = 0; k < K; k++)
            out[n * K + k] = in[0][n] == (double)k;
}

static void gather_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t D = v->shape.dim[1];
    for (int64_t n = 0; n < v->shape.dim[0]; n++)
        memcpy(out + n * D, in[0] + (int64_t)in[1][n] * D, sizeof *out * (size_t)D);
}

static void scatter_add_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t D = v->shape.dim[1];
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
    for (int64_t n = 0; n < v->in[0]->shape.dim[0]; n++)
        for (int64_t d = 0; d < D; d++)
            out[(int64_t)in[1][n] * D + d] += in[0][n * D + d];
}

const struct op op_one_hot = {
    .name = "one_hot", .bounds = bounds_unit, .flags = OP_NO_GRAD, .reference = one_hot_reference};
const struct op op_gather = {.name = "gather",
                             .linear_in = linear_in_one,
                             .grad = gather_grad,
                             .reference = gather_reference};
const struct op op_scatter_add = {.name = "scatter_add",
                                  .linear_in = linear_in_one,
                                  .grad = scatter_add_grad,
                                  .reference = scatter_add_reference};
