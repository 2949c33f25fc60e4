// Where values lie. oneDNN's convolutions are about twice as fast on channels-last activations as
// on plain ones, and want their weights in layouts of their own; the host reads and writes plain
// ones. So a rank-4 activation lies channels-last from convolution to convolution, and through
// flatten and reshape, transposed, into the dense layers beside them. Parameters live, with their
// moments and averages, between steps, in the layout that their gradient comes in, or else that
// most of the steps' reads want; where a reader wants another, a reorder is put in that says why,
// and of a parameter's codegen/packed_copy.c makes a second copy that is written with it. So a gradient's vote
// counts more than any number of readers': no copy helps what is made anew in each step.
//
// Three sweeps. Forwards: how will each value be made? Backwards: how is it wanted? By what a
// convolution reads, and, through the ops that take any layout, by what those are made from: so a
// reorder lands before the upsampling, where the tensor is small, and not after. Both again, since
// what is wanted so will be made so; wishes for what is a slot's are votes; and once more with the
// votes counted, since a parameter's layout is a wish for its gradient. Last, forwards: each value
// takes its layout from that wish and from its inputs, and reorders are put in where an input lies
// differently from what the op takes. One reorder serves all readers that want the same. A tensor
// with one channel, or one pixel, is the same bytes in both layouts: it is called plain and never
// moved. No op is known here by name: flags, blocked_layout and axis_rule say it all, and an op that
// says nothing gets plain inputs.
//
// The simpler idea, reorders around each convolution and a later pass that cancels neighbours,
// fails at the pointwise ops in between: nothing cancels across a sum of a channels-last and a
// plain value unless something decides which of the two it is to be.
#include "codegen/value_layout.h"
#include "codegen/lowering.h"
#include "codegen/compile.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/post_ops.h"
#include "ir/slot.h"

struct assign_layouts_place_of {
    enum type type;
    struct value_layout lie;
};

// Reorders already made of one value.
struct made {
    struct value *value;
    struct made *next;
};

// A reader's that would need no packed copy, a gradient's that would need no reorder, where the slot lies so.
enum weight { READ = 1, GRADIENT = 1 << 16 };
struct vote {
    struct value_layout lie;
    enum weight weight;
    int of; // the reader's version, or the gradient, by id
    struct vote *next;
};

struct layouts {
    struct arena *arena;
    struct value_layout *comes, *wish; // by the id before the pass
    struct vote **vote;                // by slot
    struct made **made;                // by the position of the source after it
    struct value_layout *of;           // of one op's operands
};

static const struct value_layout plain = {LAYOUT_PLAIN, NULL};

static bool assign_layouts_has(const struct value *v, enum op_flag flag)
{
    return v->op->flags & (unsigned)flag;
}

static const struct blocked_layout *blocked_of(const struct value *v, int i)
{
    const struct lowering *l = lowering_of(v->op);
    return l->blocked_layout ? l->blocked_layout(v, i) : NULL;
}

static bool any_picture(const struct value *v)
{
    return lowering_has(v, RUNS_ANY_LAYOUT) && v->shape.rank == 4;
}

// --- how it will be made -------------------------------------------------------------------------

static struct value_layout foreseen(const struct layouts *l, const struct value *v)
{
    if (v->attr.slot)
        return slot_value_layout(v->attr.slot);
    if (assign_layouts_has(v, OP_ALIAS))
        return value_layout_reshaped(l->comes[v->in[0]->id], v->in[0]->shape, v->shape);
    const struct blocked_layout *o = blocked_of(v, -1);
    if (o)
        return o->dense && !o->plain ? (struct value_layout){LAYOUT_BLOCKED, o} : plain;
    if (lowering_has(v, RUNS_BLOCKED))
        return picture_layout(v->shape);
    if (any_picture(v) && l->wish[v->id].layout == LAYOUT_CHANNELS_LAST)
        return picture_layout(v->shape);
    for (int i = 0; i < v->n_in; i++) {
        const struct value_layout in = l->comes[v->in[i]->id];
        if (in.layout == LAYOUT_CHANNELS_LAST && any_picture(v))
            return picture_layout(v->shape);
        if (value_layout_alike(v, i, in, l->of))
            return l->of[v->n_in];
    }
    return plain;
}

