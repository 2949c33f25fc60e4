// `lr_schedule:`, and what comes of it: the product of all schedules of a phase.
#include "lang/schedule.h"

#include "base/arena.h"
#include "lang/sections.h"
#include "registry_schedules.h"

#include <math.h>
#include <string.h>

const struct vocabulary schedules = {"schedule",
                                     (const struct word *const[]){REGISTRY_schedules NULL}};

const struct param schedule_fall_params[] = {
    {"from", PARAM_NODE, offsetof(struct schedule_options, from), "", .takes = "steps, or epochs",
     .help = "where the rate begins to fall: steps, or '100 epochs'"},
    {"to", PARAM_NODE, offsetof(struct schedule_options, to), "", .takes = "steps, or epochs",
     .help = "where it has fallen; the end, unless said"},
    {"final", PARAM_FLOAT, offsetof(struct schedule_options, final), "0", 0, 1,
     .help = "the factor there"},
    PARAM_END};

double schedule_share(const struct schedule *s, double step)
{
    ASSERT(s->from < s->to);
    return fmin(1, fmax(0, (step - s->from) / (s->to - s->from)));
}

double phase_factor(const struct phase *phase, int64_t step)
{
    double factor = 1;
    for (int i = 0; i < phase->n_schedule; i++)
        factor *= phase->schedule[i].kind->factor(&phase->schedule[i], (double)step);
    return factor;
}

// --- reading -------------------------------------------------------------------------------------

// "20k", "100 epochs"; `otherwise` without a node.
static bool read_span(struct section_reader *r, const struct node *node, double otherwise,
                      double *out)
{
    *out = otherwise;
    if (!node)
        return true;
    const char *space = node->kind == NODE_SCALAR ? strchr(node->text, ' ') : NULL;
    if (!space || (strcmp(space, " epochs") && strcmp(space, " epoch") && strcmp(space, " steps")))
        return scalar_float(node, "a stretch of training (steps, or '100 epochs')", 0, 1e15, out,
                            r->d);
    struct node number = *node;
    number.text = arena_strndup(r->arena, node->text, (size_t)(space - node->text));
    if (!scalar_float(&number, "a stretch of training (steps, or '100 epochs')", 0, 1e15, out,
                      r->d))
        return false;
    if (space[1] == 'e')
        *out *= (double)experiment_epoch(r->e);
    return true;
}

static bool read_schedule(struct section_reader *r, const struct node *node, struct phase *phase)
{
    struct word_call w;
    const struct word *word = word_choose(&schedules, node, NULL, &w, r->d);
    const struct schedule_options *o = word ? word_params(&schedules, word, &w, r->arena, r->d)
                                            : NULL;
    if (!o)
        return false;
    struct schedule s = {
        .kind = (const struct schedule_kind *)word, .final = o->final, .where = w.where};
    if (!read_span(r, o->from, 0, &s.from) || !read_span(r, o->to, (double)phase->steps, &s.to))
        return false;
    if (word->params && s.to <= s.from)
        return fail(r->d, w.where,
                    "schedule '%s' is over before it begins\nexpected %g to be more than %g steps",
                    w.name, s.to, s.from);
    APPEND(r->arena, phase->schedule, phase->n_schedule, s);
    return true;
}

bool read_schedules(struct section_reader *r, const struct node *node, struct phase *phase)
{
    bool good = true;
    if (node && node->kind == NODE_LIST) {
        for (int i = 0; i < node->n; i++)
            good &= read_schedule(r, node->entry[i].value, phase);
        return good;
    }
    return !node || read_schedule(r, node, phase);
}
