// y = log Σ e^xₖ, one number a sample. Of the logits of K classes it is the logit of "one of
// these" against a class K + 1 whose logit is 0: what a discriminator of K + 1 classes says of real
// data. Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen 2016, arXiv:1606.03498.
#include "nn/layer.h"

// x (N, K)
static struct value *log_sum_exp_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    (void)own;
    if (x->shape.rank != 2)
        return ctx_fail(ctx, "log_sum_exp wants (features)\nput `flatten` above it");
    struct value *most = reduce_max(x, 1 << 1); // (N, 1)
    return add(log_value(reduce_sum(exp_value(sub(x, most)), 1 << 1)), most);
}

const struct layer layer_log_sum_exp = {
    .word = {.name = "log_sum_exp",
             .group = "shape",
             .help = "one number a sample: the logit of any of K classes"},
    .build = log_sum_exp_build,
};
