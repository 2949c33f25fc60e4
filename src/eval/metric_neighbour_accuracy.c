// How much an encoder keeps of what a picture shows: the share of test examples whose nearest
// training example, by Euclidean distance between codes, has their label. Donahue, Krähenbühl,
// Darrell 2017, "Adversarial feature learning", arXiv:1605.09782, table 1. No classifier is
// trained, so nothing but the codes is measured. `of: real.image` gives what pixels are worth.
// Each thread has examples of its own, so that the number of threads changes nothing; of equally
// near examples the first counts.
#include "eval/balls.h"

#include <math.h>

enum { TILE = 64 }; // examples a thread keeps at hand

// The labels of the nearest of `training` for examples from … from + n − 1: against each of them a
// training example is held while it is in the cache. A code that is not a number is near nothing.
static int64_t right_in_tile(const struct rows *of, const struct rows *training, int64_t from,
                             int64_t n)
{
    float least[TILE];
    int32_t label[TILE];
    int64_t right = 0;
    for (int64_t i = 0; i < n; i++)
        least[i] = INFINITY, label[i] = -1;
    for (int64_t j = 0; j < training->n; j++)
        for (int64_t i = 0; i < n; i++) {
            const float away = distance(of->x + (from + i) * of->size, training->x + j * of->size,
                                        of->size);
            if (away < least[i])
                least[i] = away, label[i] = training->label[j];
        }
    for (int64_t i = 0; i < n; i++)
        right += label[i] == of->label[from + i];
    return right;
}

static struct score neighbour_accuracy(const struct evidence *e, const void *params)
{
    (void)params;
    int64_t right = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : right)
    for (int64_t from = 0; from < e->of.n; from += TILE) {
        const int64_t n = e->of.n - from < TILE ? e->of.n - from : TILE;
        right += right_in_tile(&e->of, &e->training, from, n);
    }
    return (struct score){(double)right / (double)e->of.n, NAN};
}

const struct metric metric_neighbour_accuracy = {
    .word =
        {.name = "neighbour_accuracy",
         .help =
             "share of test examples whose nearest training example, by the codes `of:`, has their "
             "label; higher is better"},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_EXAMPLES | METRIC_TRAINING,
    .compute = neighbour_accuracy,
};
