// Gaussians on a ring: 8 of deviation 0.02 as in Metz et al. 2017 and many since, the ring of radius 1.
#include <math.h>

#include "base/arena.h"
#include "data/mixture.h"

struct ring_params {
    int64_t n;
    double radius, deviation;
};

// mode k = radius · (cos, sin)(2πk / n)
static bool ring_open(struct dataset *s, enum split split, const void *params, struct place where,
                      struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct ring_params *p = params;
    struct mode *mode = NEW_ARRAY(a, struct mode, p->n);
    for (int64_t k = 0; k < p->n; k++) {
        const double angle = 2 * M_PI * (double)k / (double)p->n;
        mode[k] = (struct mode){(float)(p->radius * cos(angle)), (float)(p->radius * sin(angle))};
    }
    const char *text = arena_printf(a, "ring %d radius %.17g", (int)p->n, p->radius);
    mixture_open(s, split, mode, (int)p->n, p->deviation, text, a);
    return true;
}

#define FIELD(name) offsetof(struct ring_params, name)
static const struct param ring_table[] = {
    {"n", PARAM_INT, FIELD(n), "8", 1, 1000, NULL, "how many Gaussians"},
    {"radius", PARAM_FLOAT, FIELD(radius), "1", 1e-3, 1000, NULL, "of the ring"},
    {"deviation", PARAM_FLOAT, FIELD(deviation), "0.02", 1e-9, 1000, NULL, "of each Gaussian"},
    PARAM_END,
};

const struct dataset_kind dataset_ring = {
    .name = "ring",
    .help = "points in the plane, read as .point: Gaussians on a ring; the label is which",
    .params = ring_table,
    .size = sizeof(struct ring_params),
    .open = ring_open,
    .get = mixture_get,
};
