// Brightness, then saturation, then contrast.
#include "losses/augmentation.h"

// What differs from the mean over `axes`, times `by`.
static struct value *augment_colour_about(struct value *x, unsigned axes, struct value *by)
{
    struct value *centre = mean_axes(x, axes);
    return add(mul(sub(x, centre), by), centre);
}

static void augment_colour_build(const void *params, struct value **image, int n)
{
    (void)params;
    struct value *brighter = augment_uniform(image[0], -0.5, 0.5); // drawn in this order
    struct value *saturation = augment_uniform(image[0], 0, 2);
    struct value *contrast = augment_uniform(image[0], 0.5, 1.5);
    for (int i = 0; i < n; i++) {
        struct value *x = augment_colour_about(add(image[i], brighter), 1u << 1, saturation);
        image[i] = augment_colour_about(x, 1u << 1 | 1u << 2 | 1u << 3, contrast);
    }
}

const struct augmentation augment_colour = {
    .word = {.name = "colour",
             .help = "brightness by up to ±0.5, saturation by 0 to 2, contrast by 0.5 to 1.5"},
    .build = augment_colour_build,
};
