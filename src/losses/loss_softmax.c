// A softmax over the 2B samples of both batches: the critic gives all its mass to real data, the
// generator wants it spread evenly. Lin 2017, arXiv:1704.06191.
#include "losses/losses.h"

// log Σ exp over all elements of both, stable by their greatest
static struct value *log_partition(struct value *real, struct value *fake)
{
    struct value *both[2] = {reshape(real, SHAPE(shape_size(real->shape))),
                             reshape(fake, SHAPE(shape_size(fake->shape)))};
    struct value *all = concat(both, 2, 0);       // (2B)
    struct value *top = reduce_max(all, 1u << 0); // (1)
    struct value *log_sum = log_value(reduce_sum(exp_value(sub(all, top)), 1u << 0));
    return reshape(add(log_sum, top), SCALAR);
}

// −mean(r) + log Σ (e^r + e^f)
static struct value *loss_softmax_critic(const void *params, struct value *real, struct value *fake,
                                         double smooth)
{
    (void)params, (void)smooth;
    return sub(log_partition(real, fake), mean(real));
}

// −mean(r, f) + log Σ (e^r + e^f), the mean over both
static struct value *loss_softmax_generator(const void *params, struct value *real,
                                            struct value *fake)
{
    (void)params;
    const double r = (double)shape_size(real->shape), f = (double)shape_size(fake->shape);
    struct value *of_all = affine(add(sum(real), sum(fake)), 1 / (r + f), 0);
    return sub(log_partition(real, fake), of_all);
}

const struct loss loss_softmax = {
    .word = {.name = "softmax",
             .help = "a softmax over the samples of both batches",
             .usage =
                 "critic: log Σ(e^r + e^f) − mean(r); generator: log Σ(e^r + e^f) − mean(r, f)"},
    .flags = LOSS_PAIRS,
    .critic = loss_softmax_critic,
    .generator = loss_softmax_generator,
};
