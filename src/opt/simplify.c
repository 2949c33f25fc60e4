// Algebra on a value and its inputs. Each rule is a function that returns what the value should be
// instead, or NULL; the list below is tried in order, and the pass driver repeats until no rule
// fires. Rules only look down, at inputs, and never make more work than they remove, so the order
// among them does not matter and the end is reached. Differentiation writes constants, zeros and
// broadcasts without thinking, because these rules think once, here.
#include "opt/pass.h"

#include "ir/build.h"
#include "ir/op.h"

#include <math.h>

// The number v holds everywhere, seen through broadcasts that pass_simplify has folded already.
static double simplify_number(const struct value *v) { return v->attr.number[0]; }

// f(constants) → constant
static struct value *fold(struct value *v)
{
    double x[3] = {0};
    if (!(v->op->flags & OP_POINTWISE))
        return NULL;
    for (int i = 0; i < v->n_in; i++) {
        if (!is_constant(v->in[i]))
            return NULL;
        x[i] = simplify_number(v->in[i]);
    }
    return constant(
        v->graph,
        pointwise_eval(pointwise_of(v), x[0], x[1], x[2], v->attr.number[0], v->attr.number[1]),
        v->shape);
}

// Moving elements of a constant around gives the constant; summing it multiplies.
static struct value *fold_shape(struct value *v)
{
    if (v->n_in != 1 || !is_constant(v->in[0]))
        return NULL;
    const double c = simplify_number(v->in[0]);
    if (v->op->flags & OP_MOVES)
        return constant(v->graph, c, v->shape);
    if (v->op->flags & OP_ADDS_UP)
        return constant(v->graph, c * (double)(shape_size(v->in[0]->shape) / shape_size(v->shape)),
                        v->shape);
    return NULL;
}

// Linear ops of zero are zero; but 0 / x is left, since x may be 0.
static struct value *fold_zero(struct value *v)
{
    for (int i = 0; i < v->n_in && !is_pointwise(v, PW_DIV); i++)
        if (is_number(v->in[i], 0) && linear_in(v, 1u << i))
            return constant(v->graph, 0, v->shape);
    return NULL;
}

// x + c → affine(x, 1, c), and likewise for − · ÷, where x has the full shape
static struct value *to_affine(struct value *v)
{
    if (!(v->op->flags & OP_POINTWISE) || v->n_in != 2)
        return NULL;
    const int side = is_constant(v->in[1]) ? 1 : is_constant(v->in[0]) ? 0 : -1;
    if (side < 0 || !shape_equal(v->in[1 - side]->shape, v->shape))
        return NULL;
    struct value *x = v->in[1 - side];
    const double c = simplify_number(v->in[side]);
    if (is_pointwise(v, PW_ADD))
        return affine(x, 1, c);
    if (is_pointwise(v, PW_SUB))
        return side ? affine(x, 1, -c) : affine(x, -1, c);
    if (is_pointwise(v, PW_MUL))
        return affine(x, c, 0);
    return is_pointwise(v, PW_DIV) && side && c != 0 ? affine(x, 1 / c, 0) : NULL;
}

static struct value *simplify_affine(struct value *v)
{
    if (!is_pointwise(v, PW_AFFINE))
        return NULL;
    const double s = v->attr.number[0], t = v->attr.number[1];
    struct value *x = v->in[0];
    if (s == 1 && t == 0)
        return x;
    if (is_pointwise(x, PW_AFFINE)) // s(s'x + t') + t
        return affine(x->in[0], s * x->attr.number[0], s * x->attr.number[1] + t);
    return NULL;
}

// A reshape, broadcast or slice that changes nothing; a sum over nothing; detach, whose work was
// done when the gradient was taken.
static struct value *identity(struct value *v)
{
    return v->op->flags & OP_IN_ORDER && shape_equal(v->shape, v->in[0]->shape) ? v->in[0] : NULL;
}

