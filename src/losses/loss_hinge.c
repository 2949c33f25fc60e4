// The margin form: a logit beyond ±1 on its own side is good enough. Lim, Ye 2017,
// arXiv:1705.02894.
#include "losses/losses.h"

// mean(max(0, 1 − r)) + mean(max(0, 1 + f))
static struct value *loss_hinge_critic(const void *params, struct value *real, struct value *fake,
                                       double smooth)
{
    (void)params, (void)smooth;
    return add(mean(leaky_relu(affine(real, -1, 1), 0)), mean(leaky_relu(affine(fake, 1, 1), 0)));
}

static struct bounds loss_hinge_wants(const void *params)
{
    (void)params;
    return (struct bounds){-1, 1};
}

const struct loss loss_hinge = {
    .word = {.name = "hinge",
             .help = "margin loss of the critic",
             .usage = "critic: mean(max(0, 1 − r)) + mean(max(0, 1 + f)); generator: −mean(f)"},
    .wants = loss_hinge_wants,
    .critic = loss_hinge_critic,
    .generator = mean_generator,
};
