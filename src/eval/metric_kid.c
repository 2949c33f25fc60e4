// Kernel distance: the unbiased squared maximum mean discrepancy between features of samples and of
// real data under k(x, y) = (x·y / d + 1)³, as the mean over subsets. Bińkowski, Sutherland, Arbel,
// Gretton 2018, "Demystifying MMD GANs", arXiv:1801.01401. Unbiased, so that few samples do, and a
// value below 0 is one; as in other implementations 100 subsets of 1000, each drawn without
// replacement. Their spread is no standard error, for they overlap.
#include "eval/metric.h"

#include "base/arena.h"
#include "base/philox.h"

#include <math.h>

struct metric_kid_params {
    int64_t subsets, size;
};

static double kernel(const float *x, const float *y, int64_t d)
{
    float part[8] = {0}, rest = 0;
    for (int64_t i = 0; i + 8 <= d; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += x[i + k] * y[i + k];
    for (int64_t i = d - d % 8; i < d; i++)
        rest += x[i] * y[i];
    for (int k = 0; k < 8; k++)
        rest += part[k];
    const double base = (double)rest / (double)d + 1;
    return base * base * base;
}

// The first m places of `order` get m of its n numbers.
static void metric_kid_choose(int64_t *order, int64_t n, int64_t m, struct rng *r)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    for (int64_t i = 0; i < m; i++) {
        const int64_t j = i + rng_below(r, (uint32_t)(n - i)), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
}

// Σ k(x_i, x_j) over i ≠ j / (m (m − 1)), of x, of y; less 2 Σ k(x_i, y_j) / m²
static double discrepancy(const struct rows *x, const struct rows *y, const int64_t *xi,
                          const int64_t *yi, int64_t m)
{
    const int64_t d = x->size;
    double within = 0, between = 0;
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < m; j++) {
            between += kernel(x->x + xi[i] * d, y->x + yi[j] * d, d);
            if (j < i)
                within += kernel(x->x + xi[i] * d, x->x + xi[j] * d, d) +
                          kernel(y->x + yi[i] * d, y->x + yi[j] * d, d);
        }
    return 2 * within / (double)(m * (m - 1)) - 2 * between / (double)(m * m);
}

static double of_subset(const struct rows *x, const struct rows *y, int64_t m, int64_t subset)
{
    struct arena *a = arena_new(NULL);
    struct rng r;
    int64_t *xi = NEW_ARRAY(a, int64_t, x->n), *yi = NEW_ARRAY(a, int64_t, y->n);
    rng_init(&r, 0x51D, (uint64_t)subset);
    metric_kid_choose(xi, x->n, m, &r);
    metric_kid_choose(yi, y->n, m, &r);
    const double is = discrepancy(x, y, xi, yi, m);
    arena_free(a);
    return is;
}

static struct score kid(const struct evidence *e, const void *params)
{
    const struct metric_kid_params *p = params;
    const struct rows *x = &e->features, *y = &e->reference;
    const int64_t least = x->n < y->n ? x->n : y->n, m = p->size < least ? p->size : least;
    struct arena *a = arena_new(NULL);
    double *of = NEW_ARRAY(a, double, p->subsets), mean = 0, square = 0;
#pragma omp parallel for schedule(dynamic)
    for (int64_t i = 0; i < p->subsets; i++)
        of[i] = of_subset(x, y, m, i);
    for (int64_t i = 0; i < p->subsets; i++)
        mean += of[i] / (double)p->subsets;
    for (int64_t i = 0; i < p->subsets; i++)
        square += (of[i] - mean) * (of[i] - mean) / (double)p->subsets;
    arena_free(a);
    return (struct score){m > 1 ? mean : NAN, p->subsets > 1 ? sqrt(square) : NAN};
}

static const struct param params[] = {
    {"subsets", PARAM_INT, offsetof(struct metric_kid_params, subsets), "100", 1, 100000,
     .help = "how many are averaged over"},
    {"size", PARAM_INT, offsetof(struct metric_kid_params, size), "1000", 2, 1000000,
     .help = "of a subset; all, where there are fewer"},
    PARAM_END};

const struct metric metric_kid = {
    .word =
        {.name = "kid",
         .help =
             "kernel distance of the scorer's features from those of the training split, unbiased; "
             "lower is better",
         .params = params,
         .size = sizeof(struct metric_kid_params)},
    .direction = "min",
    .version = "1",
    .looks_at = METRIC_FEATURES,
    .compute = kid,
};
