// A chain of post-ops is kept in a product's attributes, so that equal ones are equal in bytes.
#include "ir/post_ops.h"

#include "base/text.h"

#include <string.h>

enum { OPERANDS = 2 }; // of its own at most

static bool takes_operand(enum pointwise op) { return pointwise_operands(op) > 1; }

static bool is_last(const struct value *v, int i)
{
    return i == POST_OPS_MAX || !(v->op->flags & OP_POST_OPS) || !v->attr.post[i].op;
}

int operands_before_post_ops(const struct value *v)
{
    int n = v->n_in;
    for (int i = 0; !is_last(v, i); i++)
        n -= takes_operand((enum pointwise)(v->attr.post[i].op - 1));
    return n;
}

struct post_ops post_ops_of(const struct value *v)
{
    struct post_ops e = {0};
    int operand = operands_before_post_ops(v);
    for (; !is_last(v, e.n); e.n++) {
        const enum pointwise op = (enum pointwise)(v->attr.post[e.n].op - 1);
        e.step[e.n] = (struct post_op){op, v->attr.post[e.n].number,
                                       takes_operand(op) ? v->in[operand++] : NULL};
    }
    return e;
}

struct value *with_post_ops(struct value *v, const struct post_ops *e)
{
    struct attr attr = v->attr;
    struct value *in[OPERANDS + POST_OPS_MAX];
    int n = v->n_in;
    ASSERT(v->op->flags & OP_POST_OPS && is_last(v, 0) && n <= OPERANDS && e->n <= POST_OPS_MAX);
    memcpy(in, v->in, sizeof *in * (size_t)n);
    for (int i = 0; i < e->n; i++) {
        attr.post[i].op = e->step[i].op + 1;
        attr.post[i].number = e->step[i].number;
        if (e->step[i].with)
            in[n++] = e->step[i].with;
    }
    return graph_add(v->graph, v->op, v->shape, n, in, attr);
}

bool post_op_is_bias(const struct post_op *step, struct shape result)
{
    for (int d = 0; step->with && d < result.rank; d++)
        if (step->with->shape.rank != result.rank ||
            step->with->shape.dim[d] != (d == 1 ? result.dim[d] : 1))
            return false;
    return step->with && result.rank % 2 == 0;
}

void post_ops_reference(const struct value *v, const double *const *in, double *out)
{
    const struct post_ops e = post_ops_of(v);
    const int64_t n = shape_size(v->shape), channels = v->shape.dim[1],
                  pixels = v->shape.rank == 4 ? v->shape.dim[2] * v->shape.dim[3] : 1;
    int operand = operands_before_post_ops(v);
    for (int k = 0; k < e.n; k++) {
        const struct post_op *s = &e.step[k];
        const bool bias = post_op_is_bias(s, v->shape);
        const double *const with = s->with ? in[operand++] : NULL;
        for (int64_t i = 0; i < n; i++)
            out[i] = pointwise_eval(
                s->op, out[i], with ? with[bias ? i / pixels % channels : i] : 0, 0, s->number, 0);
    }
}

void post_ops_text(const struct post_ops *e, struct shape result, struct text *out)
{
    for (int i = 0; i < e->n; i++) {
        const struct post_op *s = &e->step[i];
        text_addf(out, "%s%s", i ? ", " : "",
                  post_op_is_bias(s, result) ? "bias"
                  : s->op == PW_AFFINE       ? "scale"
                                             : op_pointwise[s->op].name);
        if (!s->with && s->op != PW_TANH && s->op != PW_SIGMOID)
            text_addf(out, " %g", s->number);
    }
}

void post_ops_print(const struct value *v, struct text *out)
{
    const struct post_ops e = post_ops_of(v);
    text_add(out, e.n ? " then " : "");
    post_ops_text(&e, v->shape, out);
}
