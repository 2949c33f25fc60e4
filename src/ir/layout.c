#include "ir/layout.h"

#include "base/arena.h"

#include <inttypes.h>

// (outer, C, P, I) in memory as (outer, P, C, I)
static struct permutation transposed_order(int64_t C, int64_t P, int64_t I)
{
    return (struct permutation){4, {0, C, P, I}, {C * P * I, I, C * I, 1}};
}

const struct blocked_layout *layout_transposed(int64_t channels, int64_t pixels, int64_t inner)
{
    static struct arena *arena;
    static struct blocked_layout **known;
    static int n;
    for (int i = 0; i < n; i++) {
        const int64_t *dim = known[i]->order.dim;
        if (dim[1] == channels && dim[2] == pixels && dim[3] == inner)
            return known[i];
    }
    if (!arena)
        arena = arena_new(NULL);
    struct blocked_layout *l = NEW(arena, struct blocked_layout);
    *l = (struct blocked_layout){
        .name = arena_printf(arena, "transposed %" PRId64 "x%" PRId64, channels, pixels),
        .dense = true,
        .order = transposed_order(channels, pixels, inner)};
    APPEND(arena, known, n, l);
    return l;
}

struct permutation permutation_of(const struct blocked_layout *l, int64_t n)
{
    struct permutation o = l->order;
    if (o.dim[0] == 0)
        o.dim[0] = n / o.stride[0];
    return o;
}

static bool is_element(const struct permutation *o, const int64_t *index)
{
    for (int d = 0; d < o->rank; d++) {
        int64_t i = index[d];
        for (int k = d + 1; o->whole[d] && k < o->rank && !o->whole[k]; k++)
            i = i * o->dim[k] + index[k];
        if (o->whole[d] && i >= o->whole[d])
            return false;
    }
    return true;
}

void permutation_positions(const struct permutation *o, int64_t *at)
{
    int64_t index[ORDER_RANK] = {0}, position = 0, n = 1;
    for (int d = 0; d < o->rank; d++)
        n *= o->dim[d];
    for (int64_t i = 0; i < n; i++) {
        if (is_element(o, index))
            *at++ = position;
        for (int d = o->rank - 1; d >= 0; d--) {
            position += o->stride[d];
            if (++index[d] < o->dim[d])
                break;
            position -= o->stride[d] * o->dim[d];
            index[d] = 0;
        }
    }
}
