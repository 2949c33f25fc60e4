// y = x + std·n, n ~ N(0, 1), drawn for each element; y = x outside training
#include "model/layer.h"

struct params {
    double std;
};

static const struct param params[] = {
    {"std", PARAM_FLOAT, offsetof(struct params, std), "0.1", 0, 1e6, .help = "standard deviation"},
    PARAM_END};

static struct value *build(struct site *site, const void *own, struct value *x)
{
    const struct params *p = own;
    if (!site->training)
        return x;
    return add(x, random_value(site->graph, RANDOM_NORMAL, 0, p->std, site_stream(site), x->shape));
}

const struct layer layer_gaussian_noise = {
    .name = "gaussian_noise", .group = "noise", .help = "adds noise in training",
    .params = params, .size = sizeof(struct params), .build = build};
