// Changes of images that a critic is shown, real and fake alike, differentiable in the images: so a
// small data set is not learned by heart, and generators do not learn the changes. One word a file,
// augment_*.c. Zhao, Liu, Lin, Zhu, Han 2020, arXiv:2006.10738.
#ifndef LOSSES_AUGMENTATION_H
#define LOSSES_AUGMENTATION_H

#include "config/param.h"
#include "ir/build.h"

struct augmentation {
    struct word word;
    // Replaces n images of a sample, each (N, C, H, W); what is drawn for a sample holds for all.
    void (*build)(const void *params, struct value **image, int n);
};

extern const struct vocabulary augmentations; // generated from the folder

// (N, 1, 1, 1): a draw of U(a, b) a sample, a new stream.
struct value *augment_uniform(const struct value *image, double a, double b);
// (N, 1): a whole number from 0 to n − 1 a sample, a new stream.
struct value *augment_whole(const struct value *image, int64_t n);

#endif
