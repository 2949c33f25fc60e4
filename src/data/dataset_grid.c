// Gaussians on a square grid around the origin: 5 by 5 of them, 1 apart.
#include "base/arena.h"
#include "data/mixture.h"

struct grid_params {
    int64_t side;
    double spacing, deviation;
};

// mode (i, j) = spacing · (i − (side − 1) / 2, j − (side − 1) / 2)
static bool grid_open(struct dataset *s, enum split split, const void *params, struct place where,
                      struct arena *a, struct diag *d)
{
    (void)where, (void)d;
    const struct grid_params *p = params;
    const int side = (int)p->side;
    const double middle = (side - 1) / 2.0;
    struct mode *mode = NEW_ARRAY(a, struct mode, side * side);
    for (int k = 0; k < side * side; k++)
        mode[k] = (struct mode){(float)(p->spacing * (k % side - middle)),
                                (float)(p->spacing * (k / side - middle))};
    const char *text = arena_printf(a, "grid %d spacing %.17g", side, p->spacing);
    mixture_open(s, split, mode, side * side, p->deviation, text, a);
    return true;
}

#define FIELD(name) offsetof(struct grid_params, name)
static const struct param grid_table[] = {
    {"side", PARAM_INT, FIELD(side), "5", 1, 100, NULL, "how many Gaussians a side"},
    {"spacing", PARAM_FLOAT, FIELD(spacing), "1", 1e-3, 1000, NULL, "from one to the next"},
    {"deviation", PARAM_FLOAT, FIELD(deviation), "0.05", 1e-9, 1000, NULL, "of each Gaussian"},
    PARAM_END,
};

const struct dataset_kind dataset_grid = {
    .name = "grid",
    .help = "points in the plane, read as .point: Gaussians on a square grid; the label is which",
    .params = grid_table,
    .size = sizeof(struct grid_params),
    .open = grid_open,
    .get = mixture_get,
};
