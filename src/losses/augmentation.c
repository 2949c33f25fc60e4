#include "losses/augmentation.h"

#include "registry_augmentations.h"

const struct vocabulary augmentations = {"augmentation",
                                         (const struct word *const[]){REGISTRY_augmentations NULL}};

struct value *augment_uniform(const struct value *image, double a, double b)
{
    struct graph *g = image->graph;
    return random_value(g, RANDOM_UNIFORM, a, b, g->next_stream++,
                        SHAPE(image->shape.dim[0], 1, 1, 1));
}

struct value *augment_whole(const struct value *image, int64_t n)
{
    struct graph *g = image->graph;
    return random_value(g, RANDOM_LABEL, (double)n, 0, g->next_stream++,
                        SHAPE(image->shape.dim[0], 1));
}
