// Which values share memory, and where in the slab each lies.
//
// Values first become tenants: an alias lives with what it aliases, a pointwise op that reads a
// tensor for the last time writes over it, and a version of a slot lives in the slot. Each
// remaining tenant has a size and a stretch of the program, first write to last read, in which it
// must not be disturbed. Then, largest first, each takes the lowest offset where no tenant of an
// overlapping stretch lies: the large ones decide the slab's size, so they choose first, and the
// many small ones fit in the gaps they leave.
//
// What is there before the program and what is read after it (constants, inputs, roots) comes
// before all others and shares with nothing: the rest of the slab is of no use between two
// executions, and another program may have it meanwhile.
//
// The simpler idea, a free list walked in program order as malloc would do it, fails by
// fragmentation: it places a small tensor that lives long in the middle of what a large one will
// want.
#include "codegen/compile.h"

#include "base/arena.h"
#include "ir/op.h"

#include <stdlib.h>

enum { ALIGN = 64, FOREVER = 1 << 30 };

struct assign_memory_tenant {
    struct value *value;
    int from, to; // positions in the program, both included; to FOREVER: it stays
};

static bool assign_memory_has(const struct value *v, enum op_flag flag)
{
    return v->op->flags & (unsigned)flag;
}

static size_t bytes_of(const struct value *v)
{
    return v->layout == LAYOUT_BLOCKED ? v->blocked->bytes
                                       : type_bytes(v->type) * (size_t)shape_size(v->shape);
}

// The first offset after v that another tenant may have.
static size_t assign_memory_end_of(const struct value *v)
{
    return v->offset + (v->bytes + ALIGN - 1) / ALIGN * ALIGN;
}

// --- what shares ---------------------------------------------------------------------------------

// The last position at which each value's memory is read, by the value's id; later corrected for
// sharing.
static int *last_reads(const struct graph *g, struct arena *a)
{
    int *last = NEW_ARRAY(a, int, g->n + 1);
    for (int i = 0; i < g->n; i++) {
        last[i] = i;
        for (int j = 0; j < g->value[i]->n_in; j++)
            last[g->value[i]->in[j]->id] = i;
    }
    for (int i = 0; i < g->n_root; i++)
        last[g->root[i].value->id] = FOREVER;
    for (int i = g->n - 1; i >= 0; i--) {
        const struct value *v = g->value[i];
        if (assign_memory_has(v, OP_ALIAS) && last[v->in[0]->id] < last[i])
            last[v->in[0]->id] = last[i];
        if (assign_memory_has(v, OP_PINNED))
            last[i] = FOREVER;
    }
    return last;
}

static bool same_memory_order(const struct value *a, const struct value *b)
{
    return shape_equal(a->shape, b->shape) && a->layout == b->layout && a->blocked == b->blocked &&
           a->type == b->type;
}

// Whether v may write over x: nothing reads that memory after v, and v itself reads each element of
// it just before writing it.
static bool overwrites(const struct value *v, const struct value *x, const int *last)
{
    if (!x->storage || last[x->storage->id] > v->id || !same_memory_order(v, x))
        return false;
    for (int i = 0; i < v->n_in; i++)
        if (v->in[i]->storage == x->storage && !same_memory_order(v, v->in[i]))
            return false;
    return true;
}

// The value whose memory v has; NULL where it has its own.
static const struct value *lodges_with(const struct value *v, const int *last)
{
    if (assign_memory_has(v, OP_ALIAS))
        return v->in[0];
    if (assign_memory_has(v, OP_POINTWISE))
        for (int i = 0; i < v->n_in; i++)
            if (overwrites(v, v->in[i], last))
                return v->in[i];
    return NULL;
}

static void lodge(struct value *v, const int *last)
{
    const struct value *host = v->attr.slot ? NULL : lodges_with(v, last);
    v->storage = v->attr.slot ? NULL : host ? host->storage : v;
    v->shift = host ? host->shift : 0;
    if (v->op == &op_part)
        v->shift += (size_t)v->attr.part * bytes_of(v);
    v->bytes = v->storage == v ? bytes_of(v) : 0;
    v->offset = 0;
}

static void assign_memory_share(struct graph *g, int *last)
{
    for (int i = 0; i < g->n; i++) {
        struct value *v = g->value[i];
        lodge(v, last);
        if (v->storage && last[v->storage->id] < last[i])
            last[v->storage->id] = last[i];
    }
}

// --- where ---------------------------------------------------------------------------------------

static bool stays(const struct assign_memory_tenant *t) { return t->to == FOREVER; }

static int staying_then_larger_first(const void *a, const void *b)
{
    const struct assign_memory_tenant *x = a, *y = b;
    if (stays(x) != stays(y))
        return stays(y) - stays(x);
    if (x->value->bytes != y->value->bytes)
        return x->value->bytes < y->value->bytes ? 1 : -1;
    return x->value->id - y->value->id;
}

static bool meet(const struct assign_memory_tenant *a, const struct assign_memory_tenant *b)
{
    return a->from <= b->to && b->from <= a->to;
}

// The lowest offset at which t disturbs none of the n tenants already placed, which are kept in
// order of offset.
static size_t lowest(const struct assign_memory_tenant *t,
                     struct assign_memory_tenant *const *placed, int n)
{
    ASSERT(t->from <= t->to);
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        const struct value *other = placed[i]->value;
        if (!meet(t, placed[i]) || assign_memory_end_of(other) <= at)
            continue;
        if (other->offset >= at + t->value->bytes)
            break;
        at = assign_memory_end_of(other);
    }
    return at;
}

static void assign_memory_insert(struct assign_memory_tenant **placed, int n,
                                 struct assign_memory_tenant *t)
{
    while (n > 0 && placed[n - 1]->value->offset > t->value->offset) {
        placed[n] = placed[n - 1];
        n--;
    }
    placed[n] = t;
}

static int find_tenants(const struct graph *g, const int *last, struct assign_memory_tenant *tenant)
{
    int n = 0;
    for (int i = 0; i < g->n; i++) {
        struct value *v = g->value[i];
        if (v->storage == v)
            tenant[n++] = (struct assign_memory_tenant){v, last[i] == FOREVER ? 0 : i, last[i]};
    }
    return n;
}

size_t memory_plan(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    int *last = last_reads(g, a);
    assign_memory_share(g, last);
    struct assign_memory_tenant *tenant = NEW_ARRAY(a, struct assign_memory_tenant, g->n + 1);
    struct assign_memory_tenant **placed = NEW_ARRAY(a, struct assign_memory_tenant *, g->n + 1);
    const int n = find_tenants(g, last, tenant);
    size_t size = g->kept = 0;
    qsort(tenant, (size_t)n, sizeof *tenant, staying_then_larger_first);
    for (int i = 0; i < n; i++) {
        struct value *v = tenant[i].value;
        v->offset = lowest(&tenant[i], placed, i);
        assign_memory_insert(placed, i, &tenant[i]);
        if (assign_memory_end_of(v) > size)
            size = assign_memory_end_of(v);
        if (stays(&tenant[i]))
            g->kept = size;
    }
    arena_free(a);
    return size;
}

bool pass_assign_memory(struct graph *g)
{
    memory_plan(g);
    return true;
}
