// Numbers from N(0, 1). Along a row of a grid one of them goes through 95 % of what is drawn.
#include "lang/noise.h"

static struct value *noise_normal_draw(const struct noise *n, struct graph *g, int64_t batch,
                                       int stream)
{
    return random_value(g, RANDOM_NORMAL, 0, 1, stream, noise_shape(n, batch));
}

static void noise_normal_fill(const struct noise *n, struct rng *r, float *to)
{
    for (int64_t i = 0; i < n->size[0]; i++)
        to[i] = (float)rng_normal(r);
}

static void noise_normal_vary(const struct noise *n, int64_t element, int64_t c, int64_t columns,
                              float *sample)
{
    ASSERT(element >= 0 && element < n->size[0]);
    sample[element] = noise_along(2, c, columns);
}

const struct noise_kind noise_normal = {
    .word = {.name = "normal",
             .help = "numbers from N(0, 1)",
             .params = noise_vector_params,
             .size = sizeof(struct noise_options)},
    .numbers = 1,
    .sign = noise_sign_vector,
    .draw = noise_normal_draw,
    .fill = noise_normal_fill,
    .vary = noise_normal_vary,
};
