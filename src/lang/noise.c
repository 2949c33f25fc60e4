#include "lang/noise.h"

#include "base/arena.h"
#include "registry_noises.h"

const struct vocabulary noises = {"noise", (const struct word *const[]){REGISTRY_noises NULL}};

const struct param noise_vector_params[] = {{"size", PARAM_INTS,
                                             offsetof(struct noise_options, size), .min = 1,
                                             .max = 1 << 20, .help = "how many numbers"},
                                            PARAM_END};

const struct param noise_class_params[] = {{"classes", PARAM_INTS,
                                            offsetof(struct noise_options, size), .min = 1,
                                            .max = 1 << 20, .help = "how many classes"},
                                           PARAM_END};

bool noise_sign_vector(struct noise *n, const struct dataset *images, const char *source,
                       struct place where, struct diag *d)
{
    (void)images, (void)source, (void)where, (void)d;
    n->is.shape = SHAPE(n->size[0]);
    return true;
}

struct shape noise_shape(const struct noise *n, int64_t batch)
{
    struct shape s = {.rank = n->is.shape.rank + 1, .dim = {batch}};
    ASSERT(batch > 0 && s.rank <= RANK_MAX);
    for (int i = 0; i < n->is.shape.rank; i++)
        s.dim[i + 1] = n->is.shape.dim[i];
    return s;
}

float noise_along(double end, int64_t c, int64_t columns)
{
    ASSERT(c >= 0 && c < columns);
    return columns > 1 ? (float)end * (2 * (float)c / (float)(columns - 1) - 1) : 0;
}