// reshape(reshape(x)) → reshape(x);  the sum of a sum is one sum
static struct value *collapse(struct value *v)
{
    if (v->op == &op_reshape && v->in[0]->op == &op_reshape)
        return reshape(v->in[0]->in[0], v->shape);
    if (v->op == &op_reduce_sum && v->in[0]->op == &op_reduce_sum)
        return reduce_sum(v->in[0]->in[0], (unsigned)(v->attr.axes | v->in[0]->attr.axes));
    return NULL;
}

// The sum of a broadcast along the repeated dimensions is a product.
static struct value *sum_of_broadcast(struct value *v)
{
    if (v->op != &op_reduce_sum || v->in[0]->op != &op_broadcast)
        return NULL;
    struct value *x = v->in[0]->in[0];
    const struct shape wide = v->in[0]->shape;
    unsigned rest = 0;
    double repeats = 1;
    for (int d = 0; d < wide.rank; d++)
        if (v->attr.axes >> d & 1) {
            if (x->shape.dim[d] == 1)
                repeats *= (double)wide.dim[d];
            else
                rest |= 1u << d;
        }
    struct value *s = rest ? reduce_sum(x, rest) : x;
    return shape_equal(s->shape, v->shape) ? affine(s, repeats, 0) : NULL;
}

// The sum over all pixels of an upsampled image. (That of block sums stays: what wants them pays
// for the large image, which opt/fold_upsample.c does without.)
static struct value *sum_of_upsampled(struct value *v)
{
    const unsigned pixels = 1 << 2 | 1 << 3, axes = (unsigned)v->attr.axes;
    const struct value *x = v->in[0];
    if (v->op != &op_reduce_sum || (axes & pixels) != pixels || x->op != &op_upsample)
        return NULL;
    return affine(reduce_sum(x->in[0], axes), (double)(x->attr.factor.by * x->attr.factor.by), 0);
}

// Σ s·x·y → s·Σ x·y for numbers s and for whatever is constant along the summed dimensions. The
// gradients of a normalisation are sums of one product times such factors: without them they are
// the same sum.
struct simplify_product {
    int n_full, n_small;
    struct value *full[8], *small[8];
    double scale;
};

static bool constant_along(const struct value *x, const struct value *whole, unsigned axes)
{
    const int skipped = whole->shape.rank - x->shape.rank;
    for (int d = 0; d < x->shape.rank; d++)
        if ((axes >> (d + skipped) & 1) && x->shape.dim[d] != 1)
            return false;
    return true;
}

static bool take_factors(struct simplify_product *p, struct value *x, const struct value *whole,
                         unsigned axes)
{
    const bool full = shape_equal(x->shape, whole->shape);
    if (full && is_pointwise(x, PW_AFFINE) && x->attr.number[1] == 0) {
        p->scale *= x->attr.number[0];
        return take_factors(p, x->in[0], whole, axes);
    }
    if (full && is_pointwise(x, PW_MUL))
        return take_factors(p, x->in[0], whole, axes) && take_factors(p, x->in[1], whole, axes);
    if (p->n_full == 8 || p->n_small == 8 || (!full && !constant_along(x, whole, axes)))
        return false;
    if (full)
        p->full[p->n_full++] = x;
    else
        p->small[p->n_small++] = x;
    return true;
}

static struct value *sum_of_product(struct value *v)
{
    const unsigned axes = (unsigned)v->attr.axes;
    struct simplify_product p = {.scale = 1};
    if (v->op != &op_reduce_sum || !take_factors(&p, v->in[0], v->in[0], axes) || p.n_full == 0 ||
        (p.n_small == 0 && p.scale == 1))
        return NULL;
    struct value *x = p.full[0];
    for (int i = 1; i < p.n_full; i++)
        x = mul(x, p.full[i]);
    x = reduce_sum(x, axes);
    for (int i = 0; i < p.n_small; i++)
        x = mul(x, p.small[i]);
    return shape_equal(x->shape, v->shape) ? affine(x, p.scale, 0) : NULL;
}

