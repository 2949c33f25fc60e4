// y = x where x > 0, w·x elsewhere, w learned: one for all (nn.PReLU()) or one for each channel
// He, Zhang, Ren, Sun 2015, arXiv:1502.01852.
#include "nn/layer.h"

struct prelu_params {
    bool channels;
    double slope;
};

static const struct param params[] = {{"channels", PARAM_BOOL,
                                       offsetof(struct prelu_params, channels), "false",
                                       .help = "a slope for each channel, not one for all"},
                                      {"slope", PARAM_FLOAT, offsetof(struct prelu_params, slope),
                                       "0.25", -100, 100, .help = "what it starts from"},
                                      PARAM_END};

static struct value *prelu_build(struct layer_ctx *ctx, const void *own, struct value *x)
{
    const struct prelu_params *p = own;
    if (x->shape.rank < 2)
        return ctx_fail(ctx, "prelu wants (features) or (C, H, W)");
    const struct shape s = SHAPE(p->channels ? x->shape.dim[1] : 1);
    struct value *w = ctx_param(ctx, "weight", s, (struct init){INIT_CONSTANT, p->slope, 0});
    struct value *positive = leaky_relu(x, 0);
    return add(positive, mul(sub(x, positive), along_channels(w, x->shape.rank)));
}

const struct layer layer_prelu = {
    .word = {.name = "prelu",
             .group = "activation",
             .help = "x, but a learned slope times x below zero",
             .params = params,
             .size = sizeof(struct prelu_params)},
    .build = prelu_build,
};
