// Loshchilov, Hutter 2016, arXiv:1608.03983, without restarts.
#include "lang/schedule.h"

#include <math.h>

static double schedule_cosine_factor(const struct schedule *s, double step)
{
    return s->final + (1 - s->final) * 0.5 * (1 + cos(M_PI * schedule_share(s, step)));
}

const struct schedule_kind schedule_cosine = {
    .word = {.name = "cosine",
             .help = "the rate falls as half a period of a cosine",
             .params = schedule_fall_params,
             .size = sizeof(struct schedule_options)},
    .factor = schedule_cosine_factor,
};
