// One pass over memory that does the work of several ops. Only pass/fuse.c makes fused values,
// after differentiation, so they have no gradient. A fused value that ends in a reduction is
// another op: it is not pointwise, and must not share memory with an input.
#include "graph/map.h"

#include "base/arena.h"
#include "base/text.h"
#include "prim/lower.h"

#include <inttypes.h>
#include <math.h>

struct value *fused(struct graph *g, const struct map_program *program, struct value *const *in)
{
    struct map_program *p = NEW(g->arena, struct map_program);
    *p = *program;
    struct shape shape = p->space;
    for (int d = 0; d < shape.rank; d++)
        if (p->reduce != MAP_STORE && p->axes >> d & 1)
            shape.dim[d] = 1;
    return graph_add(g, p->reduce == MAP_STORE ? &op_fused : &op_fused_reduce, shape, p->n_in, in,
                     (struct attr){.ref = p});
}

const struct map_program *map_program_of(const struct value *v)
{
    return v->op == &op_fused || v->op == &op_fused_reduce ? v->attr.ref : NULL;
}

// Where element i of `space` in row-major order lies in a tensor of shape s that repeats along its
// dimensions of size 1.
static int64_t element(struct shape space, struct shape s, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = s.rank - 1; d >= 0; d--) {
        at += s.dim[d] == 1 ? 0 : i % space.dim[d] * stride;
        i /= space.dim[d];
        stride *= s.dim[d];
    }
    return at;
}

static double evaluate(const struct value *v, const struct map_program *p, const double *const *in,
                       int64_t i)
{
    double x[MAP_INPUTS + MAP_LENGTH];
    for (int k = 0; k < p->n_in; k++)
        x[k] = in[k][element(p->space, v->in[k]->shape, i)];
    for (int k = 0; k < p->n; k++) {
        const struct map_inst *s = &p->inst[k];
        x[p->n_in + k] = pointwise_eval(s->code, x[s->a], x[s->b], x[s->c], s->f0, s->f1);
    }
    return x[p->n ? p->n_in + p->n - 1 : 0];
}

static void fused_reference(const struct value *v, const double *const *in, double *out)
{
    const struct map_program *p = v->attr.ref;
    for (int64_t i = 0, n = shape_size(v->shape); i < n; i++)
        out[i] = p->reduce == MAP_MAX ? -INFINITY : 0;
    for (int64_t i = 0, n = shape_size(p->space); i < n; i++) {
        double *to = out + element(p->space, v->shape, i);
        const double x = evaluate(v, p, in, i);
        *to = p->reduce != MAP_MAX ? *to + x : x > *to ? x : *to;
    }
}

static void operand(const struct value *v, const struct map_program *p, int k, struct text *out)
{
    if (k < p->n_in)
        text_addf(out, "%%%d", v->in[k]->id);
    else
        text_addf(out, "$%d", k - p->n_in);
}

static void numbers(const struct map_inst *s, struct text *out)
{
    if (s->code == PW_AFFINE)
        text_addf(out, ", %g, %g", s->f0, s->f1);
    else if (s->code == PW_LEAKY_RELU || s->code == PW_STEP || s->code == PW_ELU)
        text_addf(out, ", %g", s->f0);
}

// "$0 = mul(%3, %7); leaky_relu($0, 0.2); sum axes=0,2,3"
static void fused_print(const struct value *v, struct text *out)
{
    const struct map_program *p = v->attr.ref;
    for (int i = 0; i < p->n; i++) {
        const struct map_inst *s = &p->inst[i];
        const int k[] = {s->a, s->b, s->c};
        text_add(out, i ? "; " : "");
        if (i + 1 < p->n)
            text_addf(out, "$%d = ", i);
        text_addf(out, "%s(", op_pointwise[s->code].name);
        for (int j = 0; j < pointwise_operands(s->code); j++) {
            text_add(out, j ? ", " : "");
            operand(v, p, k[j], out);
        }
        numbers(s, out);
        text_add(out, ")");
    }
    if (p->reduce == MAP_STORE)
        return;
    text_add(out, p->reduce == MAP_SUM ? "; sum axes=" : "; max axes=");
    for (int d = 0, some = 0; d < p->space.rank; d++)
        if (p->axes >> d & 1)
            text_addf(out, "%s%d", some++ ? "," : "", d);
}

const struct op op_fused = {.name = "fused",
                            .flags = OP_POINTWISE | OP_ANY_LAYOUT | OP_READS_BF16 | OP_WRITES_BF16,
                            .reference = fused_reference,
                            .lower = lower_fused,
                            .print = fused_print,
                            .same_axis = same_axis_elementwise};
const struct op op_fused_reduce = {.name = "fused",
                                   .flags = OP_ANY_LAYOUT | OP_READS_BF16,
                                   .reference = fused_reference,
                                   .lower = lower_fused,
                                   .print = fused_print,
                            .same_axis = same_axis_elementwise};
