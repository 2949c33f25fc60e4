// Pointwise ops: a row each of pointwise.def. Broadcasting is numpy's at equal rank; a gradient is
// summed back over the dimensions that were repeated. Rank 0 goes with rank 0 only.
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"

#include <math.h>

int pointwise_operands(enum pointwise op)
{
    static const int arity[PW_COUNT] = {
#define POINTWISE(code, make, word, n, ...) [PW_##code] = n,
#include "ir/ops/pointwise.def"
#undef POINTWISE
    };
    ASSERT(op >= 0 && op < PW_COUNT);
    return arity[op];
}

int pointwise_numbers(enum pointwise op)
{
    static const int n[PW_COUNT] = {
#define POINTWISE(code, make, word, arity, numbers, ...) [PW_##code] = numbers,
#include "ir/ops/pointwise.def"
#undef POINTWISE
    };
    ASSERT(op >= 0 && op < PW_COUNT);
    return n[op];
}

double pointwise_eval(enum pointwise op, double a, double b, double c, double f, double g)
{
    switch (op) {
#define POINTWISE(code, make, word, arity, numbers, format, meaning, ...) \
    case PW_##code:                                                       \
        return meaning;
#include "ir/ops/pointwise.def"
#undef POINTWISE
    case PW_COUNT: break;
    }
    BUG("no such pointwise op %d", op);
}

enum pointwise pointwise_of(const struct value *v)
{
    ASSERT(v->op >= op_pointwise && v->op < op_pointwise + PW_COUNT);
    return (enum pointwise)(v->op - op_pointwise);
}

// Element i of the output in row-major order reads element at(…) of an input.
static int64_t op_pointwise_element(struct shape out, struct shape in, int64_t i)
{
    int64_t stride[RANK_MAX], at = 0;
    shape_strides(in, stride);
    for (int d = out.rank - 1; d >= 0; d--) {
        const int64_t k = i % out.dim[d];
        i /= out.dim[d];
        at += in.dim[d] == 1 ? 0 : k * stride[d];
    }
    return at;
}

static void pointwise_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t n = shape_size(v->shape);
    for (int64_t i = 0; i < n; i++) {
        double x[3] = {0};
        for (int j = 0; j < v->n_in; j++)
            x[j] = in[j][op_pointwise_element(v->shape, v->in[j]->shape, i)];
        out[i] = pointwise_eval(pointwise_of(v), x[0], x[1], x[2], v->attr.number[0],
                                v->attr.number[1]);
    }
}

static void pointwise_print(const struct value *v, struct text *out)
{
    static const char *const format[PW_COUNT] = {
#define POINTWISE(code, make, word, arity, numbers, how, ...) [PW_##code] = how,
#include "ir/ops/pointwise.def"
#undef POINTWISE
    };
    if (format[pointwise_of(v)])
        text_addf(out, format[pointwise_of(v)], v->attr.number[0], v->attr.number[1]);
}

// The adjoint of broadcasting: sums dy over the dimensions that `to` had repeated.
static struct value *sum_to(struct value *dy, struct shape to)
{
    unsigned axes = 0;
    for (int d = 0; d < to.rank; d++)
        if (to.dim[d] == 1 && dy->shape.dim[d] != 1)
            axes |= 1u << d;
    return axes ? reduce_sum(dy, axes) : dy;
}

static struct value *zero_like(struct value *x)
{
    struct shape one = x->shape;
    for (int d = 0; d < one.rank; d++)
        one.dim[d] = 1;
    return constant(x->graph, 0, one);
}

// dx_i ← share, brought to the shape of input i
static void set_share(struct value *v, int i, struct value *share, struct value **dx)
{
    if (share)
        dx[i] = sum_to(share, v->in[i]->shape);
}

#define A v->in[0]
#define B v->in[1]
#define C v->in[2]
#define F v->attr.number[0]
#define POINTWISE(code, make, word, arity, numbers, format, meaning, loop, d0, d1, d2, ...) \
    static void grad_##code(struct value *v, struct value *dy, const bool *want,            \
                            struct value **dx)                                              \
    {                                                                                       \
        (void)dy;                                                                           \
        if (want[0])                                                                        \
            set_share(v, 0, d0, dx);                                                        \
        if (arity > 1 && want[1])                                                           \
            set_share(v, 1, d1, dx);                                                        \
        if (arity > 2 && want[2])                                                           \
            set_share(v, 2, d2, dx);                                                        \
    }
#include "ir/ops/pointwise.def"
#undef POINTWISE
#undef A
#undef B
#undef C
#undef F

bool axis_rule_elementwise(const struct value *v, int known, int d, int *axis)
{
    const struct shape s = known < 0 ? v->shape : v->in[known]->shape;
    for (int i = 0; i <= v->n_in; i++) {
        const struct shape other = (i < v->n_in ? v->in[i] : v)->shape;
        if (other.rank != 0 && other.rank != s.rank)
            return false;
        axis[i] = other.rank == 0 || other.dim[d] == 1 ? -1 : d;
    }
    return true;
}

static bool select_linear_in(const struct value *v, unsigned inputs)
{
    return !(inputs & 1) && (inputs & 2 || is_number(v->in[1], 0)) &&
           (inputs & 4 || is_number(v->in[2], 0));
}

static bool affine_linear_in(const struct value *v, unsigned inputs)
{
    return v->attr.number[1] == 0 && inputs == 1;
}

#pragma GCC diagnostic ignored "-Woverride-init" // flags that differ from a pointwise op's
const struct op op_pointwise[PW_COUNT] = {
#define POINTWISE(code, make, word, arity, numbers, format, meaning, loop, d0, d1, d2, ...) \
    [PW_##code] = {.name = word,                                                            \
                   .flags = OP_POINTWISE,                                                   \
                   .attr = ATTR_NUMBERS,                                                    \
                   .grad = grad_##code,                                                     \
                   .reference = pointwise_reference,                                        \
                   .print = pointwise_print,                                                \
                   .axis_rule = axis_rule_elementwise,                                      \
                   .batch_role = batch_role_repeated,                                       \
                   ##__VA_ARGS__},
#include "ir/ops/pointwise.def"
#undef POINTWISE
};

static struct value *pointwise(enum pointwise op, struct value *const *in, double f, double g)
{
    struct shape shape = in[0]->shape;
    for (int i = 1; i < pointwise_operands(op); i++)
        if (!shape_broadcast(shape, in[i]->shape, &shape))
            BUG("%s: shapes do not fit", op_pointwise[op].name);
    return graph_add(in[0]->graph, &op_pointwise[op], shape, pointwise_operands(op), in,
                     (struct attr){.number = {f, g}});
}

#define GIVEN_1_0 (struct value *[]){a}, 0, 0
#define GIVEN_1_1 (struct value *[]){a}, f, 0
#define GIVEN_1_2 (struct value *[]){a}, f, g
#define GIVEN_2_0 (struct value *[]){a, b}, 0, 0
#define GIVEN_3_0 (struct value *[]){a, b, c}, 0, 0
#define POINTWISE(code, make, word, arity, numbers, ...)        \
    struct value *make(POINTWISE_ARGUMENTS_##arity##_##numbers) \
    {                                                           \
        return pointwise(PW_##code, GIVEN_##arity##_##numbers); \
    }
#include "ir/ops/pointwise.def"
#undef POINTWISE
