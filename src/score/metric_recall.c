// The share of real data that samples reach: that lie in some ball around a feature of samples.
// Kynkäänniemi, Karras, Laine, Lehtinen, Aila 2019, "Improved precision and recall metric for
// assessing generative models", arXiv:1904.06991: k = 3, a ball has its surface.
#include "score/balls.h"

#include "base/arena.h"

#include <math.h>

static struct score recall(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    struct arena *a = arena_new(NULL);
    const struct balls around = balls_new(a, &e->features, p->k);
    const int64_t *n = balls_holding(a, &around, &e->reference, true);
    int64_t inside = 0;
    for (int64_t i = 0; i < e->reference.n; i++)
        inside += n[i] > 0;
    arena_free(a);
    return (struct score){(double)inside / (double)e->reference.n, NAN};
}

static const struct param params[] = {{"k", PARAM_INT, offsetof(struct neighbours, k), "3", 1, 1000,
                                       .help = "a ball reaches to its k-th nearest neighbour"},
                                      PARAM_END};

const struct metric metric_recall = {
    .name = "recall",
    .help = "share of real data among samples, by balls in the scorer's features; higher is better",
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .params = params,
    .size = sizeof(struct neighbours),
    .compute = recall,
};
