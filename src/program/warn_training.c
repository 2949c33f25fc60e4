#include "program/warnings.h"

#include <inttypes.h>
#include <math.h>

enum { POINTS = 64 };

// Whether the factor is the same at its first step, its last, and between.
static bool one_factor(const struct schedule *s, int64_t steps)
{
    const double first = s->kind->factor(s, 0);
    for (int i = 1; i <= POINTS; i++)
        if (s->kind->factor(s, floor((double)(steps - 1) * i / POINTS)) != first)
            return false;
    return true;
}

static void warn_of_schedules(struct warning_look *w, const struct phase *p)
{
    for (int i = 0; i < p->n_schedule; i++) {
        const struct schedule *s = &p->schedule[i];
        if (s->kind->word.params && p->steps > 1 && one_factor(s, p->steps))
            warn(w->d, WARNING_schedule_without_effect, s->where,
                 "schedule '%s' changes nothing in %" PRId64
                 " steps: its factor is %g from the first to the last\n"
                 "expected one that begins before step %" PRId64
                 ", or none: %slr_schedule=constant",
                 s->kind->word.name, p->steps, s->kind->factor(s, 0), p->steps,
                 *p->name ? "" : "train.");
    }
}

static void warn_of_rate(struct warning_look *w, const struct optimizer *o)
{
    const struct param *lr = param_find(o->kind->word.params, "lr");
    const double rate = lr ? *(const double *)((const char *)o->options + lr->offset) : 0;
    const char *name = o->kind->word.name;
    if (o->kind->rate_high > 0 && rate > o->kind->rate_high)
        warn(w->d, WARNING_rate_too_high, o->where,
             "a learning rate of %g: with '%s' each weight moves by about that much in every step\n"
             "expected at most %g; 2e-4 is usual: train.optimizer.%s.lr=2e-4",
             rate, name, o->kind->rate_high, name);
}

// Of weights that change a little each step, the average holds decay^steps of the first ones.
static void warn_of_average(struct warning_look *w)
{
    const struct experiment *e = w->e;
    const struct node *ema = node_at(e->config->root, "train.ema");
    double steps = 0;
    for (int i = 0; i < e->n_phase; i++)
        steps += (double)e->phase[i].steps;
    const double first = pow(e->ema_decay, steps);
    if (ema && e->ema_decay > 0 && first > 0.5)
        warn(w->d, WARNING_average_hardly_moves, ema->where,
             "after %g steps the averages are %.0f %% first, random weights, and samples are drawn "
             "with them\n"
             "expected more steps, or a smaller decay: train.ema.decay=%.3g",
             steps, 100 * first, pow(0.01, 1 / steps));
}

void warn_of_training(struct warning_look *w)
{
    for (const struct phase *p = w->e->phase; p < w->e->phase + w->e->n_phase; p++) {
        warn_of_schedules(w, p);
        for (int i = 0; i < p->n_update; i++)
            warn_of_rate(w, &p->update[i].optimizer);
    }
    warn_of_average(w);
}
