// Pointwise ops: one row each in two tables, the value of an element and the gradient rule.
// Broadcasting is numpy's at equal rank; a gradient is summed back over the dimensions that were
// repeated. Rank 0 goes with rank 0 only.
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"

#include <math.h>

int pointwise_operands(enum pointwise op) { return op == PW_SELECT ? 3 : op < PW_SELECT ? 2 : 1; }

double pointwise_eval(enum pointwise op, double a, double b, double c, double f0, double f1)
{
    switch (op) {
    case PW_ADD: return a + b;
    case PW_SUB: return a - b;
    case PW_MUL: return a * b;
    case PW_DIV: return a / b;
    case PW_MAX: return a > b ? a : b;
    case PW_MIN: return a < b ? a : b;
    case PW_GREATER: return a > b;
    case PW_SELECT: return a != 0 ? b : c;
    case PW_AFFINE: return f0 * a + f1;
    case PW_LEAKY_RELU: return a > 0 ? a : f0 * a;
    case PW_STEP: return a > 0 ? 1 : f0;
    case PW_ELU: return a > 0 ? a : f0 * expm1(a);
    case PW_EXP: return exp(a);
    case PW_LOG: return log(a);
    case PW_SQRT: return sqrt(a);
    case PW_RSQRT: return 1 / sqrt(a);
    case PW_TANH: return tanh(a);
    case PW_SIGMOID: return 1 / (1 + exp(-a));
    case PW_SOFTPLUS: return (a > 0 ? a : 0) + log1p(exp(-fabs(a)));
    case PW_SQUARE: return a * a;
    case PW_ABS: return fabs(a);
    case PW_SIGN: return (a > 0) - (a < 0);
    case PW_COUNT: break;
    }
    BUG("no such pointwise op %d", op);
}

enum pointwise pointwise_of(const struct value *v)
{
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
        out[i] = pointwise_eval(pointwise_of(v), x[0], x[1], x[2], v->attr.f[0], v->attr.f[1]);
    }
}

