// The share of real data that samples reach: that lie in some ball around a feature of samples.
// Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved precision and recall metric for
// assessing generative models", arXiv:1904.06991: k = 3, a ball has its surface.
#include "eval/balls.h"

#include <math.h>

static struct score metric_recall_recall(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    return (struct score){balls_share(&e->features, &e->reference, p->k), NAN};
}

const struct metric metric_recall = {
    .word = {.name = "recall",
             .help = "share of real data among samples, by balls in the scorer's features; higher "
                     "is better",
             .params = three_neighbours,
             .size = sizeof(struct neighbours)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = metric_recall_recall,
};
