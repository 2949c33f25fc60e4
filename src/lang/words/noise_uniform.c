// Numbers from U(−1, 1).
#include "lang/noise.h"

static struct value *noise_uniform_draw(const struct noise *n, struct graph *g, int64_t batch,
                                        int stream)
{
    return random_value(g, RANDOM_UNIFORM, -1, 1, stream, noise_shape(n, batch));
}

static void noise_uniform_fill(const struct noise *n, struct rng *r, float *to)
{
    for (int64_t i = 0; i < n->size[0]; i++)
        to[i] = (float)(2 * rng_uniform(r) - 1);
}

static void noise_uniform_vary(const struct noise *n, int64_t element, int64_t c, int64_t columns,
                               float *sample)
{
    ASSERT(element >= 0 && element < n->size[0]);
    sample[element] = noise_along(1, c, columns);
}

const struct noise_kind noise_uniform = {
    .word = {.name = "uniform",
             .help = "numbers from U(−1, 1)",
             .params = noise_vector_params,
             .size = sizeof(struct noise_options)},
    .numbers = 1,
    .sign = noise_sign_vector,
    .draw = noise_uniform_draw,
    .fill = noise_uniform_fill,
    .vary = noise_uniform_vary,
};
