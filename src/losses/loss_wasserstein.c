// The difference of means, an estimate of the Wasserstein distance as long as the critic is
// 1-Lipschitz: clip or penalise it. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875.
#include "losses/losses.h"

// mean(f) − mean(r)
static struct value *loss_wasserstein_critic(const void *params, struct value *real,
                                             struct value *fake, double smooth)
{
    (void)params, (void)smooth;
    return sub(mean(fake), mean(real));
}

const struct loss loss_wasserstein = {
    .word = {.name = "wasserstein",
             .help = "difference of means; needs clip or a penalty",
             .usage = "critic: mean(f) − mean(r); generator: −mean(f)"},
    .flags = LOSS_SLOPE,
    .critic = loss_wasserstein_critic,
    .generator = mean_generator,
};