static void pointwise_print(const struct value *v, struct text *out)
{
    switch (pointwise_of(v)) {
    case PW_AFFINE: text_addf(out, "scale=%g shift=%g", v->attr.f[0], v->attr.f[1]); break;
    case PW_LEAKY_RELU:
    case PW_STEP: text_addf(out, "slope=%g", v->attr.f[0]); break;
    case PW_ELU: text_addf(out, "alpha=%g", v->attr.f[0]); break;
    default: break;
    }
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

// dx_i ← share, brought to the shape of input i
#define SHARE(i, expression)                               \
    do {                                                   \
        if (want[i])                                       \
            dx[i] = sum_to((expression), v->in[i]->shape); \
    } while (0)

#define RULE(name) \
    static void name(struct value *v, struct value *dy, const bool *want, struct value **dx)
#define A v->in[0]
#define B v->in[1]
#define C v->in[2]

RULE(grad_add)
{
    SHARE(0, dy);
    SHARE(1, dy);
}
RULE(grad_sub)
{
    SHARE(0, dy);
    SHARE(1, affine(dy, -1, 0));
}
RULE(grad_mul)
{
    SHARE(0, mul(dy, B));
    SHARE(1, mul(dy, A));
}
RULE(grad_div)
{
    SHARE(0, divide(dy, B));
    SHARE(1, affine(divide(mul(dy, v), B), -1, 0));
}
RULE(grad_max)
{
    SHARE(0, mul(dy, greater(A, B)));
    SHARE(1, mul(dy, affine(greater(A, B), -1, 1)));
}
RULE(grad_min)
{
    SHARE(0, mul(dy, greater(B, A)));
    SHARE(1, mul(dy, affine(greater(B, A), -1, 1)));
}

static struct value *zero_like(struct value *x)
{
    struct shape one = x->shape;
    for (int d = 0; d < one.rank; d++)
        one.dim[d] = 1;
    return constant(x->graph, 0, one);
}

RULE(grad_select)
{
    SHARE(1, select_value(A, dy, zero_like(dy)));
    SHARE(2, select_value(A, zero_like(dy), dy));
}

RULE(grad_affine) { SHARE(0, affine(dy, v->attr.f[0], 0)); }
RULE(grad_leaky_relu) { SHARE(0, mul(dy, step_value(A, v->attr.f[0]))); }
// x > 0: 1; else α·e^x = elu(x) + α
RULE(grad_elu)
{
    SHARE(0, mul(dy, select_value(step_value(A, 0), affine(zero_like(dy), 1, 1),
                                  affine(v, 1, v->attr.f[0]))));
}
RULE(grad_exp) { SHARE(0, mul(dy, v)); }
RULE(grad_log) { SHARE(0, divide(dy, A)); }
RULE(grad_sqrt) { SHARE(0, divide(affine(dy, 0.5, 0), v)); }
RULE(grad_rsqrt) { SHARE(0, mul(dy, affine(mul(v, mul(v, v)), -0.5, 0))); }
RULE(grad_tanh) { SHARE(0, mul(dy, affine(square(v), -1, 1))); }
RULE(grad_sigmoid) { SHARE(0, mul(dy, mul(v, affine(v, -1, 1)))); }
RULE(grad_softplus) { SHARE(0, mul(dy, sigmoid(A))); }
RULE(grad_square) { SHARE(0, mul(dy, affine(A, 2, 0))); }
RULE(grad_abs) { SHARE(0, mul(dy, sign_value(A))); }

#undef A
#undef B
#undef C

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

#define ROW(index, word, more, rule)             \
    [index] = {.name = word,                     \
               .flags = OP_POINTWISE | (more),   \
               .grad = rule,                     \
               .reference = pointwise_reference, \
                                                 \
               .print = pointwise_print,         \
               .axis_rule = axis_rule_elementwise}

const struct op op_pointwise[PW_COUNT] = {
    ROW(PW_ADD, "add", 0, grad_add),
    ROW(PW_SUB, "sub", 0, grad_sub),
    ROW(PW_MUL, "mul", 0, grad_mul),
    ROW(PW_DIV, "divide", 0, grad_div),
    ROW(PW_MAX, "maximum", 0, grad_max),
    ROW(PW_MIN, "minimum", 0, grad_min),
    ROW(PW_GREATER, "greater", OP_NO_GRAD, NULL),
    ROW(PW_SELECT, "select", 0, grad_select),
    ROW(PW_AFFINE, "affine", 0, grad_affine),
    ROW(PW_LEAKY_RELU, "leaky_relu", 0, grad_leaky_relu),
    ROW(PW_STEP, "step", OP_NO_GRAD, NULL),
    ROW(PW_ELU, "elu", 0, grad_elu),
    ROW(PW_EXP, "exp", 0, grad_exp),
    ROW(PW_LOG, "log", 0, grad_log),
    ROW(PW_SQRT, "sqrt", 0, grad_sqrt),
    ROW(PW_RSQRT, "rsqrt", 0, grad_rsqrt),
    ROW(PW_TANH, "tanh", 0, grad_tanh),
    ROW(PW_SIGMOID, "sigmoid", 0, grad_sigmoid),
    ROW(PW_SOFTPLUS, "softplus", 0, grad_softplus),
    ROW(PW_SQUARE, "square", 0, grad_square),
    ROW(PW_ABS, "abs", 0, grad_abs),
    ROW(PW_SIGN, "sign", OP_NO_GRAD, NULL),
};

static struct value *op_pointwise_pointwise(enum pointwise op, int n, struct value *const *in,
                                            struct attr attr)
{
    struct shape shape = in[0]->shape;
    for (int i = 1; i < n; i++)
        if (!shape_broadcast(shape, in[i]->shape, &shape))
            BUG("%s: shapes do not fit", op_pointwise[op].name);
    return graph_add(in[0]->graph, &op_pointwise[op], shape, n, in, attr);
}

static struct value *op_pointwise_unary(enum pointwise op, struct value *x, double f0, double f1)
{
    return op_pointwise_pointwise(op, 1, &x, (struct attr){.f = {f0, f1}});
}

static struct value *op_pointwise_binary(enum pointwise op, struct value *a, struct value *b)
{
    return op_pointwise_pointwise(op, 2, (struct value *[]){a, b}, (struct attr){0});
}

struct value *add(struct value *a, struct value *b) { return op_pointwise_binary(PW_ADD, a, b); }
struct value *sub(struct value *a, struct value *b) { return op_pointwise_binary(PW_SUB, a, b); }
struct value *mul(struct value *a, struct value *b) { return op_pointwise_binary(PW_MUL, a, b); }
struct value *divide(struct value *a, struct value *b) { return op_pointwise_binary(PW_DIV, a, b); }
struct value *maximum(struct value *a, struct value *b)
{
    return op_pointwise_binary(PW_MAX, a, b);
}
struct value *minimum(struct value *a, struct value *b)
{
    return op_pointwise_binary(PW_MIN, a, b);
}
struct value *greater(struct value *a, struct value *b)
{
    return op_pointwise_binary(PW_GREATER, a, b);
}
struct value *affine(struct value *x, double scale, double shift)
{
    return op_pointwise_unary(PW_AFFINE, x, scale, shift);
}
struct value *leaky_relu(struct value *x, double slope)
{
    return op_pointwise_unary(PW_LEAKY_RELU, x, slope, 0);
}
struct value *step_value(struct value *x, double slope)
{
    return op_pointwise_unary(PW_STEP, x, slope, 0);
}
struct value *elu(struct value *x, double alpha) { return op_pointwise_unary(PW_ELU, x, alpha, 0); }
struct value *exp_value(struct value *x) { return op_pointwise_unary(PW_EXP, x, 0, 0); }
struct value *log_value(struct value *x) { return op_pointwise_unary(PW_LOG, x, 0, 0); }
struct value *sqrt_value(struct value *x) { return op_pointwise_unary(PW_SQRT, x, 0, 0); }
struct value *rsqrt_value(struct value *x) { return op_pointwise_unary(PW_RSQRT, x, 0, 0); }
struct value *tanh_value(struct value *x) { return op_pointwise_unary(PW_TANH, x, 0, 0); }
struct value *sigmoid(struct value *x) { return op_pointwise_unary(PW_SIGMOID, x, 0, 0); }
struct value *softplus(struct value *x) { return op_pointwise_unary(PW_SOFTPLUS, x, 0, 0); }
struct value *square(struct value *x) { return op_pointwise_unary(PW_SQUARE, x, 0, 0); }
struct value *abs_value(struct value *x) { return op_pointwise_unary(PW_ABS, x, 0, 0); }
struct value *sign_value(struct value *x) { return op_pointwise_unary(PW_SIGN, x, 0, 0); }

struct value *select_value(struct value *c, struct value *a, struct value *b)
{
    return op_pointwise_pointwise(PW_SELECT, 3, (struct value *[]){c, a, b}, (struct attr){0});
}
