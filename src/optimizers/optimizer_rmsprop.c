// Steps of the gradient over the root of the mean square. Tieleman, Hinton 2012, lecture 6.5.
#include "ir/update_rule.h"
#include "optimizers/optimizer.h"

struct rmsprop_options {
    double lr, rho, epsilon;
    int convention; // 1: keras
};

static const char *const rmsprop_convention[] = {"pytorch", "keras", NULL};
#define AT(field) offsetof(struct rmsprop_options, field)
static const struct param rmsprop_params[] = {
    {"lr", PARAM_FLOAT, AT(lr), "1e-2", 0, 1e3, .help = "learning rate"},
    {"rho", PARAM_FLOAT, AT(rho), "0.99", 0, 0.9999999, .help = "decay of the mean square"},
    {"epsilon", PARAM_FLOAT, AT(epsilon), "1e-8", 0, 1, .help = "keeps the quotient finite"},
    {"convention", PARAM_WORD, AT(convention), "pytorch", .words = rmsprop_convention,
     .help = "keras: epsilon under the root"},
    PARAM_END};
#undef AT

static void rmsprop_numbers(const void *options, double factor, int64_t t, float *number)
{
    (void)t;
    number[0] = (float)(((const struct rmsprop_options *)options)->lr * factor);
}

UPDATE(rmsprop)
{
    const struct rmsprop_options *o = options;
    const bool keras = o->convention == 1;
    const real rho = o->rho, lr = number[0];
    const real under = keras ? o->epsilon : 0, beside = keras ? 0 : o->epsilon;
    real *v = moment[0];
    EACH(i) {
        v[i] = rho * v[i] + (1 - rho) * g[i] * g[i];
        p[i] -= lr * g[i] / (sqrt(v[i] + under) + beside);
    }
}

REGISTERED(struct optimizer_kind, optimizer_rmsprop) = {
    .word = {.name = "rmsprop",
             .help = "steps of the gradient over the root of the mean square",
             .usage = "v ← ρv + (1−ρ)g²   p ← p − lr·g/(√v + ε)",
             .params = rmsprop_params,
             .size = sizeof(struct rmsprop_options)},
    .rate_high = 0.1,
    .rule = RULE(rmsprop),
    .moment = {"v"},
    .numbers = rmsprop_numbers,
};
