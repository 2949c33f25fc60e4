#include "losses/augmentation.h"

struct augment_translation_options {
    double share;
};

static const struct param params[] = {{"share", PARAM_FLOAT,
                                       offsetof(struct augment_translation_options, share), "0.125",
                                       0, 1, .help = "of height and width, at most"},
                                      PARAM_END};

// (N, 1): whole pixels, at most ± share of the size
static struct value *augment_translation_along(const struct value *image, int axis, double share)
{
    const int64_t reach = (int64_t)((double)image->shape.dim[axis] * share + 0.5);
    return affine(augment_whole(image, 2 * reach + 1), 1, -(double)reach);
}

static void augment_translation_build(const void *own, struct value **image, int n)
{
    const struct augment_translation_options *o = own;
    struct value *down = augment_translation_along(image[0], 2, o->share); // drawn in this order
    struct value *right = augment_translation_along(image[0], 3, o->share);
    struct value *by = concat((struct value *[]){down, right}, 2, 1);
    for (int i = 0; i < n; i++)
        image[i] = shift(image[i], by);
}

const struct augmentation augment_translation = {
    .word = {.name = "translation",
             .help = "moved by whole pixels, zeros coming in",
             .params = params,
             .size = sizeof(struct augment_translation_options)},
    .build = augment_translation_build,
};
