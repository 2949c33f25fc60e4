// The channels of several values, one after the other: (C₁, H, W), (C₂, H, W) to (C₁ + C₂, H, W)
#include "model/layer.h"

enum { CHANNELS = 1, JOIN_MAX = 64 };

static bool fits(struct shape a, struct shape b)
{
    if (a.rank != b.rank || a.rank < 2)
        return false;
    b.dim[CHANNELS] = a.dim[CHANNELS];
    return shape_equal(a, b);
}

static struct value *build(struct site *site, const void *own, struct value *x)
{
    struct value *all[JOIN_MAX + 1] = {x};
    (void)own;
    if (site->n_other > JOIN_MAX)
        return site_fail(site, "concat wants at most %d names,", JOIN_MAX);
    for (int i = 0; i < site->n_other; i++) {
        all[i + 1] = site->other[i];
        if (!fits(x->shape, site->other[i]->shape))
            return site_fail(site, "concat wants shapes that differ in channels only: %s,",
                             site_other(site, i));
    }
    return concat(all, site->n_other + 1, CHANNELS);
}

const struct layer layer_concat = {
    .name = "concat", .group = "join",
    .help = "the channels of the layer above and of others, one after the other",
    .flags = LAYER_JOIN, .params = join_params, .size = sizeof(struct join), .build = build};