// --- how it is wanted ----------------------------------------------------------------------------

static void vote(struct layouts *l, const struct slot *s, struct value_layout lie,
                 enum weight weight, int of)
{
    ASSERT(s->index >= 0);
    for (const struct vote *v = l->vote[s->index]; v; v = v->next)
        if (v->of == of && value_layout_equal(v->lie, lie))
            return;
    struct vote *v = NEW(l->arena, struct vote);
    *v = (struct vote){lie, weight, of, l->vote[s->index]};
    l->vote[s->index] = v;
}

static void assign_layouts_ask(struct layouts *l, const struct value *x, struct value_layout lie)
{
    if (value_layout_is_plain(lie))
        return;
    if (value_layout_is_plain(l->wish[x->id]))
        l->wish[x->id] = lie;
    if (x->attr.slot)
        vote(l, x->attr.slot, lie, READ, x->id);
}

// The order in memory that v is wanted to make, or that an input will have.
static bool ask_alike(struct layouts *l, const struct value *v)
{
    bool alike = value_layout_alike(v, -1, l->wish[v->id], l->of);
    for (int i = 0; i < v->n_in && !alike; i++)
        alike = value_layout_alike(v, i, l->comes[v->in[i]->id], l->of);
    for (int i = 0; i < v->n_in && alike; i++)
        assign_layouts_ask(l, v->in[i], l->of[i]);
    return alike;
}

static void ask_weights(struct layouts *l, const struct value *v, int i)
{
    const struct blocked_layout *o = blocked_of(v, i);
    if (v->in[i]->attr.slot && !o->any && (o->plain || o->dense))
        vote(l, v->in[i]->attr.slot, o->plain ? plain : (struct value_layout){LAYOUT_BLOCKED, o},
             READ, v->in[i]->id);
}

// What makes the gradient of a slot, through sums that are not too deep, would like the slot to lie
// like it; `whole` is what would be reordered.
static void ask_gradient(struct layouts *l, const struct slot *s, const struct value *g,
                         const struct value *whole, int deep)
{
    const struct blocked_layout *o = blocked_of(g, -1);
    if (assign_layouts_has(g, OP_POINTWISE)) {
        for (int i = 0; i < g->n_in && deep > 0; i++)
            if (shape_equal(g->in[i]->shape, g->shape))
                ask_gradient(l, s, g->in[i], whole, deep - 1);
    } else if (o && !o->any && (o->plain || o->dense)) {
        vote(l, s, o->plain ? plain : (struct value_layout){LAYOUT_BLOCKED, o}, GRADIENT,
             whole->id);
    } else if (!o && !g->op->axis_rule && !assign_layouts_has(g, OP_ALIAS)) {
        vote(l, s, plain, GRADIENT, whole->id);
    } else if (!o && l->comes[g->id].layout == LAYOUT_TRANSPOSED) {
        vote(l, s, value_layout_reshaped(l->comes[g->id], g->shape, s->shape), GRADIENT, whole->id);
    }
}

static void ask_of_effect(struct layouts *l, const struct value *v)
{
    ASSERT(v->attr.slot);
    if (v->n_in == 1)
        return;
    assign_layouts_ask(
        l, v->in[1],
        value_layout_reshaped(slot_value_layout(v->attr.slot), v->shape, v->in[1]->shape));
    if (!v->in[1]->attr.slot)
        ask_gradient(l, v->attr.slot, v->in[1], v->in[1], 3);
}

// Weights seen in another shape have to lie plain.
static void ask_aliased(struct layouts *l, const struct value *v)
{
    const struct value *x = v->in[0];
    const struct value_layout wish = value_layout_reshaped(l->wish[v->id], v->shape, x->shape);
    assign_layouts_ask(l, x, wish);
    if (x->attr.slot && x->shape.rank == 4 && !shape_equal(x->shape, v->shape) &&
        value_layout_is_plain(wish))
        vote(l, x->attr.slot, plain, READ, x->id);
}

