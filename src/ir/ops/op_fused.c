// One pass over memory that does the work of several ops. Only opt/fuse.c makes fused values,
// after differentiation, so they have no gradient. A fused value that ends in a reduction is
// another op: it is not pointwise, and must not share memory with an input.
#include "ir/map_program.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/op.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

int map_results(const struct map_program *p) { return p->n_result ? p->n_result : 1; }

int map_result(const struct map_program *p, int i)
{
    return p->n_result ? p->result[i] : p->n ? p->n_in + p->n - 1 : 0;
}

struct value *fused(struct graph *g, const struct map_program *program, struct value *const *in)
{
    struct map_program *p = NEW(g->arena, struct map_program);
    *p = *program;
    struct shape shape = p->space;
    for (int d = 0; d < shape.rank; d++)
        if (p->reduce != MAP_STORE && p->axes >> d & 1)
            shape.dim[d] = 1;
    shape.dim[0] *= map_results(p);
    return graph_add(g, p->reduce == MAP_STORE ? &op_fused : &op_fused_reduce, shape, p->n_in, in,
                     (struct attr){.program = p});
}

const struct map_program *map_program_of(const struct value *v)
{
    return v->op == &op_fused || v->op == &op_fused_reduce ? v->attr.program : NULL;
}

// Where element i of `space` in row-major order lies in a tensor of shape s that repeats along its
// dimensions of size 1.
static int64_t op_fused_element(struct shape space, struct shape s, int64_t i)
{
    int64_t at = 0, stride = 1;
    for (int d = s.rank - 1; d >= 0; d--) {
        at += s.dim[d] == 1 ? 0 : i % space.dim[d] * stride;
        i /= space.dim[d];
        stride *= s.dim[d];
    }
    return at;
}

static void op_fused_evaluate(const struct value *v, const struct map_program *p,
                              const double *const *in, int64_t i, double *x)
{
    for (int k = 0; k < p->n_in; k++)
        x[k] = in[k][op_fused_element(p->space, v->in[k]->shape, i)];
    for (int k = 0; k < p->n; k++) {
        const struct map_inst *s = &p->inst[k];
        x[p->n_in + k] = pointwise_eval(s->code, x[s->a], x[s->b], x[s->c], s->f0, s->f1);
    }
}

// out: sums, and behind them those of squares.
static void fused_sum_var_reference(const struct value *v, const double *const *in, double *out)
{
    const struct map_program *p = v->attr.program;
    const int64_t each = shape_size(v->shape) / 2, n = shape_size(p->space);
    struct shape shape = v->shape;
    shape.dim[0] /= 2;
    double x[MAP_INPUTS + MAP_LENGTH];
    for (int64_t i = 0; i < 2 * each; i++)
        out[i] = 0;
    for (int64_t i = 0; i < n; i++) {
        op_fused_evaluate(v, p, in, i, x);
        out[op_fused_element(p->space, shape, i)] += x[map_result(p, 0)];
    }
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = op_fused_element(p->space, shape, i);
        op_fused_evaluate(v, p, in, i, x);
        const double d = x[map_result(p, 0)] - out[at] * (double)each / (double)n;
        out[each + at] += d * d;
    }
}

static void fused_reference(const struct value *v, const double *const *in, double *out)
{
    const struct map_program *p = v->attr.program;
    if (p->reduce == MAP_SUM_VAR) {
        fused_sum_var_reference(v, in, out);
        return;
    }
    const int64_t all = shape_size(v->shape), each = all / map_results(p);
    struct shape shape = v->shape;
    shape.dim[0] /= map_results(p);
    for (int64_t i = 0; i < all; i++)
        out[i] = p->reduce == MAP_MAX ? -INFINITY : 0;
    for (int64_t i = 0, n = shape_size(p->space); i < n; i++) {
        double x[MAP_INPUTS + MAP_LENGTH], *to = out + op_fused_element(p->space, shape, i);
        op_fused_evaluate(v, p, in, i, x);
        for (int k = 0; k < map_results(p); k++, to += each)
            *to = p->reduce != MAP_MAX ? *to + x[map_result(p, k)] : fmax(*to, x[map_result(p, k)]);
    }
}

