// x(r, c) becomes y(r, c) = x(c, n − 1 − r): a quarter turn against the clock.
#include "lang/function.h"

#include "base/arena.h"

static bool function_rotate90_build(const struct function_call *call, const struct operand *x,
                                    struct operand *out)
{
    struct value *v = x[0].value;
    if (!v || v->shape.rank != 4)
        return fail_argument(call, 0, "an image");
    const int64_t n = v->shape.dim[3];
    struct value **column = NEW_ARRAY(call->graph->arena, struct value *, n);
    for (int64_t i = 0; i < n; i++)
        column[i] = slice(v, 3, n - 1 - i, 1);
    *out = operand_of(transpose(concat(column, (int)n, 3), (const int[]){0, 1, 3, 2}));
    return true;
}

const struct function function_rotate90 = {
    .word = {.name = "rotate90",
             .help = "images, a quarter turn against the clock",
             .usage = "rotate90(x)"},
    .least = 1,
    .most = 1,
    .build = function_rotate90_build,
};