static void ask_inputs(struct layouts *l, const struct value *v)
{
    const bool last = l->wish[v->id].layout == LAYOUT_CHANNELS_LAST ||
                      l->comes[v->id].layout == LAYOUT_CHANNELS_LAST;
    if (assign_layouts_has(v, OP_EFFECT)) {
        ask_of_effect(l, v);
        return;
    }
    if (assign_layouts_has(v, OP_ALIAS)) {
        ask_aliased(l, v);
        return;
    }
    if (ask_alike(l, v))
        return;
    for (int i = 0; i < v->n_in; i++) {
        if (blocked_of(v, i))
            ask_weights(l, v, i);
        else if (lowering_has(v, RUNS_BLOCKED) || (last && any_picture(v)))
            assign_layouts_ask(l, v->in[i], picture_layout(v->in[i]->shape));
        else if (v->in[i]->attr.slot && !v->op->axis_rule)
            vote(l, v->in[i]->attr.slot, plain, READ, v->in[i]->id);
    }
}

static void assign_layouts_look_through(struct layouts *l, const struct graph *g)
{
    for (int i = 0; i < g->n; i++)
        l->comes[i] = foreseen(l, g->value[i]);
    for (int i = 0; i < g->n; i++)
        l->wish[i] = plain;
    for (int i = g->n - 1; i >= 0; i--)
        ask_inputs(l, g->value[i]);
}

// --- slots ---------------------------------------------------------------------------------------

static int assign_layouts_count(const struct vote *all, struct value_layout lie)
{
    int n = 0;
    for (; all; all = all->next)
        n += value_layout_equal(all->lie, lie) ? (int)all->weight : 0;
    return n;
}

// Plain where that is as good as any.
static void assign_layouts_settle(struct slot *s, const struct vote *all)
{
    struct value_layout best = plain;
    if (s->settled || s->of)
        return;
    for (const struct vote *v = all; v; v = v->next)
        if (assign_layouts_count(all, v->lie) > assign_layouts_count(all, best))
            best = v->lie;
    s->layout = layout_in_slot(s->shape, best);
}

static void settle_slots(const struct layouts *l, const struct graph *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->attr.slot)
            assign_layouts_settle(g->value[i]->attr.slot, l->vote[g->value[i]->attr.slot->index]);
}

// --- laying --------------------------------------------------------------------------------------

// The type of what v takes as input i, or makes.
static enum type type_at(const struct value *v, int i)
{
    if (i < 0)
        return assign_layouts_has(v, OP_ALIAS) ? v->in[0]->type : v->type;
    if (i >= operands_before_post_ops(v))
        return TYPE_F32;
    if (assign_layouts_has(v, OP_PRODUCT) && !conv_is_winograd(v))
        return v->takes;
    const bool any = lowering_has(v, RUNS_READING_BF16) || assign_layouts_has(v, OP_ALIAS) ||
                     conv_is_winograd(v);
    return any ? v->in[i]->type : TYPE_F32;
}

static struct value_layout assign_layouts_weights_at(const struct layouts *l, const struct value *v,
                                                     int i, const struct blocked_layout *o)
{
    if (!o->any)
        return o->plain ? plain : (struct value_layout){LAYOUT_BLOCKED, o};
    const struct value_layout now = i < 0 ? l->wish[v->id] : value_layout_of(v->in[i]);
    return now.layout == LAYOUT_BLOCKED && now.blocked->dense ? now : plain;
}

// What v takes as input i, or makes (i == -1), when it works channels-last or does not.
static struct assign_layouts_place_of place_at(const struct layouts *l, const struct value *v,
                                               int i, bool channels_last)
{
    const struct blocked_layout *o = blocked_of(v, i);
    const struct shape s = i < 0 ? v->shape : v->in[i]->shape;
    return (struct assign_layouts_place_of){type_at(v, i), o ? assign_layouts_weights_at(l, v, i, o)
                                                           : channels_last ? picture_layout(s)
                                                                           : plain};
}

static void assign_layouts_put(struct value *v, struct assign_layouts_place_of at)
{
    v->type = at.type;
    v->layout = at.lie.layout;
    v->blocked = at.lie.blocked;
}

static bool assign_layouts_lies(const struct value *x, struct assign_layouts_place_of at)
{
    return value_layout_equal(value_layout_of(x), at.lie) && x->type == at.type;
}

