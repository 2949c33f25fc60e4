// Sums and maxima over axes, which stay as dimensions of size 1.
#include "prim/lower.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>

static struct value *reduce(const struct op *op, struct value *x, unsigned axes)
{
    struct shape s = x->shape;
    axes &= (1u << s.rank) - 1;
    for (int d = 0; d < s.rank; d++)
        if (axes >> d & 1)
            s.dim[d] = 1;
    return graph_add(x->graph, op, s, 1, &x, (struct attr){.i = {axes}});
}

struct value *reduce_sum(struct value *x, unsigned axes) { return reduce(&op_reduce_sum, x, axes); }
struct value *reduce_max(struct value *x, unsigned axes) { return reduce(&op_reduce_max, x, axes); }

struct value *sum(struct value *x)
{
    return reshape(reduce_sum(x, AXES_ALL), SCALAR);
}

struct value *mean(struct value *x)
{
    return affine(sum(x), 1.0 / (double)shape_size(x->shape), 0);
}

struct value *mean_axes(struct value *x, unsigned axes)
{
    struct value *s = reduce_sum(x, axes);
    return affine(s, (double)shape_size(s->shape) / (double)shape_size(x->shape), 0);
}

static void reduce_sum_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = broadcast(dy, v->in[0]->shape);
}

static void reduce_reference(const struct value *v, const double *const *in, double *out, bool max)
{
    const struct shape s = v->in[0]->shape;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = max ? -INFINITY : 0;
    for (int64_t i = 0, n = shape_size(s); i < n; i++) {
        int64_t rest = i, at = 0, stride = 1;
        for (int d = s.rank - 1; d >= 0; d--) {
            at += v->shape.dim[d] == 1 ? 0 : rest % s.dim[d] * stride;
            rest /= s.dim[d];
            stride *= v->shape.dim[d];
        }
        out[at] = !max ? out[at] + in[0][i] : in[0][i] > out[at] ? in[0][i] : out[at];
    }
}

static void reduce_sum_reference(const struct value *v, const double *const *in, double *out)
{
    reduce_reference(v, in, out, false);
}

static void reduce_max_reference(const struct value *v, const double *const *in, double *out)
{
    reduce_reference(v, in, out, true);
}

static void reduce_print(const struct value *v, struct text *out)
{
    text_add(out, "axes=");
    for (int d = 0, some = 0; d < v->shape.rank; d++)
        if (v->attr.i[0] >> d & 1)
            text_addf(out, "%s%d", some++ ? "," : "", d);
}

const struct op op_reduce_sum = {.name = "reduce_sum",
                                 .flags = OP_ANY_LAYOUT | OP_READS_BF16,
                                 .grad = reduce_sum_grad,
                                 .reference = reduce_sum_reference,
                                 .lower = lower_reduce_sum,
                                 .print = reduce_print,
                                 .same_axis = same_axis_elementwise};
const struct op op_reduce_max = {.name = "reduce_max",
                                 .flags = OP_ANY_LAYOUT | OP_READS_BF16 | OP_NO_GRAD,
                                 .reference = reduce_max_reference,
                                 .lower = lower_reduce_max,
                                 .print = reduce_print,
                                 .same_axis = same_axis_elementwise};
