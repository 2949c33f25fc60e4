// Sources: values that come from outside the graph. Their meaning is given by what runs it (the
// host's inputs, the slab of slots, Philox); only `constant` means something by itself.
#include "base/arena.h"
#include "ir/bounds.h"
#include "ir/build.h"
#include "ir/op.h"

#include "base/text.h"

struct value *input(struct graph *g, const char *name, struct shape shape)
{
    return graph_add(g, &op_input, shape, 0, NULL, (struct attr){.name = graph_name(g, name)});
}

struct value *param(struct graph *g, struct slot *slot)
{
    return graph_add(g, &op_param, slot->shape, 0, NULL, (struct attr){.slot = slot});
}

struct value *constant(struct graph *g, double x, struct shape shape)
{
    return graph_add(g, &op_constant, shape, 0, NULL, (struct attr){.number = {x}});
}

struct value *random_value(struct graph *g, enum random_kind kind, double a, double b, int stream,
                           struct shape shape)
{
    return graph_add(g, &op_random, shape, 0, NULL, (struct attr){.random = {kind, stream, a, b}});
}

struct value *count_up(struct graph *g, int64_t n)
{
    ASSERT(n > 0);
    struct value **each = NEW_ARRAY(g->arena, struct value *, n);
    for (int64_t i = 0; i < n; i++)
        each[i] = constant(g, (double)i, SHAPE(1));
    return n == 1 ? each[0] : concat(each, (int)n, 0);
}

static void constant_reference(const struct value *v, const double *const *in, double *out)
{
    (void)in;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = v->attr.number[0];
}

static void constant_print(const struct value *v, struct text *out)
{
    text_addf(out, "%g", v->attr.number[0]);
}

static void random_print(const struct value *v, struct text *out)
{
    static const char *const kind[] = {"uniform", "normal", "bernoulli", "label"};
    text_addf(out, "%s(%g, %g) stream=%d", kind[v->attr.random.kind], v->attr.random.a,
              v->attr.random.b, (int)v->attr.random.stream);
}

// Draws know channels and pixels, and nothing inside those.
static bool same_axis_last(const struct value *v, int known, int d, int *axis)
{
    (void)known;
    axis[0] = d;
    for (int i = d + 1; i < v->shape.rank; i++)
        if (v->shape.dim[i] != 1)
            return false;
    return true;
}

const struct op op_input = {.name = "input", .flags = OP_SOURCE | OP_PINNED};
const struct op op_param = {.name = "param", .flags = OP_SOURCE};
const struct op op_random = {.name = "random",
                             .bounds = bounds_random,
                             .flags = OP_SOURCE,
                             .attr = ATTR_RANDOM,
                             .print = random_print,
                             .axis_rule = same_axis_last};
const struct op op_constant = {.name = "constant",
                               .bounds = bounds_constant,
                               .attr = ATTR_NUMBERS,
                               .flags = OP_SOURCE | OP_PINNED,
                               .reference = constant_reference,
                               .print = constant_print,
                               .axis_rule = axis_rule_elementwise};
