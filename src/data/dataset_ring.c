// Gaussians on a ring: 8 of deviation 0.02 as in Metz et al. 2017 and many since, the ring of
// radius 1.
#include <math.h>

#include "data/mixture.h"

// radius · (cos, sin)(2πk / n)
static struct mode dataset_ring_place(const struct mixture_options *o, int64_t k)
{
    const double angle = 2 * M_PI * (double)k / (double)o->n;
    return (struct mode){(float)(o->length * cos(angle)), (float)(o->length * sin(angle))};
}

static bool ring_open(struct dataset *s, enum split split, const void *params, struct place where,
                      struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct mixture_options *o = params;
    return mixture_open(s, split, o, o->n, dataset_ring_place, "ring", "radius", a);
}

#define FIELD(name) offsetof(struct mixture_options, name)
static const struct param ring_table[] = {
    {"n", PARAM_INT, FIELD(n), "8", 1, 1000, NULL, "how many Gaussians"},
    {"radius", PARAM_FLOAT, FIELD(length), "1", 1e-3, 1000, NULL, "of the ring"},
    {"deviation", PARAM_FLOAT, FIELD(deviation), "0.02", 1e-9, 1000, NULL, "of each Gaussian"},
    PARAM_END,
};

const struct dataset_kind dataset_ring = {
    .word = {.name = "ring",
             .help = "points in the plane, read as .point: Gaussians on a ring; the label is which",
             .params = ring_table,
             .size = sizeof(struct mixture_options)},
    .open = ring_open,
    .get = mixture_get,
};
