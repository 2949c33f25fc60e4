// In how many balls around real data a sample lies, of the k that a real one expects: where
// precision says yes to a ball that one outlier made wide, this counts. 1 of real data; may be
// more. Naeem, Oh, Uh, Choi, Yoo 2020, "Reliable fidelity and diversity metrics for generative
// models", arXiv:2002.09797: k = 5, a ball is without its surface.
#include "eval/balls.h"

#include "base/arena.h"

#include <math.h>

static struct score density(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    struct arena *a = arena_new(NULL);
    const struct balls around = balls_new(a, &e->reference, p->k);
    const int64_t *n = balls_holding(a, &around, &e->features, false);
    int64_t balls = 0;
    for (int64_t i = 0; i < e->features.n; i++)
        balls += n[i];
    arena_free(a);
    return (struct score){(double)balls / (double)(p->k * e->features.n), NAN};
}

const struct metric metric_density = {
    .word = {.name = "density",
             .help = "balls around real data that a sample is in, over k; higher is better, about "
                     "1 of real "
                     "data",
             .params = five_neighbours,
             .size = sizeof(struct neighbours)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = density,
};
