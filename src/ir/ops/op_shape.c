// Ops that move elements and compute nothing: each one's gradient is another of them.
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static void copy_reference(const struct value *v, const double *const *in, double *out)
{
    memcpy(out, in[0], sizeof *out * (size_t)shape_size(v->shape));
}

// Splits a row-major index into one per dimension.
static void op_shape_unravel(struct shape s, int64_t i, int64_t *at)
{
    for (int d = s.rank - 1; d >= 0; d--) {
        at[d] = i % s.dim[d];
        i /= s.dim[d];
    }
}

static int64_t ravel(struct shape s, const int64_t *at)
{
    int64_t i = 0;
    for (int d = 0; d < s.rank; d++)
        i = i * s.dim[d] + at[d];
    return i;
}

// --- reshape, detach -----------------------------------------------------------------------------

struct value *reshape(struct value *x, struct shape shape)
{
    if (shape_size(shape) != shape_size(x->shape))
        BUG("reshape changes the number of elements");
    return graph_add(x->graph, &op_reshape, shape, 1, &x, (struct attr){0});
}

static void reshape_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    if (want[0])
        dx[0] = reshape(dy, v->in[0]->shape);
}

struct value *detach(struct value *x)
{
    return graph_add(x->graph, &op_detach, x->shape, 1, &x, (struct attr){0});
}

static enum batch_role reshape_batch_role(const struct value *v, int i)
{
    return v->in[i]->shape.dim[0] == v->shape.dim[0] ? BATCH_EACH : BATCH_COUPLED;
}

const struct op op_reshape = {.name = "reshape",
                              .flags = OP_ALIAS | OP_MOVES | OP_IN_ORDER,
                              .batch_role = reshape_batch_role,
                              .linear_in = linear_in_one,
                              .grad = reshape_grad,
                              .reference = copy_reference};
const struct op op_detach = {.name = "detach",
                             .flags = OP_ALIAS | OP_NO_GRAD | OP_MOVES | OP_IN_ORDER,
                             .reference = copy_reference};

// --- transpose -----------------------------------------------------------------------------------

struct value *transpose(struct value *x, const int *perm)
{
    struct attr attr = {0};
    struct shape shape = x->shape;
    for (int d = 0; d < x->shape.rank; d++) {
        attr.permutation.axis[d] = perm[d];
        shape.dim[d] = x->shape.dim[perm[d]];
    }
    return graph_add(x->graph, &op_transpose, shape, 1, &x, attr);
}

static void transpose_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    int inverse[RANK_MAX];
    for (int d = 0; d < v->shape.rank; d++)
        inverse[v->attr.permutation.axis[d]] = d;
    if (want[0])
        dx[0] = transpose(dy, inverse);
}

static void transpose_reference(const struct value *v, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++) {
        int64_t at[RANK_MAX], from[RANK_MAX];
        op_shape_unravel(v->shape, i, at);
        for (int d = 0; d < v->shape.rank; d++)
            from[v->attr.permutation.axis[d]] = at[d];
        out[i] = in[0][ravel(v->in[0]->shape, from)];
    }
}

static void transpose_print(const struct value *v, struct text *out)
{
    text_add(out, "perm=");
    for (int d = 0; d < v->shape.rank; d++)
        text_addf(out, "%s%" PRId64, d ? "," : "", v->attr.permutation.axis[d]);
}

static enum batch_role transpose_batch_role(const struct value *v, int i)
{
    (void)i;
    return v->attr.permutation.axis[0] == 0 ? BATCH_EACH : BATCH_COUPLED;
}

const struct op op_transpose = {.name = "transpose",
                                .attr = ATTR_PERMUTATION,
                                .flags = OP_MOVES,
                                .batch_role = transpose_batch_role,
                                .linear_in = linear_in_one,
                                .grad = transpose_grad,
                                .reference = transpose_reference,
                                .print = transpose_print};

// --- slice and pad: each other's adjoints --------------------------------------------------------

