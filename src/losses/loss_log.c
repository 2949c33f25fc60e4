// The original game: binary cross-entropy of the critic's logit. Goodfellow et al. 2014,
// arXiv:1406.2661.
#include "losses/losses.h"

struct loss_log_options {
    bool saturating;
};

// The critic's loss with the targets exchanged, or its negative where saturating.
static struct value *loss_log_generator(const void *params, struct value *real, struct value *fake)
{
    const bool saturating = ((const struct loss_log_options *)params)->saturating;
    const double sign = saturating ? -1 : 1;
    struct value *f = fake ? affine(mean(softplus(affine(fake, -sign, 0))), sign, 0) : NULL;
    struct value *r = real ? affine(mean(softplus(affine(real, sign, 0))), sign, 0) : NULL;
    return sum_terms(f, r);
}

static const struct param params[] = {
    {"saturating", PARAM_BOOL, offsetof(struct loss_log_options, saturating), "false",
     .help = "the minimax form: the generator minimises mean(log(1 − sigmoid(f)))"},
    PARAM_END};

const struct loss loss_log = {
    .word = {.name = "log",
             .help = "binary cross-entropy on logits, non-saturating",
             .usage =
                 "critic: mean(softplus(−r)) + mean(softplus(f)); generator: mean(softplus(−f))",
             .params = params,
             .size = sizeof(struct loss_log_options)},
    .flags = LOSS_SMOOTH,
    .critic = log_critic,
    .generator = loss_log_generator,
};
