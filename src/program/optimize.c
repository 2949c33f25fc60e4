// Steps of optimizers and averages of weights, as effects. Moments are slots like any other, named
// after what they belong to; where several updates train the same weight each has moments of its
// own, as separate optimizers have everywhere else.
#include "base/arena.h"
#include "program/builder.h"
#include "lang/meaning.h"

#include <string.h>

static struct slot *own_slot(struct experiment *e, const char *name, enum slot_kind kind,
                             const struct slot *of, struct init init)
{
    struct slot *s = slots_find(&e->slots, name);
    if (!s) {
        s = slots_add(&e->slots, name, kind, of->shape, init, of->where);
        s->of = of;
    }
    ASSERT(s->of == of && s->kind == kind && shape_equal(s->shape, of->shape));
    return s;
}

static int trainers(const struct experiment *e, struct target what)
{
    int n = 0;
    for (int i = 0; i < e->n_phase; i++)
        for (int j = 0; j < e->phase[i].n_update; j++)
            n += update_trains(&e->phase[i].update[j], what);
    return n;
}

// "adam.m/generator.0.weight", "adam.m.1/…" where update 1 is not the only one
static struct slot *moment(struct builder *b, const struct update *u, const char *word,
                           const struct slot *of, struct target what)
{
    const char *name = trainers(b->e, what) > 1
                           ? arena_printf(b->arena, "%s.%d/%s", word, u->number, of->name)
                           : arena_printf(b->arena, "%s/%s", word, of->name);
    return own_slot(b->e, name, SLOT_MOMENT, of, (struct init){INIT_CONSTANT, 0, 0});
}

struct value *optimize(struct builder *b, const struct update *u, struct slot *slot,
                       struct target what, struct value *g, struct value *hyper)
{
    const struct optimizer *o = &u->optimizer;
    struct slot *own[UPDATE_MOMENTS];
    ASSERT(update_trains(u, what));
    for (int i = 0; i < optimizer_moments(o); i++)
        own[i] = moment(b, u,
                        arena_printf(b->arena, "%s.%s", o->kind->word.name, o->kind->moment[i]),
                        slot, what);
    return optimizer_step(o, versions_read(&b->versions, slot), g, hyper, own);
}

struct slot *average_slot(struct experiment *e, const struct slot *of)
{
    return own_slot(e, arena_printf(e->arena, "ema/%s", of->name), SLOT_AVERAGE, of,
                    (struct init){INIT_CONSTANT, 0, 0});
}

// a ← a + (1 − decay)·(p − a)
void average(struct builder *b)
{
    struct experiment *e = b->e;
    for (int i = 0; i < e->n_network; i++)
        for (int j = 0; e->ema[i] && j < e->network[i]->n_param; j++) {
            struct slot *of = e->network[i]->param[j];
            lerp_slot(param(b->graph, average_slot(e, of)), versions_read(&b->versions, of),
                      1 - e->ema_decay);
        }
}
