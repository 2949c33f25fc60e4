// The rate as the optimizer says it; a word, so that a config can take another's schedule back.
#include "lang/schedule.h"

static double schedule_constant_factor(const struct schedule *s, double step)
{
    (void)s, (void)step;
    return 1;
}

const struct schedule_kind schedule_constant = {
    .word = {.name = "constant", .help = "the rate stays", .size = sizeof(struct schedule_options)},
    .factor = schedule_constant_factor,
};
