// y = γ·(x − μ) / √(σ² + ε) + β, a channel at a time
// Training: μ and σ² (the biased one) of the batch; running ← momentum·running + (1 −
// momentum)·batch, with the unbiased σ². Otherwise: the running ones. Momentum is Keras's: 1 −
// PyTorch's. With statistics: batch there is no "otherwise" (pix2pix, whose batch is one image). Made of means and squares, so every derivative there is comes from theirs; the closed
// form of the gradient is shorter to compute and has no second derivative.
// Ioffe, Szegedy 2015, arXiv:1502.03167.
#include "nn/layer.h"

struct batch_norm_params {
    double momentum, epsilon;
    int statistics;
    bool affine;
    const struct node *by;
};

enum { OF_RUNNING, OF_BATCH };
static const char *const batch_norm_statistics[] = {"running", "batch", NULL};

static const struct param params[] = {
    {"momentum", PARAM_FLOAT, offsetof(struct batch_norm_params, momentum), "0.9", 0, 1,
     .help = "of the running statistics, as Keras counts it: 1 − PyTorch's"},
    {"epsilon", PARAM_FLOAT, offsetof(struct batch_norm_params, epsilon), "1e-5", 1e-12, 1,
     .help = "added to the variance"},
    {"statistics", PARAM_WORD, offsetof(struct batch_norm_params, statistics), "running",
     .words = batch_norm_statistics,
     .help = "when sampling: the running ones, or those of the batch"},
    {"affine", PARAM_BOOL, offsetof(struct batch_norm_params, affine), "true",
     .help = "a learned scale and shift for each channel"},
    NORM_BY(offsetof(struct batch_norm_params, by)),
    PARAM_END};

struct statistics {
    struct value *mean, *var; // (1, C, …)
};

// n is how many values a channel has in the batch.
static struct statistics of_batch(struct layer_ctx *ctx, const struct batch_norm_params *p,
                                  struct value *x, struct value *running_mean,
                                  struct value *running_var)
{
    const unsigned axes = x->shape.rank == 2 ? 1 << 0 : 1 << 0 | 1 << 2 | 1 << 3;
    const double n = (double)(shape_size(x->shape) / x->shape.dim[1]);
    struct value *m = mean_axes(x, axes);
    struct value *v = mean_axes(square(sub(x, m)), axes);
    if (!ctx->training)
        return (struct statistics){m, v};
    ctx_track(ctx, running_mean, reshape(m, running_mean->shape), 1 - p->momentum);
    ctx_track(ctx, running_var, affine(reshape(v, running_var->shape), n / (n - 1), 0),
              1 - p->momentum);
    return (struct statistics){m, v};
}

// x (N, C) or (N, C, H, W)
static struct value *batch_norm_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct batch_norm_params *p = own;
    const int rank = x->shape.rank;
    if (rank != 2 && rank != 4)
        return ctx_fail(ctx, "batch_norm wants (features) or (C, H, W)");
    const bool of_its_batch = ctx->training || p->statistics == OF_BATCH;
    if (of_its_batch && shape_size(x->shape) == x->shape.dim[1])
        return ctx_fail(ctx,
                        "batch_norm wants a batch of more than one where a channel has one value,");
    if (p->momentum < 0.5)
        warn(ctx->diag, WARNING_momentum_of_pytorch, ctx->where,
             "`momentum: %g` keeps %g of the running statistics in a step: samples see little but "
             "the last batch's\n"
             "expected what stays, as Keras counts: momentum: %g",
             p->momentum, p->momentum, 1 - p->momentum);
    const struct shape channels = SHAPE(x->shape.dim[1]);
    struct channel_affine end;
    if (!ctx_affine(ctx, x->shape, p->affine, &end))
        return NULL;
    struct value *running_mean = ctx_buffer(ctx, "running_mean", channels,
                                            (struct init){INIT_CONSTANT, 0, 0});
    struct value *running_var = ctx_buffer(ctx, "running_var", channels,
                                           (struct init){INIT_CONSTANT, 1, 0});
    struct statistics s = {along_channels(running_mean, rank), along_channels(running_var, rank)};
    if (of_its_batch)
        s = of_batch(ctx, p, x, running_mean, running_var);
    struct value *unit = mul(sub(x, s.mean), rsqrt_value(affine(s.var, 1, p->epsilon)));
    return channel_affine(end, unit);
}

const struct layer layer_batch_norm = {
    .word = {.name = "batch_norm",
             .group = "normalisation",
             .help =
                 "each channel to mean 0 and deviation 1 over the batch, then scaled and shifted",
             .params = params,
             .size = sizeof(struct batch_norm_params)},
    .flags = LAYER_COUPLES | LAYER_BY_LABEL,
    .build = batch_norm_build,
};
