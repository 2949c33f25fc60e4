// y = x·m / (1 − rate), each element of m 1 with probability 1 − rate, else 0; y = x outside
// training, unless it is the only noise there is (pix2pix: Isola et al. 2017, arXiv:1611.07004)
// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, JMLR 15.
#include "nn/layer.h"

struct dropout_params {
    double rate;
    bool channels, always;
};

static const struct param params[] = {
    {"rate", PARAM_FLOAT, offsetof(struct dropout_params, rate), "0.5", 0, 0.999,
     .help = "share of elements set to 0"},
    {"channels", PARAM_BOOL, offsetof(struct dropout_params, channels), "false",
     .help = "drops whole channels (nn.Dropout2d)"},
    {"always", PARAM_BOOL, offsetof(struct dropout_params, always), "false",
     .help = "also when sampling: the network's noise"},
    PARAM_END};

static struct value *dropout_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct dropout_params *p = own;
    if (p->channels && x->shape.rank != 4)
        return ctx_fail(ctx, "dropout of channels wants (C, H, W)");
    if (!ctx->training && !p->always)
        return x;
    ASSERT(p->rate >= 0 && p->rate < 1);
    struct shape s = x->shape;
    if (p->channels)
        s.dim[2] = s.dim[3] = 1;
    struct value *mask = random_value(ctx->graph, RANDOM_BERNOULLI, 1 - p->rate, 0, ctx_stream(ctx),
                                      s);
    return affine(mul(x, mask), 1 / (1 - p->rate), 0);
}

const struct layer layer_dropout = {
    .word = {.name = "dropout",
             .group = "noise",
             .help = "sets a random share of elements to 0 in training",
             .params = params,
             .size = sizeof(struct dropout_params)},
    .flags = LAYER_DRAWS,
    .build = dropout_build,
};
