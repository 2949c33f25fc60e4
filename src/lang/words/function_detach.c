// X, with gradients stopped.
#include "lang/function.h"

static bool function_detach_build(const struct function_call *call, const struct operand *x,
                                  struct operand *out)
{
    if (!x[0].value)
        return fail_argument(call, 0, "a tensor");
    *out = (struct operand){detach(x[0].value), 0, x[0].is};
    return true;
}

const struct function function_detach = {
    .word = {.name = "detach", .help = "x, with gradients stopped", .usage = "detach(x)"},
    .least = 1,
    .most = 1,
    .build = function_detach_build,
};