// Σ (x − Σx / n) = 0
static struct value *sum_of_deviations(struct value *v)
{
    const struct value *x = v->in[0];
    if (v->op != &op_reduce_sum || !is_pointwise(x, PW_SUB) || !is_pointwise(x->in[1], PW_AFFINE))
        return NULL;
    const struct value *mean = x->in[1], *s = mean->in[0];
    const double n = (double)shape_size(x->shape) / (double)shape_size(v->shape);
    const bool centred = s->op == &op_reduce_sum && s->in[0] == x->in[0] &&
                         s->attr.axes == v->attr.axes && mean->attr.number[1] == 0 &&
                         fabs(mean->attr.number[0] * n - 1) < 1e-12;
    return centred ? constant(v->graph, 0, v->shape) : NULL;
}

// (x·a)·b → x·(a·b), and x·s·a → x·(s·a), where a and b are smaller than x.
static struct value *small_factors_first(struct value *v)
{
    if (!is_pointwise(v, PW_MUL))
        return NULL;
    const int side = shape_equal(v->in[0]->shape, v->shape) ? 0 : 1;
    struct value *x = v->in[side], *b = v->in[1 - side];
    if (shape_equal(b->shape, v->shape) || !shape_equal(x->shape, v->shape))
        return NULL;
    if (is_pointwise(x, PW_AFFINE) && x->attr.number[1] == 0)
        return mul(x->in[0], affine(b, x->attr.number[0], 0));
    if (!is_pointwise(x, PW_MUL))
        return NULL;
    const int inner = shape_equal(x->in[0]->shape, x->shape) ? 0 : 1;
    struct value *y = x->in[inner], *a = x->in[1 - inner];
    struct shape s;
    if (shape_equal(a->shape, x->shape) || !shape_equal(y->shape, x->shape) ||
        !shape_broadcast(a->shape, b->shape, &s) || shape_equal(s, v->shape))
        return NULL;
    return mul(y, mul(a, b));
}

// A pointwise op repeats its inputs by itself: f(broadcast(x), y) → f(x, y) while another input
// keeps the full shape.
static struct value *drop_broadcast(struct value *v)
{
    if (!(v->op->flags & OP_POINTWISE) || v->n_in < 2)
        return NULL;
    for (int i = 0; i < v->n_in; i++) {
        if (v->in[i]->op != &op_broadcast)
            continue;
        struct shape s = v->in[i]->in[0]->shape;
        for (int j = 0; j < v->n_in; j++)
            if (j != i)
                shape_broadcast(s, v->in[j]->shape, &s);
        if (!shape_equal(s, v->shape))
            continue;
        struct value *in[3];
        for (int j = 0; j < v->n_in; j++)
            in[j] = j == i ? v->in[i]->in[0] : v->in[j];
        return graph_add(v->graph, v->op, v->shape, v->n_in, in, v->attr);
    }
    return NULL;
}

// f(broadcast(x)) → broadcast(f(x)): work on the small side.
static struct value *lift_broadcast(struct value *v)
{
    if (!(v->op->flags & OP_POINTWISE) || v->n_in != 1 || v->in[0]->op != &op_broadcast)
        return NULL;
    struct value *x = v->in[0]->in[0];
    return broadcast(graph_add(v->graph, v->op, x->shape, 1, &x, v->attr), v->shape);
}

typedef struct value *rule(struct value *v);
static rule *const rules[] = {
    identity,         fold,           fold_shape,       fold_zero,           to_affine,
    simplify_affine,  collapse,       sum_of_broadcast, sum_of_product,      sum_of_deviations,
    sum_of_upsampled, drop_broadcast, lift_broadcast,   small_factors_first,
};

static struct value *simplify_apply(struct value *v, void *context)
{
    (void)context;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct value *instead = rules[i](v);
        if (instead)
            return instead;
    }
    return NULL;
}

bool pass_simplify(struct graph *g) { return graph_rewrite(g, simplify_apply, NULL); }
