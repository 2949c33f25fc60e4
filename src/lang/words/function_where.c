// Numbers take the shape of the other side; the condition may be 1 where it repeats.
#include "lang/function.h"

#include "base/arena.h"
#include "lang/meaning.h"

static bool function_where_build(const struct function_call *call, const struct operand *x,
                                 struct operand *out)
{
    const struct operand *like = x[1].value ? &x[1] : &x[2];
    struct shape fits;
    if (!x[0].value)
        return fail_argument(
            call, 0, "a tensor: where it is not 0 the second argument is taken, else the third");
    if (!like->value)
        return fail_argument(call, 1, "a tensor on one side at least");
    if (!shape_broadcast(x[0].value->shape, like->value->shape, &fits) ||
        !shape_equal(fits, like->value->shape))
        return fail(
            call->diag, call->is->arg[0]->where,
            "'where' of %s chooses between %s\nexpected the same shape, or 1 where it repeats",
            signature_text(call->graph->arena, x[0].is),
            signature_text(call->graph->arena, like->is));
    struct value *yes = operand_tensor(call->graph, &x[1], like->value->shape,
                                       call->is->arg[1]->where, "the second argument of 'where'",
                                       call->diag);
    struct value *no = operand_tensor(call->graph, &x[2], like->value->shape,
                                      call->is->arg[2]->where, "the third argument of 'where'",
                                      call->diag);
    if (!yes || !no)
        return false;
    *out = operand_of(select_value(x[0].value, yes, no));
    return true;
}

const struct function function_where = {
    .word = {.name = "where",
             .help = "a where the condition is not 0, else b",
             .usage = "where(condition, a, b)"},
    .least = 3,
    .most = 3,
    .build = function_where_build,
};
