// The margin form of the relativistic average: a logit that is 1 beyond the mean of the other side is good enough.
// Jolicoeur-Martineau 2018, arXiv:1807.00734, RaHingeGAN.
#include "losses/losses.h"

// mean(max(0, 1 − (above − E below))) + mean(max(0, 1 + (below − E above)))
static struct value *relativistic_margin(struct value *above, struct value *below)
{
    struct value *a = sub(above, mean_axes(below, 1u << 0)),
                 *b = sub(below, mean_axes(above, 1u << 0));
    return add(mean(leaky_relu(affine(a, -1, 1), 0)), mean(leaky_relu(affine(b, 1, 1), 0)));
}

static struct value *loss_relativistic_hinge_critic(const void *params, struct value *real,
                                                    struct value *fake, double smooth)
{
    (void)params, (void)smooth;
    return relativistic_margin(real, fake);
}

static struct value *loss_relativistic_hinge_generator(const void *params, struct value *real,
                                                       struct value *fake)
{
    (void)params;
    return relativistic_margin(fake, real);
}

const struct loss loss_relativistic_hinge = {
    .word = {.name = "relativistic_hinge",
             .help = "real data should look more real than fakes by a margin",
             .usage = "critic: mean(max(0, 1 − r + E f)) + mean(max(0, 1 + f − E r)); generator: r "
                      "and f exchanged"},
    .flags = LOSS_PAIRS,
    .critic = loss_relativistic_hinge_critic,
    .generator = loss_relativistic_hinge_generator,
};
