// The share of real data near which there is a sample: whose ball holds one. Balls around real data
// do not grow with stray samples, as those of recall do; 1 − 2⁻ᵏ of real data. Naeem, Oh, Uh, Choi,
// Yoo 2020, "Reliable fidelity and diversity metrics for generative models", arXiv:2002.09797: k =
// 5, a ball is without its surface.
#include "eval/balls.h"

#include "base/arena.h"

#include <math.h>

static struct score coverage(const struct evidence *e, const void *params)
{
    const struct neighbours *p = params;
    struct arena *a = arena_new(NULL);
    const struct balls around = balls_new(a, &e->reference, p->k);
    const int64_t *n = balls_held(a, &around, &e->features, false);
    int64_t covered = 0;
    for (int64_t i = 0; i < e->reference.n; i++)
        covered += n[i] > 0;
    arena_free(a);
    return (struct score){(double)covered / (double)e->reference.n, NAN};
}

const struct metric metric_coverage = {
    .word = {.name = "coverage",
             .help =
                 "share of real data with a sample near by; higher is better, 0.969 of real data",
             .params = five_neighbours,
             .size = sizeof(struct neighbours)},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = coverage,
};
