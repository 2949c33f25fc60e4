// Squares of the distance to a target, on the critic's plain output. Mao et al. 2016,
// arXiv:1611.04076, without its factor 1/2: a, b and c of the paper are `fake`, `real` and
// `generator`.
#include "losses/losses.h"

#include <math.h>

struct loss_least_squares_options {
    double real, fake, generator;
};

// mean((x − t)²)
static struct value *loss_least_squares_distance(struct value *x, double t)
{
    return mean(square(affine(x, 1, -t)));
}

// mean((r − b)²) + mean((f − a)²)
static struct value *loss_least_squares_critic(const void *params, struct value *real,
                                               struct value *fake, double smooth)
{
    const struct loss_least_squares_options *o = params;
    return add(loss_least_squares_distance(real, o->real - smooth),
               loss_least_squares_distance(fake, o->fake));
}

// mean((f − c)²) + mean((r − a)²)
static struct value *loss_least_squares_generator(const void *params, struct value *real,
                                                  struct value *fake)
{
    const struct loss_least_squares_options *o = params;
    return sum_terms(fake ? loss_least_squares_distance(fake, o->generator) : NULL,
                     real ? loss_least_squares_distance(real, o->fake) : NULL);
}

// All targets: 0 and 1 are within a sigmoid's reach, −1 is not.
static struct bounds loss_least_squares_wants(const void *params)
{
    const struct loss_least_squares_options *o = params;
    return (struct bounds){fmin(o->generator, fmin(o->real, o->fake)),
                           fmax(o->generator, fmax(o->real, o->fake))};
}

static const struct param params[] = {
    {"real", PARAM_FLOAT, offsetof(struct loss_least_squares_options, real), "1", -1e6, 1e6,
     .help = "target of real data (the paper's b)"},
    {"fake", PARAM_FLOAT, offsetof(struct loss_least_squares_options, fake), "0", -1e6, 1e6,
     .help = "target of fakes (a)"},
    {"generator", PARAM_FLOAT, offsetof(struct loss_least_squares_options, generator), "1", -1e6,
     1e6, .help = "what the generator wants (c)"},
    PARAM_END};

const struct loss loss_least_squares = {
    .word = {.name = "least_squares",
             .help = "squared distance to targets, without the paper's 1/2",
             .usage = "critic: mean((r − b)²) + mean((f − a)²); generator: mean((f − c)²)",
             .params = params,
             .size = sizeof(struct loss_least_squares_options)},
    .flags = LOSS_SMOOTH,
    .wants = loss_least_squares_wants,
    .critic = loss_least_squares_critic,
    .generator = loss_least_squares_generator,
};
