// y = x + a + … element by element; a dimension of 1 is repeated
#include "model/layer.h"

struct params {
    struct node *with;
};

static const struct param params[] = {
    {"with", PARAM_NODE, offsetof(struct params, with), NULL,
    .help = "the name of an input or layer, or a list of them"},
    PARAM_END};

static struct value *build(struct site *site, const void *own, struct value *x)
{
    struct shape s;
    struct value *y = x;
    (void)own;
    for (int i = 0; i < site->n_other; i++) {
        if (y->shape.rank < 2 || !shape_broadcast(y->shape, site->other[i]->shape, &s))
            return site_fail(site, "add wants equal shapes: %s,", site_other(site, i));
        y = add(y, site->other[i]);
    }
    return y;
}

const struct layer layer_add = {
    .name = "add", .group = "join",
    .help = "the sum of the layer above and of others, element by element",
    .flags = LAYER_JOIN, .params = params, .size = sizeof(struct params), .build = build};
