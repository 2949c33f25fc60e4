// A class as numbers.
#include "lang/noise.h"

#include <string.h>

static struct value *noise_one_hot_draw(const struct noise *n, struct graph *g, int64_t batch,
                                        int stream)
{
    const double classes = (double)n->size[0];
    return one_hot(random_value(g, RANDOM_LABEL, classes, 0, stream, SHAPE(batch)), n->size[0]);
}

static void noise_one_hot_set(const struct noise *n, int64_t class, float *to)
{
    ASSERT(class >= 0 && class < n->size[0]);
    memset(to, 0, sizeof *to * (size_t)n->size[0]);
    to[class] = 1;
}

static void noise_one_hot_fill(const struct noise *n, struct rng *r, float *to)
{
    noise_one_hot_set(n, rng_below(r, (uint32_t)n->size[0]), to);
}

static void noise_one_hot_vary(const struct noise *n, int64_t element, int64_t c, int64_t columns,
                               float *sample)
{
    (void)element;
    ASSERT(c >= 0 && c < columns);
    noise_one_hot_set(n, c % n->size[0], sample);
}

const struct noise_kind noise_one_hot = {
    .word = {.name = "one_hot",
             .help = "a class as numbers: 1 at its place, else 0",
             .params = noise_class_params,
             .size = sizeof(struct noise_options)},
    .numbers = 1,
    .classes = true,
    .sign = noise_sign_vector,
    .draw = noise_one_hot_draw,
    .fill = noise_one_hot_fill,
    .vary = noise_one_hot_vary,
};
