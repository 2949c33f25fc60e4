// Epilogues as the products of prim/ see them: in their meaning, as text, as oneDNN's post-ops, and
// as the end of an image for our own kernels.
// An post-op chain is kept in a product's attributes, so that equal ones are equal in bytes: attr.i[9]
// has a byte for each step, its op and one; attr.f[] their numbers.
#include "codegen/post_ops_lowering.h"

#include "base/text.h"
#include "kernels/kernel.h"
#include "codegen/lowerings.h"

#include <string.h>

enum { STEPS_AT = 9, OPERANDS = 2 }; // of its own at most

static bool takes_operand(enum pointwise op) { return pointwise_operands(op) > 1; }

int operands_before_post_ops(const struct value *v)
{
    int n = v->n_in;
    for (uint64_t rest = v->op->post_ops ? (uint64_t)v->attr.i[STEPS_AT] : 0; rest; rest >>= 8)
        n -= takes_operand((enum pointwise)((rest & 0xff) - 1));
    return n;
}

struct post_ops post_ops_of(const struct value *v)
{
    struct post_ops e = {0};
    int operand = operands_before_post_ops(v);
    if (!v->op->post_ops)
        return e;
    for (uint64_t rest = (uint64_t)v->attr.i[STEPS_AT]; rest; rest >>= 8, e.n++) {
        const enum pointwise op = (enum pointwise)((rest & 0xff) - 1);
        e.step[e.n] = (struct post_op){op, v->attr.f[e.n],
                                       takes_operand(op) ? v->in[operand++] : NULL};
    }
    return e;
}

struct value *with_post_ops(struct value *v, const struct post_ops *e)
{
    struct attr attr = v->attr;
    struct value *in[OPERANDS + POST_OPS_MAX];
    int n = v->n_in;
    memcpy(in, v->in, sizeof *in * (size_t)n);
    for (int i = 0; i < e->n; i++) {
        attr.i[STEPS_AT] |= (int64_t)(e->step[i].op + 1) << 8 * i;
        attr.f[i] = e->step[i].number;
        if (e->step[i].with)
            in[n++] = e->step[i].with;
    }
    return graph_add(v->graph, v->op, v->shape, n, in, attr);
}

bool post_ops_fit(const struct value *v, const struct post_ops *e)
{
    return v->op->post_ops && v->op->post_ops(v, e);
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

static enum dnn_after_kind post_ops_lowering_kind_of(const struct post_op *s, struct shape result)
{
    static const enum dnn_after_kind kind[PW_COUNT] = {[PW_AFFINE] = DNN_AFTER_SCALE,
                                                       [PW_LEAKY_RELU] = DNN_AFTER_LEAKY_RELU,
                                                       [PW_ELU] = DNN_AFTER_ELU,
                                                       [PW_TANH] = DNN_AFTER_TANH,
                                                       [PW_SIGMOID] = DNN_AFTER_SIGMOID};
    return !s->with ? kind[s->op] : post_op_is_bias(s, result) ? DNN_AFTER_ADD_BIAS : DNN_AFTER_ADD;
}

void post_ops_to_dnn(const struct post_ops *e, struct shape result, struct dnn_after *after)
{
    for (int i = 0; i < e->n; i++)
        after[i] = (struct dnn_after){post_ops_lowering_kind_of(&e->step[i], result),
                                      e->step[i].with ? 0 : (float)e->step[i].number};
}

void post_ops_bind(struct plan *p, const struct value *v, struct dnn_args *args)
{
    const struct post_ops e = post_ops_of(v);
    for (int i = 0; i < e.n; i++)
        args->after[i] = e.step[i].with ? plan_data(p, e.step[i].with) : NULL;
}

bool post_ops_image_end(struct plan *p, const struct value *v, const struct post_ops *e,
                        struct image_end *end)
{
    const struct post_op *s = e->step, *const behind = s + e->n;
    bool bias = false, more = false;
    *end = (struct image_end){.scale = 1, .slope = 1};
    if (s < behind && s->op == PW_AFFINE)
        end->scale = (float)s++->number;
    for (; s < behind && s->with; s++) {
        const bool is_bias = post_op_is_bias(s, v->shape);
        if (is_bias ? bias : more)
            return false;
        *(is_bias ? &bias : &more) = true;
        if (p)
            *(is_bias ? &end->bias : &end->more) = plan_data(p, s->with);
    }
    if (s < behind && s->op == PW_LEAKY_RELU)
        end->slope = (float)s++->number;
    return s == behind;
}
