// The share of samples that lie where real data do: in some ball around a feature of real data.
// Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved precision and recall metric for
// assessing generative models", arXiv:1904.06991: k = 3, a ball has its surface.
#include "score/balls.h"

#include "base/arena.h"

#include <math.h>

static struct score precision(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    struct arena *a = arena_new(NULL);
    const struct balls around = balls_new(a, &e->reference, p->k);
    const int64_t *n = balls_holding(a, &around, &e->features, true);
    int64_t inside = 0;
    for (int64_t i = 0; i < e->features.n; i++)
        inside += n[i] > 0;
    arena_free(a);
    return (struct score){(double)inside / (double)e->features.n, NAN};
}

static const struct param params[] = {{"k", PARAM_INT, offsetof(struct neighbours, k), "3", 1, 1000,
                                       .help = "a ball reaches to its k-th nearest neighbour"},
                                      PARAM_END};

const struct metric metric_precision = {
    .name = "precision",
    .help = "share of samples among real data, by balls in the scorer's features; higher is better",
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .params = params,
    .size = sizeof(struct neighbours),
    .compute = precision,
};
