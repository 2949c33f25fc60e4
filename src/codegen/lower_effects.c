// Effects run in place: on the slot's memory, which all its versions share, on the moments that
// come as inputs, and on packed copies that will be read. How a packed copy lies beside its slot is found by
// looking: two tables of places say where each number goes, and what repeats in them is a block.
#include "base/arena.h"
#include "codegen/tasks.h"
#include "codegen/lowering.h"

enum { CHUNK_LEAST = 1024 };

// Where in the packed copy each number of the slot's memory goes.
static int64_t *lower_effects_places(const struct slot *s, const struct packed_copy *t,
                                     struct arena *a)
{
    const int64_t n = shape_size(s->shape);
    int64_t *here = NEW_ARRAY(a, int64_t, n), *there = NEW_ARRAY(a, int64_t, n),
            *to = NEW_ARRAY(a, int64_t, n);
    slot_positions(s, slot_layout(s), here);
    slot_positions(s, t->layout, there);
    for (int64_t i = 0; i < n; i++)
        to[here[i]] = there[i];
    return to;
}

// How many of `to`, each `apart` from the next, go up by the same.
static int64_t lower_effects_run(const int64_t *to, int64_t n, int64_t apart, int64_t most,
                                 int64_t *step)
{
    int64_t length = 1;
    *step = apart < n ? to[apart] - to[0] : apart;
    while ((length + 1) * apart <= n && to[length * apart] - to[(length - 1) * apart] == *step)
        length++;
    for (int64_t whole = length; length > most || whole % length;)
        length = length > most ? most : length - 1;
    return n % (length * apart) ? 1 : length;
}

static bool repeats(const struct packed_task *t, const int64_t *to, int64_t n)
{
    const int64_t size = t->rows * t->columns;
    for (int64_t i = 0; i < n; i++)
        if (to[i] - to[i / size * size] !=
            i % size / t->columns * t->row_step + i % t->columns * t->column_step)
            return false;
    return true;
}

// How far apart numbers are that lie beside each other in the packed copy, in words of two; 0 where that
// is not the same for all.
static int64_t apart_of(const int64_t *to, int64_t n)
{
    int64_t apart = 1;
    while (apart < n && to[apart] != to[0] + 1)
        apart++;
    if (apart >= n || n % (2 * apart))
        return 0;
    for (int64_t i = 0; i < n; i++)
        if (i / apart % 2 == 0 && (to[i] % 2 || to[i + apart] != to[i] + 1))
            return 0;
    return apart;
}

// Blocks of n numbers, or words, that go to such places.
static void lower_effects_cut(struct packed_task *t, const int64_t *to, int64_t n, struct arena *a)
{
    const int64_t most = t->apart ? PACKED_BLOCK / 2 : PACKED_BLOCK;
    t->columns = lower_effects_run(to, n, 1, most, &t->column_step);
    t->rows = lower_effects_run(to, n, t->columns, most / t->columns, &t->row_step);
    if (!repeats(t, to, n))
        t->rows = t->columns = 1;
    const int64_t size = t->rows * t->columns;
    int32_t *at = NEW_ARRAY(a, int32_t, n / size);
    ASSERT(n % size == 0 && size <= most);
    for (int64_t i = 0; i < n / size; i++) {
        ASSERT(to[i * size] >= 0 && to[i * size] <= INT32_MAX);
        at[i] = (int32_t)to[i * size];
    }
    t->at = at;
}

static bool cut_in_words(struct packed_task *t, const int64_t *to, int64_t n, struct arena *a)
{
    const int64_t d = t->apart = apart_of(to, n);
    int64_t *word = NEW_ARRAY(a, int64_t, n / 2 + 1);
    for (int64_t i = 0; d && i < n / 2; i++)
        word[i] = to[i / d * 2 * d + i % d] / 2;
    if (d)
        lower_effects_cut(t, word, n / 2, a);
    return d && t->rows * t->columns % d == 0;
}

static struct packed_task packed_task(struct plan *p, const struct value *v,
                                      const struct packed_copy *packed_copy)
{
    struct arena *a = arena_new(NULL);
    const struct slot *s = v->attr.slot;
    const int64_t n = shape_size(s->shape), *to = lower_effects_places(s, packed_copy, a);
    struct packed_task t = {.to = plan_data(p, v) - s->offset + packed_copy->offset,
                            .type = packed_copy->type};
    if (t.type == TYPE_F32 || !cut_in_words(&t, to, n, plan_arena(p))) {
        t.apart = 0;
        lower_effects_cut(&t, to, n, plan_arena(p));
    }
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

static void add_packed(struct plan *p, const struct value *v, struct update_task *t)
{
    int n = 0;
    for (const struct packed_copy *w = v->attr.slot->packed_copy; w; w = w->next)
        n++;
    struct packed_task *packed_copy = NEW_ARRAY(plan_arena(p), struct packed_task, n + 1);
    t->packed_copy = packed_copy;
    t->chunk = 16;
    for (const struct packed_copy *w = v->attr.slot->packed_copy; w; w = w->next) {
        if (!effect_writes_packed(v, w))
            continue;
        packed_copy[t->n_packed] = packed_task(p, v, w);
        t->chunk = common_multiple(t->chunk, packed_block(&packed_copy[t->n_packed]));
        t->n_packed++;
    }
    if (t->n_packed && t->chunk < CHUNK_LEAST)
        t->chunk *= CHUNK_LEAST / t->chunk;
}

static void lower_update(struct plan *p, const struct value *v)
{
    const struct update_rule *rule = update_rule_of(v);
    struct update_task *t = NEW(plan_arena(p), struct update_task);
    ASSERT(v->type == TYPE_F32);
    t->part = kernels()->update_part(rule->name);
    ASSERT(t->part);
    t->options = update_options_of(v);
    t->p = plan_data(p, v);
    t->g = v->n_in > 1 ? plan_data(p, v->in[1]) : NULL;
    t->number = v->n_in > EFFECT_NUMBERS ? plan_data(p, v->in[EFFECT_NUMBERS]) : NULL;
    for (int i = 0; i < update_moments(v); i++)
        t->moment[i] = plan_data(p, v->in[EFFECT_NUMBERS + 1 + i]);
    t->n = shape_size(v->shape);
    t->threads = kernel_threads(t->n);
    add_packed(p, v, t);
    plan_step(p, v, rule->name, kernels()->update, t);
}

const struct lowering rows_lower_effects[] = {{.op = &op_update, .lower = lower_update}, {0}};
