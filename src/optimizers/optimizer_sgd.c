// Steps down the gradient, or down its running sum. Sutskever et al. 2013.
#include "ir/update_rule.h"
#include "optimizers/optimizer.h"

struct sgd_options {
    double lr, momentum;
    bool nesterov;
};

#define AT(field) offsetof(struct sgd_options, field)
static const struct param sgd_params[] = {
    {"lr", PARAM_FLOAT, AT(lr), NULL, 0, 1e3, .help = "learning rate"},
    {"momentum", PARAM_FLOAT, AT(momentum), "0", 0, 0.999999, .help = "decay of the velocity"},
    {"nesterov", PARAM_BOOL, AT(nesterov), "false", .help = "look ahead"},
    PARAM_END};
#undef AT

static int sgd_moments(const void *options)
{
    return ((const struct sgd_options *)options)->momentum != 0;
}

static void sgd_numbers(const void *options, double factor, int64_t t, float *number)
{
    (void)t;
    number[0] = (float)(((const struct sgd_options *)options)->lr * factor);
}

UPDATE(sgd)
{
    const struct sgd_options *o = options;
    const real mu = o->momentum, lr = number[0];
    const real of_g = o->nesterov ? 1 : 0, of_m = o->nesterov ? mu : 1;
    real *m = moment[0];
    if (!m) {
        EACH(i)
            p[i] -= lr * g[i];
        return;
    }
    EACH(i) {
        m[i] = mu * m[i] + g[i];
        p[i] -= lr * (of_g * g[i] + of_m * m[i]);
    }
}

REGISTERED(struct optimizer_kind, optimizer_sgd) = {
    .word = {.name = "sgd",
             .help = "steps down the gradient, with momentum if wanted",
             .usage = "m ← μm + g   p ← p − lr·m, with nesterov p ← p − lr·(g + μm)",
             .params = sgd_params,
             .size = sizeof(struct sgd_options)},
    .rule = RULE(sgd),
    .moment = {"m"},
    .moments = sgd_moments,
    .numbers = sgd_numbers,
};
