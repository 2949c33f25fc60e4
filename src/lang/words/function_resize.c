// Whole factors only: nearest up, the mean of blocks down.
#include "lang/function.h"

static bool function_resize_build(const struct function_call *call, const struct operand *x,
                                  struct operand *out)
{
    struct value *v = x[0].value;
    if (!v || v->shape.rank != 4 || v->shape.dim[2] != v->shape.dim[3])
        return fail_argument(call, 0, "a square image");
    const int64_t size = v->shape.dim[2], to = (int64_t)x[1].number;
    if (x[1].value || to < 1 || (double)to != x[1].number || (size % to && to % size))
        return fail(call->diag, call->is->arg[1]->where,
                    "'resize' of images of %d by %d\n"
                    "expected a size that is a whole multiple or part of it",
                    (int)size, (int)size);
    const double block = (double)(size / to * (size / to));
    *out = operand_of(to >= size ? upsample(v, to / size)
                                 : affine(pool_sum(v, size / to), 1 / block, 0));
    return true;
}

const struct function function_resize = {
    .word = {.name = "resize",
             .help = "square images to size × size, by a whole factor",
             .usage = "resize(x, size)"},
    .least = 2,
    .most = 2,
    .build = function_resize_build,
};
