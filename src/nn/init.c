// Reading `init:`. PyTorch's own rule is the default, because a config that says nothing should train like the PyTorch program that it
// is compared with.
#include "nn/init.h"

#include "base/arena.h"
#include "registry_initialisations.h"

#include <math.h>

const struct vocabulary initialisations = {
    "initialisation", (const struct word *const[]){REGISTRY_initialisations NULL}};

const struct init_rule *init_read(struct arena *a, const struct node *node, struct diag *d)
{
    struct init_rule *rule = NEW(a, struct init_rule);
    struct word_call call = {.name = "torch"};
    const struct word *word = node && node->kind != NODE_NULL
                                  ? word_choose(&initialisations, node, NULL, &call, d)
                                  : word_called(&initialisations, &call, d);
    rule->kind = (const struct initialisation *)word;
    return word && (rule->params = word_params(&initialisations, word, &call, a, d)) ? rule : NULL;
}

struct init init_of_weight(const struct init_rule *rule, int64_t fan_in, int64_t fan_out)
{
    ASSERT(fan_in > 0 && fan_out > 0);
    return rule->kind->weight(rule->params, (double)fan_in, (double)fan_out);
}

struct init init_of_bias(const struct init_rule *rule, int64_t fan_in)
{
    ASSERT(fan_in > 0);
    return rule->kind->bias ? rule->kind->bias((double)fan_in) : (struct init){INIT_CONSTANT, 0, 0};
}

// --- what several are made of --------------------------------------------------------------------

struct init init_within(double bound) { return (struct init){INIT_UNIFORM, -bound, bound}; }

const char *const init_distribution[] = {"uniform", "normal", NULL};

// U(±√(3v)) or N(0, v)
struct init init_of_variance(const struct init_by_variance *p, double variance)
{
    ASSERT(variance > 0);
    return p->distribution ? (struct init){INIT_NORMAL, 0, sqrt(variance)}
                           : init_within(sqrt(3 * variance));
}

const struct param init_around_params[] = {
    {"std", PARAM_FLOAT, offsetof(struct init_around, std), "0.02", 0, 1e6,
     .help = "standard deviation"},
    {"mean", PARAM_FLOAT, offsetof(struct init_around, mean), "0", -1e6, 1e6, .help = "mean"},
    PARAM_END};
