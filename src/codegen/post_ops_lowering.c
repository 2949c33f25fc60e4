// Post-ops as oneDNN's and as the end of an image for our own kernels.
#include "codegen/post_ops_lowering.h"

#include "codegen/lower.h"
#include "codegen/tasks.h"

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
