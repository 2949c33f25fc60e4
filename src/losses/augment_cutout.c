#include "losses/augmentation.h"

struct augment_cutout_options {
    double share;
};

static const struct param params[] = {{"share", PARAM_FLOAT,
                                       offsetof(struct augment_cutout_options, share), "0.5", 0.01,
                                       1, .help = "of height and width"},
                                      PARAM_END};

// 1 where a pixel's place along the axis is cut out, else 0: (N, 1, H, 1) or (N, 1, 1, W). The hole
// may reach over the border.
static struct value *augment_cutout_along(const struct value *image, int axis, double share)
{
    const int64_t size = image->shape.dim[axis], hole = (int64_t)((double)size * share + 0.5);
    struct shape places = SHAPE(1, 1, 1, 1);
    places.dim[axis] = size;
    struct value *place = reshape(count_up(image->graph, size), places);
    struct value *begin = affine(
        reshape(augment_whole(image, size + 1 - hole % 2), SHAPE(image->shape.dim[0], 1, 1, 1)), 1,
        -(double)(hole / 2));
    return mul(greater(place, affine(begin, 1, -0.5)),
               greater(affine(begin, 1, (double)hole - 0.5), place));
}

static void augment_cutout_build(const void *own, struct value **image, int n)
{
    const struct augment_cutout_options *o = own;
    struct value *rows = augment_cutout_along(image[0], 2, o->share); // drawn in this order
    struct value *columns = augment_cutout_along(image[0], 3, o->share);
    struct value *keep = affine(mul(rows, columns), -1, 1);
    for (int i = 0; i < n; i++)
        image[i] = mul(image[i], keep);
}

const struct augmentation augment_cutout = {
    .word = {.name = "cutout",
             .help = "a rectangle of zeros at a random place",
             .params = params,
             .size = sizeof(struct augment_cutout_options)},
    .build = augment_cutout_build,
};
