// Ends that are infinite are evaluated at a number that is nearly so: 0 · ∞ and ∞ / ∞ would be no numbers.
#include "ir/bounds.h"

#include "base/arena.h"
#include "ir/op.h"

#include <math.h>

static const double huge = 1e300, beyond = 1e290;

static const struct bounds anything = {-INFINITY, INFINITY}, unit = {0, 1};

static double finite_end(double x) { return fmax(-huge, fmin(huge, x)); }

// An end from its arithmetic: what came near the huge number is not known.
static double end_of(double x, double otherwise)
{
    return isnan(x) ? otherwise : x > beyond ? INFINITY : x < -beyond ? -INFINITY : x + 0.0;
}

static struct bounds from_ends(double low, double high)
{
    return (struct bounds){end_of(low, -INFINITY), end_of(high, INFINITY)};
}

static struct bounds both(struct bounds a, struct bounds b)
{
    return (struct bounds){fmin(a.low, b.low), fmax(a.high, b.high)};
}

bool bounds_hold(struct bounds outer, struct bounds inner)
{
    return outer.low <= inner.low && outer.high >= inner.high;
}

// --- traits --------------------------------------------------------------------------------------

static double at(const struct value *v, double a, double b)
{
    return pointwise_eval(pointwise_of(v), finite_end(a), finite_end(b), 0, v->attr.number[0],
                          v->attr.number[1]);
}

struct bounds bounds_rising(const struct value *v, const struct bounds *in)
{
    if (pointwise_numbers(pointwise_of(v)) == 1 && v->attr.number[0] < 0)
        return anything; // a leaky_relu that rises on both sides
    return from_ends(at(v, in[0].low, 0), at(v, in[0].high, 0));
}

struct bounds bounds_affine(const struct value *v, const struct bounds *in)
{
    const bool rises = v->attr.number[0] >= 0;
    return from_ends(at(v, rises ? in[0].low : in[0].high, 0),
                     at(v, rises ? in[0].high : in[0].low, 0));
}

struct bounds bounds_corners(const struct value *v, const struct bounds *in)
{
    const double x[4] = {at(v, in[0].low, in[1].low), at(v, in[0].low, in[1].high),
                         at(v, in[0].high, in[1].low), at(v, in[0].high, in[1].high)};
    return from_ends(fmin(fmin(x[0], x[1]), fmin(x[2], x[3])),
                     fmax(fmax(x[0], x[1]), fmax(x[2], x[3])));
}

// A share of a sum, as a softmax is, or a quotient by what is never 0.
struct bounds bounds_quotient(const struct value *v, const struct bounds *in)
{
    const struct value *sum = v->in[1];
    while (sum->op->flags & OP_MOVES && sum->n_in == 1)
        sum = sum->in[0];
    if (sum->op == &op_reduce_sum && sum->in[0] == v->in[0] && in[0].low >= 0)
        return unit;
    return in[1].low > 0 || in[1].high < 0 ? bounds_corners(v, in) : anything;
}

struct bounds bounds_folded(const struct value *v, const struct bounds *in)
{
    const struct bounds ends = from_ends(at(v, in[0].low, 0), at(v, in[0].high, 0));
    const bool turns = in[0].low < 0 && in[0].high > 0;
    return (struct bounds){turns ? 0 : fmin(ends.low, ends.high), fmax(ends.low, ends.high)};
}

struct bounds bounds_either(const struct value *v, const struct bounds *in)
{
    (void)v;
    return both(in[1], in[2]);
}

struct bounds bounds_unit(const struct value *v, const struct bounds *in)
{
    (void)v, (void)in;
    return unit;
}

struct bounds bounds_with_zero(const struct value *v, const struct bounds *in)
{
    (void)v;
    return both(in[0], (struct bounds){0, 0});
}

struct bounds bounds_constant(const struct value *v, const struct bounds *in)
{
    (void)in;
    return (struct bounds){v->attr.number[0], v->attr.number[0]};
}

struct bounds bounds_random(const struct value *v, const struct bounds *in)
{
    (void)in;
    const double a = v->attr.random.a, b = v->attr.random.b;
    switch (v->attr.random.kind) {
    case RANDOM_UNIFORM: return (struct bounds){a, b};
    case RANDOM_BERNOULLI: return unit;
    case RANDOM_LABEL: return (struct bounds){0, a};
    default: return anything;
    }
}

struct bounds bounds_same(const struct value *v, const struct bounds *in)
{
    (void)v;
    return in[0];
}

// --- a graph -------------------------------------------------------------------------------------

// What an op that says nothing by itself does, by its flags.
static struct bounds by_flags(const struct value *v, const struct bounds *in)
{
    if (v->op->flags & OP_ADDS_UP) {
        const double n = (double)shape_size(v->in[0]->shape) / (double)shape_size(v->shape);
        return from_ends(n * finite_end(in[0].low), n * finite_end(in[0].high));
    }
    if (!(v->op->flags & OP_MOVES))
        return anything;
    struct bounds all = in[0];
    for (int i = 1; i < v->n_in; i++)
        all = both(all, in[i]);
    return all;
}

struct bounds *graph_bounds(const struct graph *g, const struct bounds *given, struct arena *a)
{
    struct bounds *is = NEW_ARRAY(a, struct bounds, g->n + 1);
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        struct bounds *in = NEW_ARRAY(a, struct bounds, v->n_in + 1);
        for (int j = 0; j < v->n_in; j++)
            in[j] = is[v->in[j]->id];
        if (v->op->bounds)
            is[i] = v->op->bounds(v, in);
        else
            is[i] = v->n_in ? by_flags(v, in) : given ? given[i] : anything;
    }
    return is;
}
