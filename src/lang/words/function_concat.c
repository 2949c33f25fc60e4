// Along the channels, the first dimension after the batch; labels do not join.
#include "lang/function.h"

#include "base/arena.h"
#include "lang/meaning.h"

static bool function_concat_build(const struct function_call *call, const struct operand *x,
                                  struct operand *out)
{
    struct value **v = NEW_ARRAY(call->graph->arena, struct value *, call->is->n_arg);
    for (int i = 0; i < call->is->n_arg; i++) {
        v[i] = x[i].value;
        if (!v[i] || v[i]->shape.rank < 2 || x[i].is.classes)
            return fail_argument(call, i, "a tensor with channels");
        if (v[i]->shape.rank != v[0]->shape.rank)
            return fail_argument(call, i, "the same number of dimensions as the first");
        for (int d = 2; d < v[0]->shape.rank; d++)
            if (v[i]->shape.dim[d] != v[0]->shape.dim[d])
                return fail(call->diag, call->is->arg[i]->where,
                            "'concat' of %s and %s\nexpected equal heights and widths",
                            signature_text(call->graph->arena, x[0].is),
                            signature_text(call->graph->arena, x[i].is));
    }
    *out = operand_of(concat(v, call->is->n_arg, 1));
    return true;
}

const struct function function_concat = {
    .word = {.name = "concat", .help = "joins along the channels", .usage = "concat(a, b, …)"},
    .least = 2,
    .most = 16,
    .build = function_concat_build,
};
