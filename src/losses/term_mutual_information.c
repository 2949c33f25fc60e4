// How much of a code can be read in what was made from it: Q's cross-entropy less the code's own
// entropy, log K for K equally likely classes, is minus a lower bound of their mutual information,
// in nats. Its gradient is cross_entropy's. For a code of numbers say gaussian_nll, which is the
// bound but for the code's entropy, a constant. Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel
// 2016, arXiv:1606.03657.
#include "losses/losses.h"

#include <math.h>

// −mean_n log softmax(logits)[label] − log K
static struct value *term_mutual_information_build(const void *params,
                                                   struct value *const *argument)
{
    (void)params;
    const double classes = (double)argument[0]->shape.dim[1];
    return affine(term_find("cross_entropy")->build(NULL, argument), 1, -log(classes));
}

static const struct param params[] = {
    TERM_TENSOR(0, "logits", "what is read of the code, (classes)"),
    TERM_LABEL(1, "label", "the code"), PARAM_END};

const struct term term_mutual_information = {
    .word = {.name = "mutual_information",
             .help = "minus the nats that logits tell of a code of equally likely classes",
             .usage = "−mean(log softmax(logits)[label]) − log K",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_mutual_information_build,
};
