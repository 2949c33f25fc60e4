// One number: the mean of all of x, batch included.
#include "lang/function.h"

static bool function_mean_build(const struct function_call *call, const struct operand *x,
                                struct operand *out)
{
    if (!x[0].value)
        return fail_argument(call, 0, "a tensor");
    *out = operand_of(mean(x[0].value));
    return true;
}

const struct function function_mean = {
    .word = {.name = "mean",
             .help = "one number: the mean of all of x, batch included",
             .usage = "mean(x)"},
    .least = 1,
    .most = 1,
    .build = function_mean_build,
};
