// (N·n, F) to (N, n·F)
#include "lang/function.h"

static bool function_fold_build(const struct function_call *call, const struct operand *x,
                                struct operand *out)
{
    struct value *v = x[0].value;
    const int64_t n = operand_whole(&x[1]);
    if (!v || v->shape.rank != 2)
        return fail_argument(call, 0, "numbers in a row for each sample");
    if (!n || v->shape.dim[0] % n)
        return fail_argument(call, 1, "the number that the samples were repeated by");
    *out = operand_of(reshape(v, SHAPE(v->shape.dim[0] / n, n * v->shape.dim[1])));
    return true;
}

const struct function function_fold = {
    .word = {.name = "fold",
             .help = "the numbers of n samples in one row: repeat's way back",
             .usage = "fold(x, n)"},
    .least = 2,
    .most = 2,
    .build = function_fold_build,
};
