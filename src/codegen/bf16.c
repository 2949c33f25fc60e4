// Which products take their operands as bfloat16, and which values are therefore kept so.
//
// The processor multiplies bf16 twice as fast as float32 and memory holds it in half the room; what
// it lacks is digits (eight bits of them). So only what is multiplied is rounded, and rounded once:
// oneDNN adds up in float32, and weights, their gradients, sums, statistics, losses and optimizers
// stay as they are. A value that some product takes as bf16 is written as bf16 by what makes it,
// provided that all others that read it can; where one cannot, codegen/assign_layouts.c puts the rounding
// beside the reorder that the operand needs anyway (weights on their way into oneDNN's layout), or
// by itself. A product of so little work that rounding its operands costs more stays in float32; so
// does a weight gradient of small pictures, which oneDNN computes more slowly in bf16.
//
// Winograd's algorithm in blocks rounds for itself, after its transforms, and reads images of either
// type: it likes them as bf16, being half as much, but has none rounded for it.
//
// Casting each operand in front of each product, as automatic mixed precision does it elsewhere,
// reads and writes an activation once more than either precision does by itself.
#include "codegen/compile.h"
#include "codegen/lowering.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/post_ops.h"
#include "ir/op.h"

// What a product must do for each number that it causes to be rounded; the smallest picture of a
// weight gradient; how many channels are few.
enum { WORTH = 16, PIXELS = 64, FEW = 4 };

struct bf16_marks {
    bool *wanted, *refused; // as bf16, by the id of the value
};

static bool bf16_has(const struct value *v, enum op_flag flag)
{
    return v->op->flags & (unsigned)flag;
}

// oneDNN crops in no convolution: those are loops of ours.
static bool crops(const struct value *v)
{
    for (int side = 0; is_conv(v) && side < 4; side++)
        if (v->attr.conv.window.pad[side] < 0)
            return true;
    return false;
}

// Few channels are computed by loops of ours, as fast as they can be read.
static bool few(const struct value *v)
{
    const bool gradient = conv_is(v, CONV_WEIGHT_GRAD);
    return is_conv(v) && (v->shape.dim[1] <= FEW || (gradient && v->shape.dim[0] <= FEW));
}

static bool bf16_worth(const struct value *v)
{
    if (!bf16_has(v, OP_PRODUCT))
        return false;
    if (conv_is_winograd(v))
        return true;
    if (crops(v) || few(v))
        return false;
    const int64_t *picture = v->in[1]->shape.dim;
    if (conv_is(v, CONV_WEIGHT_GRAD) && picture[2] * picture[3] < PIXELS)
        return false;
    const int64_t rounded = shape_size(v->in[0]->shape) + shape_size(v->in[1]->shape);
    return v->op->multiply_adds(v) >= WORTH * (double)rounded;
}

enum type bf16_takes(const struct value *v)
{
    return v->graph->precision == TYPE_BF16 && bf16_worth(v) ? TYPE_BF16 : TYPE_F32;
}

// oneDNN rounds what it has multiplied, but only from operands that were.
static bool can_write(const struct value *v)
{
    return lowering_has(v, RUNS_WRITING_BF16) &&
           (!bf16_has(v, OP_PRODUCT) || (v->takes == TYPE_BF16 && !conv_is_winograd(v)));
}

// Blocks read images of either type, and weights of float32; what post-ops add is float32.
static void mark_winograd(const struct value *v, const struct bf16_marks *m)
{
    for (int i = 0; i < v->n_in; i++)
        (v->in[i] == conv_parts(v).w || i > 1 ? m->refused : m->wanted)[v->in[i]->id] = true;
}

static void mark_inputs(const struct value *v, const struct bf16_marks *m)
{
    if (conv_is_winograd(v)) {
        mark_winograd(v, m);
        return;
    }
    const int own = operands_before_post_ops(v);
    for (int i = 0; i < v->n_in; i++) {
        const int id = v->in[i]->id;
        if (bf16_has(v, OP_ALIAS)) {
            m->wanted[id] |= m->wanted[v->id];
            m->refused[id] |= m->refused[v->id];
        } else if (bf16_has(v, OP_PRODUCT) && i < own) {
            m->wanted[id] |= v->takes == TYPE_BF16;
            m->refused[id] |= v->takes != TYPE_BF16;
        } else {
            m->refused[id] |= !lowering_has(v, RUNS_READING_BF16) || i >= own;
        }
    }
}

bool pass_bf16(struct graph *g)
{
    if (g->precision != TYPE_BF16)
        return false;
    struct arena *a = arena_new(NULL);
    const struct bf16_marks m = {NEW_ARRAY(a, bool, g->n + 1), NEW_ARRAY(a, bool, g->n + 1)};
    bool any = false;
    for (int i = 0; i < g->n_root; i++)
        m.refused[g->root[i].value->id] = true;
    for (int i = g->n - 1; i >= 0; i--) {
        struct value *v = g->value[i];
        v->takes = bf16_takes(v);
        v->type = can_write(v) && m.wanted[i] && !m.refused[i] ? TYPE_BF16 : TYPE_F32;
        any |= v->takes == TYPE_BF16;
        mark_inputs(v, &m);
    }
    arena_free(a);
    return any;
}
