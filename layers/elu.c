// y = x where x > 0, alpha·(e^x − 1) elsewhere
// Clevert, Unterthiner, Hochreiter 2016, arXiv:1511.07289.
#include "model/layer.h"

struct params {
    double alpha;
};

static const struct param params[] = {
    {"alpha", PARAM_FLOAT, offsetof(struct params, alpha), "1", 0, 100,
     .help = "−alpha is the limit below zero"},
    PARAM_END};

static struct value *build(struct site *site, const void *own, struct value *x)
{
    const struct params *p = own;
    (void)site;
    return elu(x, p->alpha);
}

const struct layer layer_elu = {
    .name = "elu", .group = "activation", .help = "x, but alpha·(e^x − 1) below zero",
    .params = params, .size = sizeof(struct params), .build = build};
