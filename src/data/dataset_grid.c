// Gaussians on a square grid around the origin: 5 by 5 of them, 1 apart.
#include "data/mixture.h"

// (i, j) of k = (j, i) in base n: spacing · (i − (n − 1) / 2, j − (n − 1) / 2)
static struct mode dataset_grid_place(const struct mixture_options *o, int64_t k)
{
    const double middle = (double)(o->n - 1) / 2;
    return (struct mode){(float)(o->length * ((double)(k % o->n) - middle)),
                         (float)(o->length * ((double)(k / o->n) - middle))};
}

static bool grid_open(struct dataset *s, enum split split, const void *params, struct place where,
                      struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct mixture_options *o = params;
    return mixture_open(s, split, o, o->n * o->n, dataset_grid_place, "grid", "spacing", a);
}

#define FIELD(name) offsetof(struct mixture_options, name)
static const struct param grid_table[] = {
    {"side", PARAM_INT, FIELD(n), "5", 1, 100, NULL, "how many Gaussians a side"},
    {"spacing", PARAM_FLOAT, FIELD(length), "1", 1e-3, 1000, NULL, "from one to the next"},
    {"deviation", PARAM_FLOAT, FIELD(deviation), "0.05", 1e-9, 1000, NULL, "of each Gaussian"},
    PARAM_END,
};

const struct dataset_kind dataset_grid = {
    .word =
        {.name = "grid",
         .help =
             "points in the plane, read as .point: Gaussians on a square grid; the label is which",
         .params = grid_table,
         .size = sizeof(struct mixture_options)},
    .open = grid_open,
    .get = mixture_get,
};
