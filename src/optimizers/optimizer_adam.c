// Steps of the mean gradient over the root of the mean square, both corrected for their start at
// zero. Kingma, Ba 2015, arXiv:1412.6980.
#include "ir/update_rule.h"
#include "optimizers/optimizer.h"

struct adam_options {
    double lr, beta1, beta2, epsilon, weight_decay;
    int convention; // 1: keras
};

static const char *const adam_convention[] = {"pytorch", "keras", NULL};
#define AT(field) offsetof(struct adam_options, field)
static const struct param adam_params[] = {
    {"lr", PARAM_FLOAT, AT(lr), "1e-3", 0, 1e3, .help = "learning rate"},
    {"beta1", PARAM_FLOAT, AT(beta1), "0.9", 0, 0.999999, .help = "decay of the mean"},
    {"beta2", PARAM_FLOAT, AT(beta2), "0.999", 0, 0.9999999, .help = "decay of the mean square"},
    {"epsilon", PARAM_FLOAT, AT(epsilon), "1e-8", 0, 1, .help = "keeps the quotient finite"},
    {"convention", PARAM_WORD, AT(convention), "pytorch", .words = adam_convention,
     .help = "keras: epsilon outside the bias correction"},
    {"weight_decay", PARAM_FLOAT, AT(weight_decay), "0", 0, 1e3,
     .help = "L2 penalty of the weights"},
    PARAM_END};
#undef AT

static void adam_numbers(const void *options, double factor, int64_t t, float *number)
{
    const struct adam_options *o = options;
    number[0] = (float)(o->lr * factor);
    number[1] = (float)(1 / (1 - pow(o->beta1, (double)t)));
    number[2] = (float)(1 / (1 - pow(o->beta2, (double)t)));
}

// With keras' convention ε stands beside the root of v without its correction, which the rate has.
UPDATE(adam)
{
    const struct adam_options *o = options;
    const bool keras = o->convention == 1;
    const real b1 = o->beta1, b2 = o->beta2, epsilon = o->epsilon, decay = o->weight_decay;
    const real inside = keras ? 1 : number[2];
    const real rate = number[0] * number[1] / (keras ? sqrt(number[2]) : 1);
    real *m = moment[0], *v = moment[1];
    EACH(i) {
        const real grad = g[i] + decay * p[i];
        m[i] = b1 * m[i] + (1 - b1) * grad;
        v[i] = b2 * v[i] + (1 - b2) * grad * grad;
        p[i] -= rate * m[i] / (sqrt(v[i] * inside) + epsilon);
    }
}

REGISTERED(struct optimizer_kind, optimizer_adam) = {
    .word = {.name = "adam",
             .help = "steps of the mean gradient over the root of the mean square",
             .usage = "m ← β₁m + (1−β₁)g   v ← β₂v + (1−β₂)g²   p ← p − lr·m̂/(√v̂ + ε)",
             .params = adam_params,
             .size = sizeof(struct adam_options)},
    .rate_high = 0.1,
    .rule = RULE(adam),
    .moment = {"m", "v"},
    .numbers = adam_numbers,
};
