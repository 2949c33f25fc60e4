// Sums and maxima over axes, which stay as dimensions of size 1; and sums with those of squares of
// what deviates from the mean, behind each other along dimension 0.
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

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
    return graph_add(x->graph, op, s, 1, &x, (struct attr){.axes = axes});
}

struct value *reduce_sum(struct value *x, unsigned axes) { return reduce(&op_reduce_sum, x, axes); }
struct value *sum_var(struct value *x, unsigned axes)
{
    struct value *v = reduce(&op_sum_var, x, axes);
    v->shape.dim[0] *= 2;
    return v;
}

struct value *reduce_max(struct value *x, unsigned axes) { return reduce(&op_reduce_max, x, axes); }

struct value *sum(struct value *x) { return reshape(reduce_sum(x, AXES_ALL), SCALAR); }

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

// Where element i of a tensor goes that is reduced to `kept`.
static int64_t kept_index(struct shape kept, struct shape s, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = s.rank - 1; d >= 0; d--) {
        at += kept.dim[d] == 1 ? 0 : i % s.dim[d] * stride;
        i /= s.dim[d];
        stride *= kept.dim[d];
    }
    return at;
}

static void reduce_reference(const struct value *v, const double *const *in, double *out, bool max)
{
    const struct shape s = v->in[0]->shape;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = max ? -INFINITY : 0;
    for (int64_t i = 0, n = shape_size(s); i < n; i++) {
        const int64_t at = kept_index(v->shape, s, i);
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

static void sum_var_reference(const struct value *v, const double *const *in, double *out)
{
    const struct shape s = v->in[0]->shape;
    struct shape half = v->shape;
    half.dim[0] /= 2;
    const int64_t each = shape_size(half);
    const double n = (double)shape_size(s) / (double)each;
    for (int64_t i = 0; i < 2 * each; i++)
        out[i] = 0;
    for (int64_t i = 0; i < shape_size(s); i++)
        out[kept_index(half, s, i)] += in[0][i];
    for (int64_t i = 0; i < shape_size(s); i++) {
        const int64_t at = kept_index(half, s, i);
        const double d = in[0][i] - out[at] / n;
        out[each + at] += d * d;
    }
}

static bool axis_rule_sum_var(const struct value *v, int known, int d, int *axis)
{
    return d > 0 && axis_rule_elementwise(v, known, d, axis);
}

static enum batch_role reduce_batch_role(const struct value *v, int i)
{
    (void)i;
    return v->attr.axes & 1 ? BATCH_COUPLED : BATCH_EACH;
}

static bool reduce_sum_sums_batch(const struct value *v) { return v->attr.axes & 1; }

static void reduce_print(const struct value *v, struct text *out)
{
    text_add(out, "axes=");
    for (int d = 0, some = 0; d < v->shape.rank; d++)
        if (v->attr.axes >> d & 1)
            text_addf(out, "%s%d", some++ ? "," : "", d);
}

const struct op op_reduce_sum = {.name = "reduce_sum",
                                 .attr = ATTR_AXES,
                                 .flags = OP_ADDS_UP | OP_IN_ORDER,
                                 .batch_role = reduce_batch_role,
                                 .sums_batch = reduce_sum_sums_batch,
                                 .linear_in = linear_in_one,
                                 .grad = reduce_sum_grad,
                                 .reference = reduce_sum_reference,
                                 .print = reduce_print,
                                 .axis_rule = axis_rule_elementwise};
const struct op op_reduce_max = {.name = "reduce_max",
                                 .bounds = bounds_same,
                                 .attr = ATTR_AXES,
                                 .flags = OP_NO_GRAD | OP_IN_ORDER,
                                 .batch_role = reduce_batch_role,
                                 .reference = reduce_max_reference,
                                 .print = reduce_print,
                                 .axis_rule = axis_rule_elementwise};
const struct op op_sum_var = {.name = "sum_var",
                              .attr = ATTR_AXES,
                              .flags = OP_NO_GRAD,
                              .reference = sum_var_reference,
                              .print = reduce_print,
                              .axis_rule = axis_rule_sum_var};
