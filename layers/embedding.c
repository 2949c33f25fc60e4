// y = row `label` of a learned table (classes, size), as nn.Embedding has it, from N(0, 1)
// Keras's U(−0.05, 0.05) would multiply a noise it is joined with by 0.03, and starve the first
// layer.
#include "nn/layer.h"

struct embedding_params {
    int64_t size;
};

static const struct param params[] = {{"size", PARAM_INT, offsetof(struct embedding_params, size),
                                       NULL, 1, 1 << 24, .help = "length of a class's vector"},
                                      PARAM_END};

// x (N): whole numbers
static struct value *embedding_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct embedding_params *p = own;
    const int64_t classes = ctx_classes(ctx, x);
    if (!classes)
        return ctx_fail(
            ctx, "embedding wants a label\nsay which with `of: y`, y being an input label(10)");
    struct value *table = ctx_param(ctx, "weight", SHAPE(classes, p->size),
                                    (struct init){INIT_NORMAL, 0, 1});
    return gather(table, x); // (N, size)
}

const struct layer layer_embedding = {
    .word = {.name = "embedding",
             .group = "linear",
             .help = "a learned vector for each class of a label",
             .params = params,
             .size = sizeof(struct embedding_params)},
    .flags = LAYER_LABEL,
    .build = embedding_build,
};
