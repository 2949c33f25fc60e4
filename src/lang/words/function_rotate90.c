// x(r, c) becomes y(r, c) = x(c, n − 1 − r): a quarter turn against the clock.
#include "lang/function.h"

static bool function_rotate90_build(const struct function_call *call, const struct operand *x,
                                    struct operand *out)
{
    struct value *v = x[0].value;
    if (!v || v->shape.rank != 4)
        return fail_argument(call, 0, "an image");
    v = transpose(v, (const int[]){0, 1, 3, 2});
    const int64_t H = v->shape.dim[2], W = v->shape.dim[3];
    *out = operand_of(resample(v, (struct resampling){RESAMPLE_REVERSE, H, H, 0},
                               (struct resampling){RESAMPLE_KEEP, W, W, 0}));
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