// "discriminator.3.weight lies ABcd16b16a, conv_data_grad takes ABcd16a16b"
static const char *why(const struct value *x, struct assign_layouts_place_of to, const char *reader)
{
    struct arena *a = x->graph->arena;
    const char *what = x->attr.slot ? x->attr.slot->name : x->op->name,
               *from = value_layout_name(value_layout_of(x)), *as = value_layout_name(to.lie);
    const bool padded = to.lie.layout == LAYOUT_BLOCKED && to.type == TYPE_F32 &&
                        !to.lie.blocked->dense;
    if (to.type != x->type)
        as = arena_printf(a, "%s, %s", to.type == TYPE_BF16 ? "bf16" : "float32", as);
    return arena_printf(a, "%s %s %s, %s takes %s%s", what, x->attr.slot ? "lies" : "makes", from,
                        reader, as, padded ? ", padded" : "");
}

// x, lying as `to` says.
static struct value *lying(struct layouts *l, struct value *x, struct assign_layouts_place_of to,
                           const char *reader)
{
    if (assign_layouts_lies(x, to))
        return x;
    for (struct made *m = l->made[x->id]; m; m = m->next)
        if (assign_layouts_lies(m->value, to))
            return m->value;
    if (x->layout == LAYOUT_TRANSPOSED && to.lie.layout == LAYOUT_TRANSPOSED &&
        x->blocked != to.lie.blocked)
        return lying(l, lying(l, x, (struct assign_layouts_place_of){x->type, plain}, reader), to,
                     reader);
    struct made *m = NEW(l->arena, struct made);
    *m = (struct made){reorder(x, why(x, to, reader)), l->made[x->id]};
    assign_layouts_put(m->value, to);
    l->made[x->id] = m;
    return m->value;
}

// Convolutions do; an op of any layout does where that is wanted, or where an input would have to
// be transposed to do otherwise.
static bool works_channels_last(const struct value *v, bool wanted)
{
    if (!lowering_has(v, RUNS_ANY_LAYOUT))
        return lowering_has(v, RUNS_BLOCKED);
    for (int i = 0; i < v->n_in; i++)
        wanted |= v->in[i]->layout == LAYOUT_CHANNELS_LAST;
    return wanted;
}

// Elements to be moved where v's operands lie like `of`, and the result as it is wanted.
static int64_t moved(const struct layouts *l, const struct value *v, const struct value_layout *of)
{
    const struct value_layout wish = l->wish[v->id];
    int64_t n = value_layout_is_plain(wish) || value_layout_equal(wish, of[v->n_in])
                    ? 0
                    : shape_size(v->shape);
    for (int i = 0; i < v->n_in; i++)
        if (!value_layout_equal(value_layout_of(v->in[i]), of[i]))
            n += shape_size(v->in[i]->shape);
    return n;
}

// Another order in memory, of an input or wanted, where v can work in it and that moves less than
// working in the shape's.
static bool works_alike(const struct layouts *l, const struct value *v)
{
    bool alike = false;
    for (int i = 0; i < v->n_in && !alike; i++)
        alike = value_layout_alike(v, i, value_layout_of(v->in[i]), l->of);
    alike = alike || value_layout_alike(v, -1, l->wish[v->id], l->of);
    const int64_t there = alike ? moved(l, v, l->of) : 0;
    struct value_layout *in_shape = l->of + v->n_in + 1;
    for (int i = 0; i <= v->n_in; i++)
        in_shape[i] = plain;
    return alike && there < moved(l, v, in_shape);
}

static void lay_alike(struct layouts *l, struct value *v)
{
    for (int i = 0; i < v->n_in; i++)
        v->in[i] = lying(l, v->in[i], (struct assign_layouts_place_of){type_at(v, i), l->of[i]},
                         v->op->name);
    assign_layouts_put(v, (struct assign_layouts_place_of){type_at(v, -1), l->of[v->n_in]});
}

