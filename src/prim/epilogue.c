// Epilogues as the products of prim/ see them: in their meaning, as text, as oneDNN's post-ops, and
// as the end of an image for our own kernels.
// An epilogue is kept in a product's attributes, so that equal ones are equal in bytes: attr.i[9]
// has a byte for each step, its op and one; attr.f[] their numbers.
#include "prim/epilogue.h"

#include "base/text.h"
#include "prim/kernel.h"
#include "prim/lower.h"

#include <string.h>

enum { STEPS_AT = 9, OPERANDS = 2 }; // of its own at most

static bool takes_operand(enum pointwise op) { return pointwise_operands(op) > 1; }

int epilogue_behind(const struct value *v)
{
    int n = v->n_in;
    for (uint64_t rest = v->op->epilogue ? (uint64_t)v->attr.i[STEPS_AT] : 0; rest; rest >>= 8)
        n -= takes_operand((enum pointwise)((rest & 0xff) - 1));
    return n;
}

struct epilogue epilogue_of(const struct value *v)
{
    struct epilogue e = {0};
    int operand = epilogue_behind(v);
    if (!v->op->epilogue)
        return e;
    for (uint64_t rest = (uint64_t)v->attr.i[STEPS_AT]; rest; rest >>= 8, e.n++) {
        const enum pointwise op = (enum pointwise)((rest & 0xff) - 1);
        e.step[e.n] = (struct epilogue_step){op, v->attr.f[e.n],
                                             takes_operand(op) ? v->in[operand++] : NULL};
    }
    return e;
}

struct value *epilogue_added(struct value *v, const struct epilogue *e)
{
    struct attr attr = v->attr;
    struct value *in[OPERANDS + EPILOGUE_STEPS];
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

bool epilogue_fits(const struct value *v, const struct epilogue *e)
{
    return v->op->epilogue && v->op->epilogue(v, e);
}

bool epilogue_is_bias(const struct epilogue_step *step, struct shape result)
{
    for (int d = 0; step->with && d < result.rank; d++)
        if (step->with->shape.rank != result.rank ||
            step->with->shape.dim[d] != (d == 1 ? result.dim[d] : 1))
            return false;
    return step->with && result.rank % 2 == 0;
}

void epilogue_reference(const struct value *v, const double *const *in, double *out)
{
    const struct epilogue e = epilogue_of(v);
    const int64_t n = shape_size(v->shape), channels = v->shape.dim[1],
                  pixels = v->shape.rank == 4 ? v->shape.dim[2] * v->shape.dim[3] : 1;
    int operand = epilogue_behind(v);
    for (int k = 0; k < e.n; k++) {
        const struct epilogue_step *s = &e.step[k];
        const bool bias = epilogue_is_bias(s, v->shape);
        const double *const with = s->with ? in[operand++] : NULL;
        for (int64_t i = 0; i < n; i++)
            out[i] = pointwise_eval(
                s->op, out[i], with ? with[bias ? i / pixels % channels : i] : 0, 0, s->number, 0);
    }
}

void epilogue_text(const struct epilogue *e, struct shape result, struct text *out)
{
    for (int i = 0; i < e->n; i++) {
        const struct epilogue_step *s = &e->step[i];
        text_addf(out, "%s%s", i ? ", " : "",
                  epilogue_is_bias(s, result) ? "bias"
                  : s->op == PW_AFFINE        ? "scale"
                                              : op_pointwise[s->op].name);
        if (!s->with && s->op != PW_TANH && s->op != PW_SIGMOID)
            text_addf(out, " %g", s->number);
    }
}

void epilogue_print(const struct value *v, struct text *out)
{
    const struct epilogue e = epilogue_of(v);
    text_add(out, e.n ? " then " : "");
    epilogue_text(&e, v->shape, out);
}

static enum dnn_after_kind kind_of(const struct epilogue_step *s, struct shape result)
{
    static const enum dnn_after_kind kind[PW_COUNT] = {[PW_AFFINE] = DNN_AFTER_SCALE,
                                                       [PW_LEAKY_RELU] = DNN_AFTER_LEAKY_RELU,
                                                       [PW_ELU] = DNN_AFTER_ELU,
                                                       [PW_TANH] = DNN_AFTER_TANH,
                                                       [PW_SIGMOID] = DNN_AFTER_SIGMOID};
    return !s->with                      ? kind[s->op]
           : epilogue_is_bias(s, result) ? DNN_AFTER_ADD_BIAS
                                         : DNN_AFTER_ADD;
}

void epilogue_post_ops(const struct epilogue *e, struct shape result, struct dnn_after *after)
{
    for (int i = 0; i < e->n; i++)
        after[i] = (struct dnn_after){kind_of(&e->step[i], result),
                                      e->step[i].with ? 0 : (float)e->step[i].number};
}

void epilogue_bind(struct plan *p, const struct value *v, struct dnn_args *args)
{
    const struct epilogue e = epilogue_of(v);
    for (int i = 0; i < e.n; i++)
        args->after[i] = e.step[i].with ? plan_data(p, e.step[i].with) : NULL;
}

bool epilogue_ends(struct plan *p, const struct value *v, const struct epilogue *e,
                   struct image_end *end)
{
    const struct epilogue_step *s = e->step, *const behind = s + e->n;
    bool bias = false, more = false;
    *end = (struct image_end){.scale = 1, .slope = 1};
    if (s < behind && s->op == PW_AFFINE)
        end->scale = (float)s++->number;
    for (; s < behind && s->with; s++) {
        const bool is_bias = epilogue_is_bias(s, v->shape);
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
