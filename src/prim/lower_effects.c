// Effects run in place: on the slot's memory, which all its versions share, on the moments that
// come as inputs, and on twins that will be read. How a twin lies beside its slot is found by
// looking: two tables of places say where each number goes, and what repeats in them is a block.
#include "base/arena.h"
#include "prim/kernel.h"
#include "prim/lower.h"

enum { BLOCK_MOST = 4096, CHUNK_LEAST = 1024 };

// Where in the twin each number of the slot's memory goes.
static int64_t *places(const struct slot *s, const struct twin *t, struct arena *a)
{
    const int64_t n = shape_size(s->shape);
    int64_t *here = NEW_ARRAY(a, int64_t, n), *there = NEW_ARRAY(a, int64_t, n),
            *to = NEW_ARRAY(a, int64_t, n);
    slot_positions(s, slot_lies(s), here);
    slot_positions(s, t->lies, there);
    for (int64_t i = 0; i < n; i++)
        to[here[i]] = there[i];
    return to;
}

// How many of `to`, each `apart` from the next, go up by the same.
static int64_t run(const int64_t *to, int64_t n, int64_t apart, int64_t most, int64_t *step)
{
    int64_t length = 1;
    *step = apart < n ? to[apart] - to[0] : 1;
    while ((length + 1) * apart <= n && to[length * apart] - to[(length - 1) * apart] == *step)
        length++;
    while (length > most && length % 2 == 0)
        length /= 2;
    return n % (length * apart) ? 1 : length;
}

static bool repeats(const struct twin_task *t, const int64_t *to, int64_t n)
{
    const int64_t size = t->rows * t->columns;
    for (int64_t i = 0; i < n; i++)
        if (to[i] - to[i / size * size] !=
            i % size / t->columns * t->row_step + i % t->columns * t->column_step)
            return false;
    return true;
}

static struct twin_task twin_task(struct plan *p, const struct value *v, const struct twin *twin)
{
    struct arena *a = arena_new(NULL);
    const struct slot *s = v->attr.slot;
    const int64_t n = shape_size(s->shape), *to = places(s, twin, a);
    struct twin_task t = {.to = plan_data(p, v) - s->offset + twin->offset};
    t.columns = run(to, n, 1, BLOCK_MOST, &t.column_step);
    t.rows = run(to, n, t.columns, BLOCK_MOST / t.columns, &t.row_step);
    if (!repeats(&t, to, n))
        t.rows = t.columns = 1;
    const int64_t size = t.rows * t.columns;
    int32_t *at = NEW_ARRAY(plan_arena(p), int32_t, n / size);
    for (int64_t i = 0; i < n / size; i++)
        at[i] = (int32_t)to[i * size];
    t.at = at;
    arena_free(a);
    return t;
}

static int64_t common_multiple(int64_t a, int64_t b)
{
    int64_t multiple = a;
    while (multiple % b)
        multiple += a;
    return multiple;
}

static void add_twins(struct plan *p, const struct value *v, struct update_task *t)
{
    int n = 0;
    for (const struct twin *w = v->attr.slot->twin; w; w = w->next)
        n++;
    struct twin_task *twin = NEW_ARRAY(plan_arena(p), struct twin_task, n + 1);
    t->twin = twin;
    t->chunk = 16;
    for (const struct twin *w = v->attr.slot->twin; w; w = w->next) {
        if (!effect_writes_twin(v, w))
            continue;
        twin[t->n_twin] = twin_task(p, v, w);
        t->chunk = common_multiple(t->chunk, twin[t->n_twin].rows * twin[t->n_twin].columns);
        t->n_twin++;
    }
    if (t->n_twin && t->chunk < CHUNK_LEAST)
        t->chunk *= CHUNK_LEAST / t->chunk;
}

static struct update_task *update(struct plan *p, const struct value *v)
{
    struct update_task *t = NEW(plan_arena(p), struct update_task);
    t->p = plan_data(p, v);
    t->g = v->n_in > 1 ? plan_data(p, v->in[1]) : NULL;
    t->n = shape_size(v->shape);
    for (int i = 0; i < 4; i++)
        t->f[i] = (float)v->attr.f[i];
    t->flag = v->attr.i[0] != 0;
    t->threads = kernel_threads(t->n);
    add_twins(p, v, t);
    return t;
}

void lower_adam(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->m = plan_data(p, v->in[3]);
    t->v = plan_data(p, v->in[4]);
    plan_step(p, v, "adam", kernels()->adam, t);
}

void lower_rmsprop(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->v = plan_data(p, v->in[3]);
    plan_step(p, v, "rmsprop", kernels()->rmsprop, t);
}

void lower_sgd(struct plan *p, const struct value *v)
{
    struct update_task *t = update(p, v);
    t->hyper = plan_data(p, v->in[2]);
    t->m = v->n_in == 4 ? plan_data(p, v->in[3]) : NULL;
    plan_step(p, v, "sgd", kernels()->sgd, t);
}

void lower_clip_slot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "clip", kernels()->clip, update(p, v));
}

void lower_lerp_slot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "lerp", kernels()->lerp, update(p, v));
}

void lower_assign_slot(struct plan *p, const struct value *v)
{
    plan_step(p, v, "assign", kernels()->assign, update(p, v));
}
