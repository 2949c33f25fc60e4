// (N, …) to (N·n, …), the n of a sample beside each other
#include "lang/function.h"

#include <string.h>

static bool function_repeat_build(const struct function_call *call, const struct operand *x,
                                  struct operand *out)
{
    struct value *v = x[0].value;
    const int64_t n = operand_whole(&x[1]);
    if (!v || !v->shape.rank || v->shape.rank == RANK_MAX)
        return fail_argument(call, 0, "a tensor");
    if (!n)
        return fail_argument(call, 1, "how often: a whole number from 1 to 4096");
    struct shape one = {.rank = v->shape.rank + 1, .dim = {v->shape.dim[0], 1}}, all = v->shape;
    memcpy(one.dim + 2, v->shape.dim + 1, sizeof *one.dim * (size_t)(v->shape.rank - 1));
    struct shape many = one;
    many.dim[1] = n;
    all.dim[0] *= n;
    *out = (struct operand){reshape(broadcast(reshape(v, one), many), all), 0, x[0].is};
    return true;
}

const struct function function_repeat = {
    .word = {.name = "repeat",
             .help = "each sample n times: a batch n times as long",
             .usage = "repeat(x, n)"},
    .least = 2,
    .most = 2,
    .build = function_repeat_build,
};
