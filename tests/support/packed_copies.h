// Whether second copies of slots say what the slots say. Include after cmocka.h.
#include "base/arena.h"
#include "base/bf16.h"
#include "ir/slot.h"

static inline float packed_number(const float *slab, const struct packed_copy *t, int64_t at)
{
    const uint16_t *half = (const uint16_t *)(slab + t->offset);
    return t->type == TYPE_BF16 ? of_bf16(half[at]) : slab[t->offset + (size_t)at];
}

// How many there are.
static inline int check_packed(const struct slots *s, const float *slab)
{
    struct arena *a = arena_new(NULL);
    int n = 0;
    for (int i = 0; i < s->n; i++)
        for (const struct packed_copy *t = s->slot[i]->packed_copy; t; t = t->next, n++) {
            const float *want = slot_get(s->slot[i], slab, a);
            int64_t *at = NEW_ARRAY(a, int64_t, shape_size(s->slot[i]->shape));
            slot_positions(s->slot[i], t->layout, at);
            for (int64_t k = 0; k < shape_size(s->slot[i]->shape); k++)
                if (packed_number(slab, t, at[k]) !=
                    (t->type == TYPE_BF16 ? of_bf16(bf16_of(want[k])) : want[k]))
                    fail_msg("%s[%d] and its packed copy differ", s->slot[i]->name, (int)k);
        }
    arena_free(a);
    return n;
}
