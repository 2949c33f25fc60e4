// final^⌊step / to⌋: a fall every `to` steps.
#include "lang/schedule.h"

#include <math.h>

static const struct param params[] = {
    {"every", PARAM_NODE, offsetof(struct schedule_options, to), .takes = "steps, or epochs",
     .help = "steps, or '50 epochs'"},
    {"factor", PARAM_FLOAT, offsetof(struct schedule_options, final), "0.5", 0, 1,
     .help = "what the rate is multiplied by"},
    PARAM_END};

static double schedule_step_factor(const struct schedule *s, double step)
{
    ASSERT(s->to > 0);
    return pow(s->final, floor(step / s->to));
}

const struct schedule_kind schedule_step = {
    .word = {.name = "step",
             .help = "the rate falls by a factor every so many steps",
             .params = params,
             .size = sizeof(struct schedule_options)},
    .factor = schedule_step_factor,
};
