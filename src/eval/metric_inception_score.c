// Inception Score: exp of the mean, over images, of KL(p(y|x) ‖ p(y)), natural logarithm.
// Salimans et al. 2016, "Improved techniques for training GANs", arXiv:1606.03498. As there: p(y)
// is the split's own mean, the score is the mean over splits, its spread the population standard
// deviation over splits. Images are shuffled before they are split: data sorted by class would give
// every split one class and the score 1. From 1 to min(classes, images a split). ImageNet's
// Inception says nothing about digits: the classifier here is the data set's own (eval/scorer.h).
#include "eval/metric.h"

#include "base/arena.h"
#include "base/philox.h"

#include <math.h>

static int64_t *shuffled(struct arena *a, int64_t n, uint64_t seed)
{
    int64_t *order = NEW_ARRAY(a, int64_t, n);
    struct rng r;
    rng_init(&r, seed, 0x5C04E);
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = rng_below(&r, (uint32_t)(i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    return order;
}

// exp( 1/|S| Σ_i Σ_y p_i(y) · (ln p_i(y) − ln p̄(y)) )
static double of_split(const struct predictions *p, const int64_t *image, int64_t n, double *mean)
{
    const int K = p->classes;
    for (int k = 0; k < K; k++)
        mean[k] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < K; k++)
            mean[k] += exp(p->log_p[image[i] * K + k]) / (double)n;
    double kl = 0;
    for (int64_t i = 0; i < n; i++)
        for (int k = 0; k < K; k++) {
            const double log_p = p->log_p[image[i] * K + k], prob = exp(log_p);
            if (prob > 0) // 0·ln 0 = 0
                kl += prob * (log_p - log(mean[k]));
        }
    return exp(kl / (double)n);
}

static struct score inception_score(const struct evidence *e, const void *params)
{
    (void)params;
    const struct predictions *p = &e->said;
    struct arena *a = arena_new(NULL);
    const int64_t splits = e->protocol->splits < 1      ? 1
                           : e->protocol->splits > p->n ? p->n
                                                        : e->protocol->splits;
    const int64_t *order = shuffled(a, p->n, e->protocol->shuffle_seed);
    double *mean = NEW_ARRAY(a, double, p->classes);
    double sum = 0, squares = 0;
    for (int64_t s = 0; s < splits; s++) {
        const int64_t from = s * p->n / splits, to = (s + 1) * p->n / splits;
        const double is = of_split(p, order + from, to - from, mean);
        sum += is;
        squares += is * is;
    }
    arena_free(a);
    const double value = sum / (double)splits;
    return (struct score){
        value, splits > 1 ? sqrt(fmax(0, squares / (double)splits - value * value)) : NAN};
}

const struct metric metric_inception_score = {
    .word = {.name = "inception_score",
             .help =
                 "exp of the mean KL divergence of p(y|x) from p(y); higher is better, at most the "
                 "number of classes"},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_SCORER | METRIC_SPLITS,
    .compute = inception_score,
};
