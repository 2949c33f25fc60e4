// y = 1 / (1 + e^−x). Not before a loss: losses take logits, which are exact where a sigmoid is 0
// or 1 in float32.
#include "model/layer.h"

static struct value *build(struct site *site, const void *params, struct value *x)
{
    (void)site, (void)params;
    return sigmoid(x);
}

const struct layer layer_sigmoid = {
    .name = "sigmoid", .group = "activation",
    .help = "1 / (1 + e^−x); not before a loss, which takes logits", .build = build};
