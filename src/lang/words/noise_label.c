// A class as a whole number.
#include "lang/noise.h"

static bool noise_label_sign(struct noise *n, const struct dataset *images, const char *source,
                             struct place where, struct diag *d)
{
    (void)images, (void)source, (void)where, (void)d;
    n->is.classes = n->size[0];
    return true;
}

static struct value *noise_label_draw(const struct noise *n, struct graph *g, int64_t batch,
                                      int stream)
{
    return random_value(g, RANDOM_LABEL, (double)n->size[0], 0, stream, noise_shape(n, batch));
}

static void noise_label_fill(const struct noise *n, struct rng *r, float *to)
{
    *to = (float)rng_below(r, (uint32_t)n->size[0]);
}

static void noise_label_vary(const struct noise *n, int64_t element, int64_t c, int64_t columns,
                             float *sample)
{
    (void)element;
    ASSERT(c >= 0 && c < columns);
    *sample = (float)(c % n->size[0]);
}

const struct noise_kind noise_label = {
    .word = {.name = "label",
             .help = "a class, all equally likely",
             .params = noise_class_params,
             .size = sizeof(struct noise_options)},
    .numbers = 1,
    .classes = true,
    .sign = noise_label_sign,
    .draw = noise_label_draw,
    .fill = noise_label_fill,
    .vary = noise_label_vary,
};