struct value *slice(struct value *x, int axis, int64_t from, int64_t length)
{
    struct shape shape = x->shape;
    if (axis < 0 || axis >= shape.rank || from < 0 || length < 1 || from + length > shape.dim[axis])
        BUG("slice out of range");
    shape.dim[axis] = length;
    return graph_add(x->graph, &op_slice, shape, 1, &x, (struct attr){.slice = {axis, from}});
}

static void slice_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    int64_t before[RANK_MAX] = {0}, after[RANK_MAX] = {0};
    const int axis = (int)v->attr.slice.axis;
    before[axis] = v->attr.slice.from;
    after[axis] = v->in[0]->shape.dim[axis] - v->attr.slice.from - v->shape.dim[axis];
    if (want[0])
        dx[0] = pad(dy, before, after);
}

static void slice_reference(const struct value *v, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++) {
        int64_t at[RANK_MAX];
        op_shape_unravel(v->shape, i, at);
        at[v->attr.slice.axis] += v->attr.slice.from;
        out[i] = in[0][ravel(v->in[0]->shape, at)];
    }
}

static void slice_print(const struct value *v, struct text *out)
{
    text_addf(out, "axis=%" PRId64 " from=%" PRId64, v->attr.slice.axis, v->attr.slice.from);
}

struct value *pad(struct value *x, const int64_t *before, const int64_t *after)
{
    struct attr attr = {0};
    struct shape shape = x->shape;
    for (int d = 0; d < shape.rank; d++) {
        if (before[d] < 0 || after[d] < 0)
            BUG("negative padding");
        attr.pad.before[d] = before[d];
        attr.pad.after[d] = after[d];
        shape.dim[d] += before[d] + after[d];
    }
    return graph_add(x->graph, &op_pad, shape, 1, &x, attr);
}

static void pad_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    for (int d = 0; d < v->shape.rank; d++)
        if (v->shape.dim[d] != v->in[0]->shape.dim[d])
            dy = slice(dy, d, v->attr.pad.before[d], v->in[0]->shape.dim[d]);
    if (want[0])
        dx[0] = dy;
}

static void pad_reference(const struct value *v, const double *const *in, double *out)
{
    memset(out, 0, sizeof *out * (size_t)shape_size(v->shape));
    for (int64_t i = 0, n = shape_size(v->in[0]->shape); i < n; i++) {
        int64_t at[RANK_MAX];
        op_shape_unravel(v->in[0]->shape, i, at);
        for (int d = 0; d < v->shape.rank; d++)
            at[d] += v->attr.pad.before[d];
        out[ravel(v->shape, at)] = in[0][i];
    }
}

static void pad_print(const struct value *v, struct text *out)
{
    for (int d = 0; d < v->shape.rank; d++)
        text_addf(out, "%s%" PRId64 ":%" PRId64, d ? "," : "by=", v->attr.pad.before[d],
                  v->attr.pad.after[d]);
}

static enum batch_role slice_batch_role(const struct value *v, int i)
{
    (void)i;
    return v->attr.slice.axis != 0 ? BATCH_EACH : BATCH_COUPLED;
}

static enum batch_role pad_batch_role(const struct value *v, int i)
{
    (void)i;
    return !v->attr.pad.before[0] && !v->attr.pad.after[0] ? BATCH_EACH : BATCH_COUPLED;
}

const struct op op_slice = {.name = "slice",
                            .attr = ATTR_SLICE,
                            .flags = OP_MOVES | OP_IN_ORDER,
                            .batch_role = slice_batch_role,
                            .linear_in = linear_in_one,
                            .grad = slice_grad,
                            .reference = slice_reference,
                            .print = slice_print};
const struct op op_pad = {.name = "pad",
                          .bounds = bounds_with_zero,
                          .attr = ATTR_PAD,
                          .flags = OP_IN_ORDER,
                          .batch_role = pad_batch_role,
                          .linear_in = linear_in_one,
                          .grad = pad_grad,
                          .reference = pad_reference,
                          .print = pad_print};

// --- concat --------------------------------------------------------------------------------------

