// A history of fakes for the critic: of each new one, half the time it is shown and a stored one
// otherwise, which it replaces. Shrivastava et al. 2016, arXiv:1612.07828; with 50 images in Zhu et
// al. 2017. The history is a slot, so that it is checkpointed and resumed with everything else; a
// list on the host would be one more thing to save, and a round trip per step.
#include "base/arena.h"
#include "program/builder.h"

// Where each sample of the batch goes while the history fills: filled + i; later from a random
// place on, so that places differ.
static struct value *fake_history_places(struct builder *b, struct value *full,
                                         struct value *filled, int64_t n, int64_t size)
{
    struct graph *g = b->graph;
    struct value *start = random_value(g, RANDOM_LABEL, (double)size, 0, g->next_stream++,
                                       SHAPE(1));
    struct value *i = add(select_value(full, start, filled), count_up(g, n)); // (N)
    return sub(i, affine(greater(affine(i, 1, 0.5), constant(g, (double)size, SHAPE(1))),
                         (double)size, 0));
}

// All that the critic is shown of a sample, as one row: (N, D). What belongs together stays together.
static struct value *fake_history_rows(struct builder *b, const struct operand *x, int n)
{
    struct value **rows = NEW_ARRAY(b->arena, struct value *, n);
    for (int i = 0; i < n; i++) {
        struct value *v = x[i].value;
        const int64_t N = v->shape.dim[0];
        rows[i] = reshape(detach(v), SHAPE(N, shape_size(v->shape) / N));
    }
    return n == 1 ? rows[0] : concat(rows, n, 1);
}

static void fake_history_parts(struct value *rows, struct operand *x, int n)
{
    int64_t at = 0;
    for (int i = 0; i < n; i++) {
        const struct shape s = x[i].value->shape;
        const int64_t width = shape_size(s) / s.dim[0];
        x[i].value = reshape(n == 1 ? rows : slice(rows, 1, at, width), s);
        at += width;
    }
}

void fake_history_pass(struct builder *b, const struct game *game, struct operand *x)
{
    struct graph *g = b->graph;
    struct slots *slots = &b->e->slots;
    struct value *fresh = fake_history_rows(b, x, game->n);
    const int64_t N = fresh->shape.dim[0], D = fresh->shape.dim[1], size = game->pool / N * N;
    const char *name = arena_printf(b->arena, "pool.%d.0", (int)(game - b->e->game));
    const char *count = arena_printf(b->arena, "%s.filled", name);
    const struct init zero = {INIT_CONSTANT, 0, 0};
    if (!slots_find(slots, name)) {
        slots_add(slots, name, SLOT_BUFFER, SHAPE(size, D), zero, game->where);
        slots_add(slots, count, SLOT_BUFFER, SHAPE(1), zero, game->where);
    }
    struct slot *history = slots_find(slots, name), *filled = slots_find(slots, count);
    struct value *stored = versions_read(&b->versions, history),
                 *n = versions_read(&b->versions, filled);
    struct value *full = greater(affine(n, 1, 0.5), constant(g, (double)size, SHAPE(1))); // (1)
    struct value *place = fake_history_places(b, full, n, N, size);
    struct value *coin = random_value(g, RANDOM_BERNOULLI, 0.5, 0, g->next_stream++, SHAPE(N));
    struct value *swap = reshape(mul(coin, full), SHAPE(N, 1)); // shown: the stored one
    struct value *store = reshape(maximum(coin, affine(full, -1, 1)),
                                  SHAPE(N, 1)); // stored: the new one
    struct value *old = gather(stored, place);
    struct value *shown = add(fresh, mul(swap, sub(old, fresh)));
    struct value *next = add(stored, scatter_add(mul(store, sub(fresh, old)), place, size));
    versions_write(&b->versions, history, assign_slot(stored, next));
    versions_write(
        &b->versions, filled,
        assign_slot(n, minimum(affine(n, 1, (double)N), constant(g, (double)size, SHAPE(1)))));
    fake_history_parts(shown, x, game->n);
}
