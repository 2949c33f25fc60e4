// The same elements in the same order under another shape; one −1 stands for what is left
#include "nn/layer.h"

struct reshape_params {
    struct ints shape;
};

static const struct param params[] = {
    {"shape", PARAM_INTS, offsetof(struct reshape_params, shape), NULL, -1, 1 << 24,
     .help = "without batch: [128, 7, 7]; one −1 is what is left"},
    PARAM_END};

// The shape of `wanted`, of n elements beside the batch; a size of 0 or two −1 fit nothing.
static bool reshape_fit(const struct ints *wanted, int64_t n, struct shape *s)
{
    int64_t product = 1;
    int open = -1;
    for (int i = 0; i < wanted->n; i++) {
        s->dim[i + 1] = wanted->v[i];
        if (wanted->v[i] > 0)
            product *= wanted->v[i];
        else if (wanted->v[i] < 0 && open < 0)
            open = i + 1;
        else
            return false;
        if (product > n)
            return false;
    }
    s->rank = wanted->n + 1;
    if (open > 0 && n % product == 0)
        s->dim[open] = n / product;
    return open > 0 ? n % product == 0 : n == product;
}

static struct value *reshape_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct reshape_params *p = own;
    struct shape s = {.dim = {x->shape.dim[0]}};
    if (p->shape.n < 1 || p->shape.n >= RANK_MAX)
        return ctx_fail(ctx, "reshape wants 1 to %d dimensions,", RANK_MAX - 1);
    if (x->shape.rank < 2 || !reshape_fit(&p->shape, shape_size(x->shape) / s.dim[0], &s))
        return ctx_fail(ctx, "reshape wants as many elements as its shape has,");
    return reshape(x, s);
}

const struct layer layer_reshape = {
    .word = {.name = "reshape",
             .group = "shape",
             .help = "the same elements under another shape",
             .params = params,
             .size = sizeof(struct reshape_params)},
    .build = reshape_build,
};
