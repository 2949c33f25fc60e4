// Fréchet distance: between the Gaussians that have the means and covariances of features of
// samples and of real data. Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter 2017, "GANs trained
// by a two time-scale update rule", arXiv:1706.08500; covariances divide by n − 1 as there. The
// features are those of the data set's own classifier (eval/scorer.h): ImageNet's Inception says
// nothing about digits, and this number can be compared with one of the same scorer only. It
// is biased upwards by about a constant over N. Everything is in float64.
#include "eval/metric.h"

#include "base/arena.h"
#include "eval/eigen.h"

#include <math.h>

// mean (d), covariance (d, d)
static void metric_fid_moments(const struct rows *x, double *mean, double *C)
{
    const int64_t d = x->size;
    for (int64_t i = 0; i < x->n; i++)
        for (int64_t j = 0; j < d; j++)
            mean[j] += x->x[i * d + j] / (double)x->n;
    for (int64_t i = 0; i < x->n; i++)
        for (int64_t j = 0; j < d; j++) {
            const double from = x->x[i * d + j] - mean[j];
            for (int64_t k = 0; k < d; k++)
                C[j * d + k] += from * (x->x[i * d + k] - mean[k]);
        }
    for (int64_t i = 0; i < d * d; i++)
        C[i] /= (double)(x->n > 1 ? x->n - 1 : 1);
}

// ‖μ₁ − μ₂‖² + Tr(C₁ + C₂ − 2 √(C₁ C₂))
static struct score fid(const struct evidence *e, const void *params)
{
    (void)params;
    const int d = (int)e->features.size;
    struct arena *a = arena_new(NULL);
    double *mean[2], *C[2], distance = 0;
    for (int i = 0; i < 2; i++) {
        mean[i] = NEW_ARRAY(a, double, d);
        C[i] = NEW_ARRAY(a, double, d *d);
        metric_fid_moments(i ? &e->reference : &e->features, mean[i], C[i]);
    }
    for (int i = 0; i < d; i++)
        distance += pow(mean[0][i] - mean[1][i], 2) + C[0][i * (d + 1)] + C[1][i * (d + 1)];
    distance -= 2 * trace_root_product(C[0], C[1], d);
    arena_free(a);
    return (struct score){distance > 0 ? distance : 0, NAN};
}

const struct metric metric_fid = {
    .word =
        {.name = "fid",
         .help =
             "Fréchet distance of the scorer's features from those of the training split; lower is "
             "better"},
    .direction = "min",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = fid,
};
