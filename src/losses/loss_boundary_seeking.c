// The generator seeks the critic's decision boundary, for continuous data: with D = sigmoid(f), log
// D − log(1 − D) is f itself. Hjelm et al. 2017, arXiv:1702.08431.
#include "losses/losses.h"

// ½·mean(f²) + ½·mean(r²)
static struct value *loss_boundary_seeking_generator(const void *params, struct value *real,
                                                     struct value *fake)
{
    (void)params;
    return sum_terms(fake ? affine(mean(square(fake)), 0.5, 0) : NULL,
                     real ? affine(mean(square(real)), 0.5, 0) : NULL);
}

const struct loss loss_boundary_seeking = {
    .word = {.name = "boundary_seeking",
             .help = "the generator seeks the critic's decision boundary",
             .usage = "critic: as log; generator: ½·mean(f²)"},
    .flags = LOSS_SMOOTH,
    .critic = log_critic,
    .generator = loss_boundary_seeking_generator,
};
