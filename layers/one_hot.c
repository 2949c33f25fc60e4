// y = 1 at the label's place, 0 elsewhere: (classes). Followed by `tile: [H, W]`, a plane for each
// class; a learned plane is `embedding: H·W` and `reshape: [1, H, W]`.
#include "nn/layer.h"

// x (N): whole numbers
static struct value *one_hot_build(struct layer_ctx *ctx, const void *params, struct value *x)
{
    (void)params;
    const int64_t classes = ctx_classes(ctx, x);
    if (!classes)
        return ctx_fail(
            ctx, "one_hot wants a label\nsay which with `of: y`, y being an input label(10)");
    return one_hot(x, classes); // (N, classes)
}

const struct layer layer_one_hot = {
    .word = {.name = "one_hot",
             .group = "linear",
             .help = "a label as numbers: 1 for its class, 0 for the others"},
    .flags = LAYER_LABEL,
    .build = one_hot_build,
};
