#include "eval/metric.h"

#include <math.h>
#include <string.h>

#include "registry_metrics.h"

const struct vocabulary metrics = {"score", (const struct word *const[]){REGISTRY_metrics NULL}};

const struct metric *metric_find(const char *name)
{
    return (const struct metric *)word_find(&metrics, name);
}

unsigned metric_looks_at(const struct metric *m)
{
    const bool other = m->looks_at & METRIC_EXAMPLES || asks_scorer(m);
    return m->looks_at | (other ? 0 : METRIC_NUMBERS);
}

bool asks_scorer(const struct metric *m) { return m->looks_at & (METRIC_SCORER | METRIC_FEATURES); }

void log_softmax_rows(const float *logits, int64_t n, int classes, double *log_p)
{
    for (int64_t i = 0; i < n; i++) {
        const float *x = logits + i * classes;
        double top = x[0], sum = 0;
        for (int k = 1; k < classes; k++)
            top = x[k] > top ? x[k] : top;
        for (int k = 0; k < classes; k++)
            sum += exp(x[k] - top);
        for (int k = 0; k < classes; k++)
            log_p[i * classes + k] = x[k] - top - log(sum);
    }
}
