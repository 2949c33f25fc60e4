// 1 + (final − 1)·t
#include "lang/schedule.h"

static double schedule_linear_factor(const struct schedule *s, double step)
{
    return 1 + (s->final - 1) * schedule_share(s, step);
}

const struct schedule_kind schedule_linear = {
    .word = {.name = "linear",
             .help = "the rate falls in a straight line",
             .params = schedule_fall_params,
             .size = sizeof(struct schedule_options)},
    .factor = schedule_linear_factor,
};
