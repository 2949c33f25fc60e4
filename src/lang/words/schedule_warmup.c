// A rise over the first `to` steps, the first of which is not 0.
#include "lang/schedule.h"

#include <math.h>

static const struct param params[] = {{"steps", PARAM_NODE, offsetof(struct schedule_options, to),
                                       .takes = "steps, or epochs",
                                       .help = "over which the rate rises from 0"},
                                      PARAM_END};

static double schedule_warmup_factor(const struct schedule *s, double step)
{
    ASSERT(s->to > 0);
    return fmin(1, (step + 1) / s->to);
}

const struct schedule_kind schedule_warmup = {
    .word = {.name = "warmup",
             .help = "the rate rises from 0 in a straight line",
             .params = params,
             .size = sizeof(struct schedule_options)},
    .factor = schedule_warmup_factor,
};