static void op_fused_operand(const struct value *v, const struct map_program *p, int k,
                             struct text *out)
{
    if (k < p->n_in)
        text_addf(out, "%%%d", v->in[k]->id);
    else
        text_addf(out, "$%d", k - p->n_in);
}

static void op_fused_numbers(const struct map_inst *s, struct text *out)
{
    const float number[] = {s->f0, s->f1};
    for (int i = 0; i < pointwise_numbers(s->code); i++)
        text_addf(out, ", %g", number[i]);
}

static void results_print(const struct value *v, const struct map_program *p, struct text *out)
{
    text_add(out, p->reduce == MAP_SUM ? "; sum" : p->reduce == MAP_MAX ? "; max" : "; sum_var");
    for (int k = 0; k < p->n_result; k += p->reduce == MAP_SUM_VAR ? 2 : 1) {
        text_add(out, k ? ", " : " ");
        op_fused_operand(v, p, p->result[k], out);
    }
    text_add(out, " axes=");
    for (int d = 0, some = 0; d < p->space.rank; d++)
        if (p->axes >> d & 1)
            text_addf(out, "%s%d", some++ ? "," : "", d);
}

// "$0 = mul(%3, %7); leaky_relu($0, 0.2); sum axes=0,2,3"
static void fused_print(const struct value *v, struct text *out)
{
    const struct map_program *p = v->attr.program;
    for (int i = 0; i < p->n; i++) {
        const struct map_inst *s = &p->inst[i];
        const int k[] = {s->a, s->b, s->c};
        text_add(out, i ? "; " : "");
        if (i + 1 < p->n || p->n_result)
            text_addf(out, "$%d = ", i);
        text_addf(out, "%s(", op_pointwise[s->code].name);
        for (int j = 0; j < pointwise_operands(s->code); j++) {
            text_add(out, j ? ", " : "");
            op_fused_operand(v, p, k[j], out);
        }
        op_fused_numbers(s, out);
        text_add(out, ")");
    }
    if (p->reduce != MAP_STORE)
        results_print(v, p, out);
}

// Results along dimension 0 do not follow an input's order there.
static bool same_axis_reduced(const struct value *v, int known, int d, int *axis)
{
    return (d > 0 || map_results(v->attr.program) == 1) && axis_rule_elementwise(v, known, d, axis);
}

// --- one of several results ----------------------------------------------------------------------

struct value *part_of(struct value *x, int i, int of)
{
    struct shape s = x->shape;
    s.dim[0] /= of;
    return graph_add(x->graph, &op_part, s, 1, &x, (struct attr){.part = i});
}

static void part_reference(const struct value *v, const double *const *in, double *out)
{
    const int64_t n = shape_size(v->shape);
    memcpy(out, in[0] + v->attr.part * n, sizeof *out * (size_t)n);
}

static void part_print(const struct value *v, struct text *out)
{
    text_addf(out, "%" PRId64, v->attr.part);
}

const struct op op_part = {.name = "part",
                           .attr = ATTR_PART,
                           .flags = OP_ALIAS | OP_NO_GRAD,
                           .reference = part_reference,
                           .print = part_print};

const struct op op_fused = {.name = "fused",
                            .attr = ATTR_PROGRAM,
                            .flags = OP_POINTWISE,
                            .reference = fused_reference,
                            .print = fused_print,
                            .axis_rule = axis_rule_elementwise};
const struct op op_fused_reduce = {.name = "fused",
                                   .attr = ATTR_PROGRAM,
                                   .reference = fused_reference,
                                   .print = fused_print,
                                   .axis_rule = same_axis_reduced};
