// y = row `label` of a learned table (classes, size), as nn.Embedding has it, from N(0, 1)
// Keras's U(−0.05, 0.05) would multiply a noise it is joined with by 0.03, and starve the first
// layer.
#include "model/layer.h"

struct params {
    int64_t size;
};

static const struct param params[] = {
    {"size", PARAM_INT, offsetof(struct params, size), NULL, 1, 1 << 24,
     .help = "length of a class's vector"},
    PARAM_END};

// x (N): whole numbers
static struct value *build(struct site *site, const void *own, struct value *x)
{
    const struct params *p = own;
    const int64_t classes = site_classes(site, x);
    if (!classes)
        return site_fail(
            site, "embedding wants a label\nsay which with `of: y`, y being an input label(10)");
    struct value *table =
        site_param(site, "weight", SHAPE(classes, p->size), (struct init){INIT_NORMAL, 0, 1});
    return gather(table, x);  // (N, size)
}

const struct layer layer_embedding = {
    .name = "embedding", .group = "linear", .help = "a learned vector for each class of a label",
    .flags = LAYER_LABEL, .params = params, .size = sizeof(struct params), .build = build};
