// The share of samples that lie where real data do: in some ball around a feature of real data.
// Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved precision and recall metric for
// assessing generative models", arXiv:1904.06991: k = 3, a ball has its surface.
#include "eval/balls.h"

#include <math.h>

static struct score precision(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    return (struct score){balls_share(&e->reference, &e->features, p->k), NAN};
}

const struct metric metric_precision = {
    .word = {.name = "precision",
             .help = "share of samples among real data, by balls in the scorer's features; higher "
                     "is better",
             .params = three_neighbours,
             .size = sizeof(struct neighbours)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = precision,
};
