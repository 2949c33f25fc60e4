// Adam, and weights that shrink by themselves: the decay is not part of the gradient, so the root of
// the mean square does not divide it. Loshchilov, Hutter 2019, arXiv:1711.05101, as PyTorch's AdamW.
#include "ir/update_rule.h"
#include "optimizers/optimizer.h"

struct adamw_options {
    double lr, beta1, beta2, epsilon, weight_decay;
};

#define AT(field) offsetof(struct adamw_options, field)
static const struct param adamw_params[] = {
    {"lr", PARAM_FLOAT, AT(lr), "1e-3", 0, 1e3, .help = "learning rate"},
    {"beta1", PARAM_FLOAT, AT(beta1), "0.9", 0, 0.999999, .help = "decay of the mean"},
    {"beta2", PARAM_FLOAT, AT(beta2), "0.999", 0, 0.9999999, .help = "decay of the mean square"},
    {"epsilon", PARAM_FLOAT, AT(epsilon), "1e-8", 0, 1, .help = "keeps the quotient finite"},
    {"weight_decay", PARAM_FLOAT, AT(weight_decay), "1e-2", 0, 1e3,
     .help = "how much of a weight goes in a step, times the rate"},
    PARAM_END};
#undef AT

static void adamw_numbers(const void *options, double factor, int64_t t, float *number)
{
    const struct adamw_options *o = options;
    number[0] = (float)(o->lr * factor / (1 - pow(o->beta1, (double)t)));
    number[1] = (float)(1 / (1 - pow(o->beta2, (double)t)));
    number[2] = (float)(1 - o->lr * factor * o->weight_decay);
}

UPDATE(adamw)
{
    const struct adamw_options *o = options;
    const real b1 = o->beta1, b2 = o->beta2, epsilon = o->epsilon;
    const real of_g = 1 - o->beta1,
               of_square = 1 - o->beta2; // rounded last: 1 − 0.999 loses digits in float
    const real rate = number[0], inside = number[1], kept = number[2];
    real *m = moment[0], *v = moment[1];
    EACH(i) {
        m[i] = b1 * m[i] + of_g * g[i];
        v[i] = b2 * v[i] + of_square * g[i] * g[i];
        p[i] = kept * p[i] - rate * m[i] / (sqrt(v[i] * inside) + epsilon);
    }
}

REGISTERED(struct optimizer_kind, optimizer_adamw) = {
    .word = {.name = "adamw",
             .help = "adam, with a decay of the weights that is no part of the gradient",
             .usage = "m ← β₁m + (1−β₁)g   v ← β₂v + (1−β₂)g²   p ← (1 − lr·λ)p − lr·m̂/(√v̂ + ε)",
             .params = adamw_params,
             .size = sizeof(struct adamw_options)},
    .rate_high = 0.1,
    .rule = RULE(adamw),
    .moment = {"m", "v"},
    .numbers = adamw_numbers,
};
