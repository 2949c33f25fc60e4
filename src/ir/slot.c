#include "ir/slot.h"

#include "base/arena.h"
#include "base/bf16.h"
#include "base/philox.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

enum { SLOT_ALIGN = 16 }; // floats: a cache line

void slots_init(struct slots *s, struct arena *a)
{
    *s = (struct slots){.arena = a};
    hash_map_init(&s->by_name, a);
}

// Room for so many floats at the end of the slab.
static size_t take(struct slots *s, size_t floats)
{
    const size_t offset = s->floats;
    const int64_t aligned = size_sum((int64_t)floats, SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    s->floats = (size_t)size_sum((int64_t)offset, aligned);
    return offset;
}

struct slot *slots_add(struct slots *s, const char *name, enum slot_kind kind, struct shape shape,
                       struct init init, struct place where)
{
    if (slots_find(s, name))
        BUG("slot '%s' made twice", name);
    struct slot *slot = NEW(s->arena, struct slot);
    *slot = (struct slot){.all = s,
                          .index = s->n,
                          .name = arena_strdup(s->arena, name),
                          .kind = kind,
                          .shape = shape,
                          .init = init,
                          .where = where,
                          .offset = take(s, (size_t)shape_size(shape))};
    APPEND(s->arena, s->slot, s->n, slot);
    hash_map_set(&s->by_name, name, slot);
    return slot;
}

struct slot *slots_find(const struct slots *s, const char *name)
{
    return hash_map_get(&s->by_name, name);
}

const struct blocked_layout *slot_layout(const struct slot *s)
{
    return s->of ? s->of->layout : s->layout;
}

// --- packed copies ---------------------------------------------------------------------------------------

static size_t packed_floats(const struct slot *s, const struct blocked_layout *layout,
                            enum type type)
{
    const size_t bytes = layout && layout->bytes ? layout->bytes
                                                 : type_bytes(type) * (size_t)shape_size(s->shape);
    return (bytes + sizeof(float) - 1) / sizeof(float);
}

const struct packed_copy *slot_packed(const struct slot *s, const struct blocked_layout *layout,
                                      enum type type)
{
    const struct packed_copy *t = s->packed_copy;
    while (t && (t->layout != layout || t->type != type))
        t = t->next;
    return t;
}

const struct packed_copy *slot_packed_made(struct slot *s, const struct blocked_layout *layout,
                                           enum type type)
{
    const struct packed_copy *known = slot_packed(s, layout, type);
    if (known || s->settled || (layout && !layout->order.rank))
        return known;
    struct packed_copy *t = NEW(s->all->arena, struct packed_copy);
    *t = (struct packed_copy){layout, type, take(s->all, packed_floats(s, layout, type)),
                              s->packed_copy};
    s->packed_copy = t;
    return t;
}

// --- content -------------------------------------------------------------------------------------

void slot_positions(const struct slot *s, const struct blocked_layout *layout, int64_t *at)
{
    const int64_t n = shape_size(s->shape);
    if (layout) {
        const struct permutation order = permutation_of(layout, n);
        permutation_positions(&order, at);
    } else {
        for (int64_t i = 0; i < n; i++)
            at[i] = i;
    }
}

static void store_copy(const struct slot *s, const struct blocked_layout *layout, enum type type,
                       void *to, const float *x)
{
    struct arena *a = arena_new(NULL);
    const int64_t n = shape_size(s->shape);
    int64_t *at = NEW_ARRAY(a, int64_t, n);
    float *const whole = to;
    uint16_t *const half = to;
    slot_positions(s, layout, at);
    for (int64_t i = 0; i < n; i++)
        if (type == TYPE_BF16)
            half[at[i]] = bf16_of(x[i]);
        else
            whole[at[i]] = x[i];
    arena_free(a);
}

// What lies between a packed copy's elements is zero, and nothing writes it again.
static void put_packed(const struct slot *s, float *slab, const float *x)
{
    for (const struct packed_copy *t = s->packed_copy; t; t = t->next) {
        memset(slab + t->offset, 0, sizeof *slab * packed_floats(s, t->layout, t->type));
        store_copy(s, t->layout, t->type, slab + t->offset, x);
    }
}

void slot_put(const struct slot *s, float *slab, const float *x)
{
    put_packed(s, slab, x);
    if (slot_layout(s))
        store_copy(s, slot_layout(s), TYPE_F32, slab + s->offset, x);
    else
        memcpy(slab + s->offset, x, sizeof *slab * (size_t)shape_size(s->shape));
}

const float *slot_get(const struct slot *s, const float *slab, struct arena *a)
{
    const int64_t n = shape_size(s->shape);
    if (!slot_layout(s))
        return slab + s->offset;
    int64_t *at = NEW_ARRAY(a, int64_t, n);
    float *x = NEW_ARRAY(a, float, n);
    slot_positions(s, slot_layout(s), at);
    for (int64_t i = 0; i < n; i++)
        x[i] = slab[s->offset + (size_t)at[i]];
    return x;
}

static double draw(struct rng *r, struct init init)
{
    switch (init.kind) {
    case INIT_UNIFORM: return init.a + (init.b - init.a) * rng_uniform(r);
    case INIT_NORMAL:
    case INIT_ORTHOGONAL: return init.a + init.b * rng_normal(r);
    case INIT_TRUNCATED:
        for (;;) {
            const double x = rng_normal(r);
            if (fabs(x) <= 2)
                return init.a + init.b * x;
        }
    case INIT_CONSTANT: break;
    }
    return init.a;
}

// Modified Gram–Schmidt on the rows of the (rows, columns) matrix, or on its columns where there
// are fewer of those: Saxe, McClelland, Ganguli 2014, arXiv:1312.6120. init.b is the gain.
static void orthogonalise(float *x, int64_t rows, int64_t columns, double gain)
{
    const bool by_row = rows <= columns;
    const int64_t n = by_row ? rows : columns, m = by_row ? columns : rows;
    const int64_t step = by_row ? columns : 1, along = by_row ? 1 : columns;
    for (int64_t i = 0; i < n; i++) {
        float *v = x + i * step;
        for (int64_t j = 0; j < i; j++) {
            const float *u = x + j * step;
            double dot = 0;
            for (int64_t k = 0; k < m; k++)
                dot += (double)u[k * along] * v[k * along];
            for (int64_t k = 0; k < m; k++)
                v[k * along] -= (float)(dot * u[k * along]);
        }
        double norm = 0;
        for (int64_t k = 0; k < m; k++)
            norm += (double)v[k * along] * v[k * along];
        for (int64_t k = 0; k < m; k++)
            v[k * along] = (float)(v[k * along] / sqrt(norm + 1e-30));
    }
    for (int64_t i = 0; i < rows * columns; i++)
        x[i] *= (float)gain;
}

static void fill(const struct slot *slot, float *x, uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, 0x1417000000000000u + (uint64_t)slot->index);
    const int64_t n = shape_size(slot->shape);
    struct init init = slot->init;
    if (init.kind == INIT_ORTHOGONAL)
        init.a = 0, init.b = 1;
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)draw(&r, init);
    if (slot->init.kind == INIT_ORTHOGONAL && slot->shape.rank >= 1)
        orthogonalise(x, slot->shape.dim[0], n / slot->shape.dim[0], slot->init.b);
}

void slots_settle(const struct slots *s)
{
    for (int i = 0; i < s->n; i++)
        s->slot[i]->settled = true;
}

void slots_fill(const struct slots *s, float *slab, uint64_t seed)
{
    memset(slab, 0, s->floats * sizeof *slab);
    slots_settle(s);
    for (int i = 0; i < s->n; i++) {
        struct slot *slot = s->slot[i];
        struct arena *a = arena_new(NULL);
        float *x = slot_layout(slot) ? NEW_ARRAY(a, float, shape_size(slot->shape))
                                     : slab + slot->offset;
        fill(slot, x, seed);
        if (slot_layout(slot))
            slot_put(slot, slab, x);
        else
            put_packed(slot, slab, x);
        arena_free(a);
    }
}
