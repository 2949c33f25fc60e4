// Real data should look more real than fakes do, not real outright: the logit is a difference.
// Jolicoeur-Martineau 2018, arXiv:1807.00734. With `average` (RaGAN) each is compared with the mean
// over the other's batch, else real with fake, pair by pair.
#include "losses/losses.h"

struct loss_relativistic_options {
    bool average;
};

// mean(log(1 + e^{−(x − other)}))
static struct value *above(const struct loss_relativistic_options *o, struct value *x,
                           struct value *other)
{
    if (o->average)
        other = mean_axes(other, 1u << 0);
    return mean(softplus(sub(other, x)));
}

// mean(log(1 + e^{x − other}))
static struct value *loss_relativistic_below(const struct loss_relativistic_options *o,
                                             struct value *x, struct value *other)
{
    if (o->average)
        other = mean_axes(other, 1u << 0);
    return mean(softplus(sub(x, other)));
}

// r above E f, and (average only, else it says the same) f below E r
static struct value *loss_relativistic_critic(const void *params, struct value *real,
                                              struct value *fake, double smooth)
{
    (void)smooth;
    const struct loss_relativistic_options *o = params;
    return sum_terms(above(o, real, fake),
                     o->average ? loss_relativistic_below(o, fake, real) : NULL);
}

static struct value *loss_relativistic_generator(const void *params, struct value *real,
                                                 struct value *fake)
{
    const struct loss_relativistic_options *o = params;
    return sum_terms(above(o, fake, real),
                     o->average ? loss_relativistic_below(o, real, fake) : NULL);
}

static const struct param params[] = {{"average", PARAM_BOOL,
                                       offsetof(struct loss_relativistic_options, average), "true",
                                       .help = "compare with the mean of the other side"},
                                      PARAM_END};

const struct loss loss_relativistic = {
    .word = {.name = "relativistic",
             .help = "real data should look more real than fakes",
             .usage = "critic: mean(softplus(E f − r)) + mean(softplus(f − E r)); generator: r and "
                      "f exchanged",
             .params = params,
             .size = sizeof(struct loss_relativistic_options)},
    .flags = LOSS_PAIRS,
    .critic = loss_relativistic_critic,
    .generator = loss_relativistic_generator,
};
