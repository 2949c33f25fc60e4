// Σ log P(x), P(1) = 1 / (1 + e^−l): −Σ log(1 + e^{−l}) where x > 0, −Σ log(1 + e^l) elsewhere
#include "lang/function.h"

static bool function_log_bernoulli_build(const struct function_call *call, const struct operand *x,
                                         struct operand *out)
{
    struct value *v = x[0].value, *logits = x[1].value;
    if (!v || v->shape.rank < 2)
        return fail_argument(call, 0, "draws of a layer `bernoulli`");
    if (!logits || !shape_equal(v->shape, logits->shape))
        return fail_argument(call, 1, "logits, as many as draws");
    struct value *against = mul(affine(positive(v), -2, 1), logits);
    struct value *total = reduce_sum(softplus(against),
                                     AXES_ALL & ~1u & ((1u << v->shape.rank) - 1));
    *out = operand_of(affine(reshape(total, SHAPE(v->shape.dim[0], 1)), -1, 0));
    return true;
}

const struct function function_log_bernoulli = {
    .word = {.name = "log_bernoulli",
             .help = "log-probability of draws of the layer bernoulli, by sample",
             .usage = "log_bernoulli(x, logits)"},
    .least = 2,
    .most = 2,
    .build = function_log_bernoulli_build,
};
