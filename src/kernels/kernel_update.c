// Updates of slots: one pass over the slot, its gradient, its moments and, a piece at a time that the
// first cache still has, its packed copies. The rules are compiled here in float, from the files
// that give them their meaning (ir/update_rule.h).

// ir/update_rule.h has others.
typedef float real;
#define UPDATE(name) static void KERNEL(name##_update)(UPDATE_ARGUMENTS)
#define RULE(word)    \
    {                 \
        .name = #word \
    }
#define REGISTERED(type, name) UPDATE_UNUSED static const type KERNEL(name)

#include "kernels/kernel_packed.h"

#include "ir/ops/slot_rules.h"
#include "registry_updates.h" // the optimizers' files

#include <omp.h>
#include <string.h>

static void change(const struct update_task *t, int64_t from, int64_t to)
{
    to = to < t->n ? to : t->n;
    t->part(t->options, t->p, t->g, t->moment, t->number, from, to);
    for (int i = 0; i < t->n_packed; i++)
        KERNEL(write_packed)(&t->packed_copy[i], t->p, from, to);
}

void KERNEL(update)(const void *task);
void KERNEL(update)(const void *task)
{
    const struct update_task *t = task;
    ASSERT(t->part && t->chunk > 0 && t->threads > 0);
#pragma omp parallel num_threads(t->threads) if (t->threads > 1)
    {
        const int64_t me = omp_get_thread_num(), all = omp_get_num_threads(),
                      chunks = (t->n + t->chunk - 1) / t->chunk, end = chunks * (me + 1) / all;
        const int64_t step = t->n_packed ? 1 : end;
        for (int64_t i = chunks * me / all; i < end; i += step)
            change(t, i * t->chunk, (i + step < end ? i + step : end) * t->chunk);
    }
}

update_part *KERNEL(update_part)(const char *rule);
update_part *KERNEL(update_part)(const char *rule)
{
#define PART(name) {#name, KERNEL(name##_update)},
    static const struct {
        const char *name;
        update_part *part;
    } known[] = {PART(clip) PART(lerp) PART(assign) REGISTRY_updates};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, rule))
            return known[i].part;
    return NULL;
}