// An effect works on the slot's memory, and on that of its moments, which lie alike. A gradient of
// another shape is seen as the slot's first.
static void lay_effect(struct layouts *l, struct value *v)
{
    ASSERT(v->attr.slot);
    const struct value_layout lie = slot_value_layout(v->attr.slot);
    for (int i = 0; i < v->n_in; i++) {
        const struct value *x = v->in[i];
        const struct value_layout as = i == EFFECT_NUMBERS
                                           ? plain
                                           : value_layout_reshaped(lie, v->shape, x->shape);
        if (x->attr.slot && i != 1 && !value_layout_equal(value_layout_of(x), lie))
            BUG("%%%d = %s: '%s' lies differently", v->id, v->op->name, x->attr.slot->name);
        if (value_layout_is_plain(as) && !value_layout_is_plain(lie) && i != EFFECT_NUMBERS)
            BUG("%%%d = %s mixes shapes that lie differently", v->id, v->op->name);
        v->in[i] = lying(l, v->in[i], (struct assign_layouts_place_of){TYPE_F32, as}, v->op->name);
    }
    assign_layouts_put(v, (struct assign_layouts_place_of){TYPE_F32, lie});
}

static void lay_alias(struct layouts *l, struct value *v)
{
    ASSERT(v->op->flags & OP_ALIAS);
    struct value *x = v->in[0];
    if (value_layout_is_plain(value_layout_reshaped(value_layout_of(x), x->shape, v->shape)))
        x = v->in[0] = lying(l, x, (struct assign_layouts_place_of){x->type, plain}, v->op->name);
    assign_layouts_put(v,
                       (struct assign_layouts_place_of){
                           x->type, value_layout_reshaped(value_layout_of(x), x->shape, v->shape)});
}

static struct value *assign_layouts_lay(struct value *v, void *context)
{
    struct layouts *l = context;
    if (assign_layouts_has(v, OP_EFFECT)) {
        lay_effect(l, v);
    } else if (assign_layouts_has(v, OP_ALIAS)) {
        lay_alias(l, v);
    } else if (v->attr.slot) {
        assign_layouts_put(
            v, (struct assign_layouts_place_of){v->type, slot_value_layout(v->attr.slot)});
    } else if (works_alike(l, v)) {
        lay_alike(l, v);
    } else {
        const bool last = works_channels_last(v, l->wish[v->id].layout == LAYOUT_CHANNELS_LAST);
        const struct assign_layouts_place_of out = place_at(l, v, -1, last);
        for (int i = 0; i < v->n_in; i++)
            v->in[i] = lying(l, v->in[i], place_at(l, v, i, last), v->op->name);
        assign_layouts_put(v, out);
    }
    return NULL;
}

static void lay_roots(struct layouts *l, struct graph *g)
{
    for (int i = 0; i < g->n_root; i++)
        if (!assign_layouts_has(g->root[i].value, OP_EFFECT))
            g->root[i].value = lying(l, g->root[i].value,
                                     (struct assign_layouts_place_of){TYPE_F32, plain}, "the host");
}

static bool laid_out(const struct graph *g)
{
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->layout != LAYOUT_PLAIN)
            return true;
    return false;
}

bool pass_assign_layouts(struct graph *g)
{
    if (laid_out(g))
        return false;
    struct arena *a = arena_new(NULL);
    int room = g->n + 2 * g->n_root, n_slots = 0, operands = 0;
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        room += 2 * v->n_in;
        operands = v->n_in > operands ? v->n_in : operands;
        n_slots = v->attr.slot && v->attr.slot->index >= n_slots ? v->attr.slot->index + 1
                                                                 : n_slots;
    }
    struct layouts l = {a,
                        NEW_ARRAY(a, struct value_layout, g->n + 1),
                        NEW_ARRAY(a, struct value_layout, g->n + 1),
                        NEW_ARRAY(a, struct vote *, n_slots + 1),
                        NEW_ARRAY(a, struct made *, room + 1),
                        NEW_ARRAY(a, struct value_layout, 2 * operands + 2)};
    assign_layouts_look_through(&l, g);
    assign_layouts_look_through(&l, g);
    settle_slots(&l, g);
    assign_layouts_look_through(&l, g);
    graph_rewrite(g, assign_layouts_lay, &l);
    lay_roots(&l, g);
    arena_free(a);
    return laid_out(g);
}