struct value *concat(struct value *const *x, int n, int axis)
{
    struct shape shape = x[0]->shape;
    for (int i = 1; i < n; i++) {
        for (int d = 0; d < shape.rank; d++)
            if (x[i]->shape.rank != shape.rank || (d != axis && x[i]->shape.dim[d] != shape.dim[d]))
                BUG("concat: shapes do not fit");
        shape.dim[axis] += x[i]->shape.dim[axis];
    }
    return graph_add(x[0]->graph, &op_concat, shape, n, x, (struct attr){.axis = axis});
}

static void concat_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    const int axis = (int)v->attr.axis;
    int64_t from = 0;
    for (int i = 0; i < v->n_in; i++) {
        const int64_t length = v->in[i]->shape.dim[axis];
        if (want[i])
            dx[i] = slice(dy, axis, from, length);
        from += length;
    }
}

static void concat_reference(const struct value *v, const double *const *in, double *out)
{
    int64_t from = 0;
    for (int j = 0; j < v->n_in; j++) {
        const struct shape s = v->in[j]->shape;
        for (int64_t i = 0, n = shape_size(s); i < n; i++) {
            int64_t at[RANK_MAX];
            op_shape_unravel(s, i, at);
            at[v->attr.axis] += from;
            out[ravel(v->shape, at)] = in[j][i];
        }
        from += s.dim[v->attr.axis];
    }
}

static void concat_print(const struct value *v, struct text *out)
{
    text_addf(out, "axis=%" PRId64, v->attr.axis);
}

static enum batch_role concat_batch_role(const struct value *v, int i)
{
    (void)i;
    return v->attr.axis != 0 ? BATCH_EACH : BATCH_COUPLED;
}

const struct op op_concat = {.name = "concat",
                             .attr = ATTR_AXIS,
                             .flags = OP_MOVES,
                             .batch_role = concat_batch_role,
                             .linear_in = linear_in_all,
                             .grad = concat_grad,
                             .reference = concat_reference,
                             .print = concat_print};

// --- broadcast -----------------------------------------------------------------------------------

struct value *broadcast(struct value *x, struct shape shape)
{
    struct shape fit;
    if (!shape_broadcast(x->shape, shape, &fit) || !shape_equal(fit, shape))
        BUG("broadcast: shapes do not fit");
    return graph_add(x->graph, &op_broadcast, shape, 1, &x, (struct attr){0});
}

static void broadcast_grad(struct value *v, struct value *dy, const bool *want, struct value **dx)
{
    unsigned axes = 0;
    for (int d = 0; d < v->shape.rank; d++)
        if (v->shape.dim[d] != v->in[0]->shape.dim[d])
            axes |= 1u << d;
    if (want[0])
        dx[0] = axes ? reduce_sum(dy, axes) : dy;
}

static void broadcast_reference(const struct value *v, const double *const *in, double *out)
{
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++) {
        int64_t at[RANK_MAX];
        op_shape_unravel(v->shape, i, at);
        for (int d = 0; d < v->shape.rank; d++)
            at[d] = v->in[0]->shape.dim[d] == 1 ? 0 : at[d];
        out[i] = in[0][ravel(v->in[0]->shape, at)];
    }
}

const struct op op_broadcast = {.name = "broadcast",
                                .flags = OP_MOVES | OP_IN_ORDER,
                                .batch_role = batch_role_repeated,
                                .linear_in = linear_in_one,
                                .grad = broadcast_grad,
                                .reference = broadcast_reference};

// --- reorder: the same tensor lying differently; made by the layout pass, after differentiation
// ---

struct value *reorder(struct value *x, const char *why)
{
    return graph_add(x->graph, &op_reorder, x->shape, 1, &x, (struct attr){.why = why});
}

static void reorder_print(const struct value *v, struct text *out)
{
    text_addf(out, "since %s", v->attr.why);
}

const struct op op_reorder = {
    .name = "reorder", .attr = ATTR_WHY, .reference = copy_reference, .print = reorder_print};
