// The share of test examples for which the largest of the first K numbers is that of their label,
// K classes. What comes after the K is not looked at: a semi-supervised discriminator's class
// "made by the generator" (Salimans et al. 2016, arXiv:1606.03498) is no answer to which digit this
// is. Of equal numbers the first counts, and what is not a number is no answer.
#include "eval/metric.h"

#include <math.h>

static int metric_accuracy_largest(const float *x, int n)
{
    int best = -1;
    for (int k = 0; k < n; k++)
        if (!isnan(x[k]) && (best < 0 || x[k] > x[best]))
            best = k;
    return best;
}

static struct score accuracy(const struct evidence *e, const void *params)
{
    (void)params;
    int64_t right = 0;
    for (int64_t i = 0; i < e->of.n; i++)
        right += metric_accuracy_largest(e->of.x + i * e->of.size, e->data->classes) ==
                 e->of.label[i];
    return (struct score){(double)right / (double)e->of.n, NAN};
}

const struct metric metric_accuracy = {
    .word =
        {.name = "accuracy",
         .help =
             "share of test examples whose label has the largest of the logits `of:`; higher is "
             "better"},
    .direction = "max",
    .version = "1",
    .looks_at = METRIC_EXAMPLES,
    .compute = accuracy,
};
