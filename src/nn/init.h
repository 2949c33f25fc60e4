// Initialisations: rules that turn the fans of a tensor into the numbers of a distribution, once, when its slot is made. Each is one
// file, init_NAME.c, that ends in its descriptor.
#ifndef NN_INIT_H
#define NN_INIT_H

#include "config/param.h"
#include "ir/slot.h"

struct initialisation {
    struct word word;
    struct init (*weight)(const void *params, double fan_in, double fan_out);
    struct init (*bias)(double fan_in); // NULL: biases begin at 0
};

struct init_rule { // a kind with its parameters
    const struct initialisation *kind;
    const void *params;
};

extern const struct vocabulary initialisations; // generated from the folder

// `init:`; a NULL node is PyTorch's. NULL after a mistake.
const struct init_rule *init_read(struct arena *a, const struct node *node, struct diag *d);
struct init init_of_weight(const struct init_rule *rule, int64_t fan_in, int64_t fan_out);
struct init init_of_bias(const struct init_rule *rule, int64_t fan_in);

// --- what several are made of --------------------------------------------------------------------
struct init init_within(double bound); // U(±bound)
// A distribution of mean 0 by its variance.
struct init_by_variance {
    int distribution; // 0: uniform, 1: normal
};
struct init init_of_variance(const struct init_by_variance *p, double variance);
extern const char *const init_distribution[];
#define INIT_BY_VARIANCE(otherwise)                       \
    {                                                     \
        {"distribution",                                  \
         PARAM_WORD,                                      \
         offsetof(struct init_by_variance, distribution), \
         otherwise,                                       \
         .words = init_distribution,                      \
         .help = "its shape"},                            \
            PARAM_END                                     \
    }
// N(mean, std²), or what is left of it.
struct init_around {
    double std, mean;
};
extern const struct param init_around_params[];

#endif
