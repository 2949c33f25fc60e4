// What becomes of a reorder whose source is a slot. Weights are read in two layouts: oneDNN's data
// gradient wants its blocks of the other channel inside, and products of bfloat16 want theirs rounded
// as well. So such a slot gets a packed copy, a second copy that lies, and is rounded, as that reader wants,
// and the reorder becomes a read of it. The optimizer writes both
// in one pass over memory (kernels/kernel_update.c), and so does whatever else sets the slot, from
// inside (effects) or outside (slot_put): a packed copy is never older than its slot, and no state of its
// own.
//
// A packed copy is overwritten when its slot is. So reading it is an alias of the version, and the law of
// versions (ir/verify.c) is the packed copy's as well: what reads the weights of before the update
// stands before it. A reorder was a copy, and could be read later; but its readers are those that
// read the version before the layout pass, and stood there already.
//
// An effect writes a packed copy only where the version that it makes is read so, or is the last one: that
// is never more often than a reorder would be run, but for one where nothing reads the first
// version.
//
// The simpler idea, a reorder behind the optimizer's step that is kept for the next iteration,
// reads memory again that has just been written, and has to be told when a checkpoint was loaded.
#include "codegen/compile.h"

#include "ir/build.h"
#include "ir/op.h"
#include "ir/slot.h"

// Moments and averages, which lie as their slot does, are read by its step and by samplers.
static bool may_be_packed(const struct value *v)
{
    const struct value *x = v->in[0];
    return x->attr.slot && !x->attr.slot->of && v->layout != LAYOUT_CHANNELS_LAST;
}

// What the host reads, it reads when the graph is through.
static bool reaches_host(const struct value *v)
{
    for (int i = 0; i < v->graph->n_root; i++) {
        const struct value *u = v->graph->root[i].value;
        while (u->op->flags & OP_ALIAS)
            u = u->in[0];
        if (u == v)
            return true;
    }
    return false;
}

static struct value *read_packed(struct value *v, void *context)
{
    (void)context;
    if (v->op != &op_reorder || !may_be_packed(v) || reaches_host(v) ||
        !slot_packed_made(v->in[0]->attr.slot, v->blocked, v->type))
        return NULL;
    struct value *t = packed_copy(v->in[0], v->attr.why);
    t->type = v->type;
    t->layout = v->layout;
    t->blocked = v->blocked;
    return t;
}

bool pass_packed_copy(struct graph *g) { return graph_rewrite(g, read_packed, NULL); }
