// The maximum of each window: (C, H, W) to (C, H', W'),
// H' = ⌊(H + top + bottom − kernel) / stride⌋ + 1; padding counts for nothing. Of equal pixels the
// first has the gradient.
#include "nn/layer.h"

#include <float.h>

static const struct param params[] = {POOL_PARAMS(0), PARAM_END};

static struct value *max_pool_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    struct window win;
    int64_t k[2];
    if (!ctx_pool(ctx, "max_pool", own, x, k, &win))
        return NULL;
    struct value *rows = fold_windows(x, 3, k[1], &win, -FLT_MAX, maximum);
    return fold_windows(rows, 2, k[0], &win, -FLT_MAX, maximum);
}

const struct layer layer_max_pool = {
    .word = {.name = "max_pool",
             .group = "shape",
             .help = "maxima of windows",
             .params = params,
             .size = sizeof(struct sliding)},
    .build = max_pool_build,
};
