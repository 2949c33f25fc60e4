// Images of another size. Unless a method is named, an axis that grows repeats pixels and one that
// shrinks takes means; by a whole factor both are ops of their own, which passes fold into the
// convolutions beside them.
#include "lang/function.h"

#include <string.h>

static const char *const resize_method[] = {
    "nearest", "area", "bilinear", "bicubic", "bilinear_antialias", "bicubic_antialias", NULL};

struct resize_to {
    int64_t size[2];
    int method; // of resize_method; -1: none named
};

// Sizes follow the image, a method follows those.
static bool resize_read(const struct function_call *call, const struct operand *x,
                        struct resize_to *to)
{
    int n = call->is->n_arg, word;
    to->method = -1;
    if (function_takes_word(function_find(call->is->name), call->is, n - 1, &word)) {
        to->method = word;
        n--;
    }
    if (n < 2)
        return fail_argument(call, 1, "a size");
    for (int i = 0; i < 2; i++) {
        const int at = i && n > 2 ? 2 : 1;
        if (!(to->size[i] = operand_whole(&x[at])))
            return fail_argument(call, at, "a size: a whole number from 1 to 4096");
    }
    return true;
}

static struct resampling resize_axis(int64_t from, int64_t to, int method)
{
    if (from == to)
        return (struct resampling){RESAMPLE_KEEP, from, to, 0};
    if (method < 0)
        return (struct resampling){to > from ? RESAMPLE_NEAREST : RESAMPLE_AREA, from, to, 0};
    ASSERT(!strcmp(resize_method[method], resampling_name(RESAMPLE_NEAREST + method)));
    return (struct resampling){RESAMPLE_NEAREST + method, from, to, 0};
}

// Both axes by one whole factor; NULL where they are not.
static struct value *resize_whole(struct value *v, const struct resize_to *to)
{
    const int64_t H = v->shape.dim[2], W = v->shape.dim[3], h = to->size[0], w = to->size[1];
    if (to->method >= 0)
        return NULL;
    if (h % H == 0 && w % W == 0 && h / H == w / W)
        return upsample(v, h / H);
    if (H % h == 0 && W % w == 0 && H / h == W / w)
        return affine(pool_sum(v, H / h), 1 / (double)(H / h * (W / w)), 0);
    return NULL;
}

static bool function_resize_build(const struct function_call *call, const struct operand *x,
                                  struct operand *out)
{
    struct value *v = x[0].value;
    struct resize_to to;
    if (!v || v->shape.rank != 4)
        return fail_argument(call, 0, "an image");
    if (!resize_read(call, x, &to))
        return false;
    struct value *whole = resize_whole(v, &to);
    *out = operand_of(whole ? whole
                            : resample(v, resize_axis(v->shape.dim[2], to.size[0], to.method),
                                       resize_axis(v->shape.dim[3], to.size[1], to.method)));
    return true;
}

const struct function function_resize = {
    .word = {.name = "resize",
             .help = "images of another size. By default pixels are repeated or averaged; the "
                     "methods are PyTorch's: nearest, area, bilinear, bicubic, "
                     "bilinear_antialias, bicubic_antialias",
             .usage = "resize(x, size), resize(x, height, width), resize(x, …, method)"},
    .least = 2,
    .most = 4,
    .words = resize_method,
    .build = function_resize_build,
};
