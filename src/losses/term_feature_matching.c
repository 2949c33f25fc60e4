// Fakes should excite the critic's features as real data do, on average over the batch. Salimans et
// al. 2016, arXiv:1606.03498.
#include "losses/losses.h"

// mean((E_n real − E_n fake)²)
static struct value *term_feature_matching_build(const void *params, struct value *const *argument)
{
    (void)params;
    return mean(square(sub(mean_axes(argument[0], 1u << 0), mean_axes(argument[1], 1u << 0))));
}

static const struct param params[] = {TERM_TENSOR(0, "real", "features of real data"),
                                      TERM_TENSOR(1, "fake", "features of fakes"), PARAM_END};

const struct term term_feature_matching = {
    .word = {.name = "feature_matching",
             .help = "squared difference of features averaged over the batch",
             .usage = "mean((E real − E fake)²)",
             .params = params,
             .size = sizeof(struct term_arguments)},
    .build = term_feature_matching_build,
};
