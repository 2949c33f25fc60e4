// 1 where x is above 0, else −1.
#include "lang/function.h"

static bool function_sign_build(const struct function_call *call, const struct operand *x,
                                struct operand *out)
{
    if (!x[0].value || x[0].is.classes)
        return fail_argument(call, 0, "a tensor");
    *out = operand_of(affine(positive(x[0].value), 2, -1));
    return true;
}

const struct function function_sign = {
    .word = {.name = "sign", .help = "1 where x is above 0, else −1", .usage = "sign(x)"},
    .least = 1,
    .most = 1,
    .build = function_sign_build,
};
