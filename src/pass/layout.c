// Where values lie. oneDNN's convolutions are about twice as fast on channels-last activations as
// on plain ones, and want their weights in layouts of their own; everything that reshapes wants the
// plain order. So a rank-4 activation lies channels-last from convolution to convolution, weights
// pass through a reorder on their way in, weight gradients through one on their way out, and the
// rest of the program is plain.
//
// Two sweeps. Backwards: who is wanted channels-last? What a convolution reads, and, through the
// ops that take any layout, what those are made from: so the reorder lands before the upsampling,
// where the tensor is small, and not after. Forwards: each value takes its layout from that wish
// and from its inputs, and reorders are put in where an input lies differently from what the op
// takes. One reorder serves all readers that want the same. A tensor with one channel, or one
// pixel, is the same bytes in both layouts: it is called plain and never moved. No op is known here
// by name: flags and opaque_layout say it all, and an op that says nothing gets plain inputs.
//
// The simpler idea, reorders around each convolution and a later pass that cancels neighbours,
// fails at the pointwise ops in between: nothing cancels across a sum of a channels-last and a
// plain value unless somebody decides which of the two it is to be.
#include "pass/pass.h"

#include "base/arena.h"
#include "graph/build.h"

struct place_of {
    enum type type;
    enum layout layout;
    const struct opaque_layout *opaque;
};

// Reorders already made of one value.
struct made {
    struct value *value;
    struct made *next;
};

struct layouts {
    struct arena *arena;
    bool *wanted;          // channels-last, by the id before the pass
    struct made **made;    // by the position of the source after it
};

static bool has(const struct value *v, enum op_flag flag)
{
    return v->op->flags & (unsigned)flag;
}

// Whether the two layouts differ in memory.
static bool two_layouts(struct shape s)
{
    return s.rank == 4 && s.dim[1] != 1 && s.dim[2] * s.dim[3] != 1;
}

static const struct opaque_layout *opaque_of(const struct value *v, int i)
{
    return v->op->opaque_layout ? v->op->opaque_layout(v, i) : NULL;
}

// An alias that keeps the shape keeps the layout, whatever it is.
static bool passes_through(const struct value *v)
{
    return has(v, OP_ALIAS) && shape_equal(v->shape, v->in[0]->shape);
}

static void want_inputs(const struct value *v, bool *wanted)
{
    const bool any = has(v, OP_ANY_LAYOUT) || passes_through(v);
    for (int i = 0; i < v->n_in; i++) {
        if (any && wanted[v->id])
            wanted[v->in[i]->id] = true;
        if (has(v, OP_OPAQUE_OK) && !opaque_of(v, i))
            wanted[v->in[i]->id] = true;
    }
}

// The type of what v takes as input i, or makes.
static enum type type_at(const struct value *v, int i)
{
    if (i < 0)
        return has(v, OP_ALIAS) ? v->in[0]->type : v->type;
    if (has(v, OP_PRODUCT))
        return v->takes;
    return has(v, OP_READS_BF16) || has(v, OP_ALIAS) ? v->in[i]->type : TYPE_F32;
}

// What v takes as input i, or makes (i == -1), when it works channels-last or does not.
static struct place_of place_at(const struct value *v, int i, bool channels_last)
{
    const struct opaque_layout *o = opaque_of(v, i);
    const enum type type = type_at(v, i);
    if (o && !o->plain)
        return (struct place_of){type, LAYOUT_OPAQUE, o};
    const bool last = !o && channels_last && two_layouts(i < 0 ? v->shape : v->in[i]->shape);
    return (struct place_of){type, last ? LAYOUT_CHANNELS_LAST : LAYOUT_PLAIN, NULL};
}

static void put(struct value *v, struct place_of at)
{
    v->type = at.type;
    v->layout = at.layout;
    v->opaque = at.opaque;
}

static bool lies(const struct value *x, struct place_of at)
{
    return x->layout == at.layout && x->opaque == at.opaque && x->type == at.type;
}

// x, lying as `to` says.
static struct value *lying(struct layouts *l, struct value *x, struct place_of to)
{
    if (lies(x, to))
        return x;
    for (struct made *m = l->made[x->id]; m; m = m->next)
        if (lies(m->value, to))
            return m->value;
    struct made *m = NEW(l->arena, struct made);
    *m = (struct made){reorder(x, to.layout, to.opaque), l->made[x->id]};
    put(m->value, to);
    l->made[x->id] = m;
    return m->value;
}

// Convolutions do; an op of any layout does where that is wanted, or where an input would have to
// be turned round to do otherwise.
static bool works_channels_last(const struct value *v, bool wanted)
{
    if (!has(v, OP_ANY_LAYOUT))
        return has(v, OP_OPAQUE_OK);
    for (int i = 0; i < v->n_in; i++)
        wanted |= v->in[i]->layout == LAYOUT_CHANNELS_LAST;
    return wanted;
}

static struct value *lay(struct value *v, void *context)
{
    struct layouts *l = context;
    struct place_of out;
    if (passes_through(v)) {
        out = (struct place_of){v->in[0]->type, v->in[0]->layout, v->in[0]->opaque};
    } else {
        const bool last = works_channels_last(v, l->wanted[v->id]);
        out = place_at(v, -1, last);
        for (int i = 0; i < v->n_in; i++)
            v->in[i] = lying(l, v->in[i], place_at(v, i, last));
    }
    put(v, out);
    return NULL;
}

static void lay_roots(struct layouts *l, struct graph *g)
{
    for (int i = 0; i < g->n_root; i++)
        if (!has(g->root[i].value, OP_EFFECT))
            g->root[i].value = lying(l, g->root[i].value,
                                     (struct place_of){TYPE_F32, LAYOUT_PLAIN, NULL});
}

static bool laid_out(const struct graph *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->layout != LAYOUT_PLAIN)
            return true;
    return false;
}

bool pass_layout(struct graph *g)
{
    if (laid_out(g))
        return false;
    struct arena *a = arena_new(NULL);
    int room = g->n + g->n_root;
    for (int i = 0; i < g->n; i++)
        room += g->value[i]->n_in;
    struct layouts l = {a, NEW_ARRAY(a, bool, g->n + 1), NEW_ARRAY(a, struct made *, room + 1)};
    for (int i = g->n - 1; i >= 0; i--)
        want_inputs(g->value[i], l.wanted);
    graph_rewrite(g, lay, &l);
    lay_roots(&l, g);
    arena_free(a);
    return laid_out(g);
}
