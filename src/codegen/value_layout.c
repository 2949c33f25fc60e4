// An op that treats all elements alike does not care in which order memory has them, as long as its
// operands agree; one that works dimension by dimension, a matrix product for one, does not care in
// which order a dimension is. So a layout that permutes elements travels: from a convolution
// through flatten into the columns of a dense layer's weights, from oneDNN's weight gradients
// through their sum into the optimizer's step.
#include "codegen/value_layout.h"
#include "codegen/lowering.h"

#include "base/arena.h"
#include "ir/slot.h"

static const struct value_layout plain = {LAYOUT_PLAIN, NULL};

bool value_layout_equal(struct value_layout a, struct value_layout b)
{
    return a.layout == b.layout && a.blocked == b.blocked;
}

bool value_layout_is_plain(struct value_layout a) { return a.layout == LAYOUT_PLAIN; }

struct value_layout value_layout_of(const struct value *v)
{
    return (struct value_layout){v->layout, v->blocked};
}

struct value_layout slot_value_layout(const struct slot *s)
{
    const struct blocked_layout *l = slot_layout(s);
    if (l && !l->bytes && s->shape.rank == 4)
        return picture_layout(s->shape);
    return !l ? plain : (struct value_layout){l->bytes ? LAYOUT_BLOCKED : LAYOUT_TRANSPOSED, l};
}

const struct blocked_layout *layout_in_slot(struct shape s, struct value_layout a)
{
    return a.layout == LAYOUT_CHANNELS_LAST ? layout_transposed(s.dim[1], s.dim[2] * s.dim[3], 1)
                                            : a.blocked;
}

const char *value_layout_name(struct value_layout a)
{
    return a.blocked                          ? a.blocked->name
           : a.layout == LAYOUT_CHANNELS_LAST ? "channels-last"
                                              : "plain";
}

struct value_layout picture_layout(struct shape s)
{
    const bool differs = s.rank == 4 && s.dim[1] != 1 && s.dim[2] * s.dim[3] != 1;
    return (struct value_layout){differs ? LAYOUT_CHANNELS_LAST : LAYOUT_PLAIN, NULL};
}

// The dimension that is transposed; -1 where the shape has no such.
static int transposed_axis(struct shape s, const struct blocked_layout *t)
{
    const int64_t *dim = t->order.dim;
    int64_t inner = 1;
    for (int d = s.rank - 1; d >= 0 && s.rank != 4; inner *= s.dim[d--])
        if (inner == dim[3] && s.dim[d] == dim[1] * dim[2])
            return d;
    return -1;
}

static struct value_layout transposed_at(struct shape s, int d, const struct blocked_layout *like)
{
    ASSERT(d >= 0 && d < s.rank);
    int64_t inner = 1;
    for (int i = d + 1; i < s.rank; i++)
        inner *= s.dim[i];
    return (struct value_layout){LAYOUT_TRANSPOSED,
                                 layout_transposed(like->order.dim[1], like->order.dim[2], inner)};
}

struct value_layout value_layout_reshaped(struct value_layout a, struct shape from, struct shape to)
{
    ASSERT(shape_size(from) % shape_size(to) == 0 || shape_size(to) % shape_size(from) == 0);
    if (value_layout_is_plain(a) || shape_equal(from, to))
        return a;
    if (a.layout == LAYOUT_BLOCKED)
        return plain;
    const struct blocked_layout *t = a.layout == LAYOUT_TRANSPOSED
                                         ? a.blocked
                                         : layout_transposed(from.dim[1], from.dim[2] * from.dim[3],
                                                             1);
    const int64_t *dim = t->order.dim;
    if (to.rank == 4)
        return dim[3] == 1 && to.dim[1] == dim[1] && to.dim[2] * to.dim[3] == dim[2]
                   ? picture_layout(to)
                   : plain;
    return transposed_axis(to, t) < 0 ? plain : (struct value_layout){LAYOUT_TRANSPOSED, t};
}

// A dimension in another order.
static bool transposed_alike(const struct value *v, int known, const struct blocked_layout *t,
                             struct value_layout *of)
{
    int axis[64];
    const struct shape s = known < 0 ? v->shape : v->in[known]->shape;
    const int d = transposed_axis(s, t);
    if (d < 0 || v->n_in >= (int)LENGTH(axis) || !v->op->axis_rule(v, known, d, axis))
        return false;
    for (int i = 0; i <= v->n_in; i++)
        of[i] = axis[i] < 0 ? plain
                            : transposed_at((i < v->n_in ? v->in[i] : v)->shape, axis[i], t);
    return true;
}

// All elements in another order. Draws know theirs by their place in the shape.
static bool all_alike(const struct value *v, int known, struct value_layout a,
                      struct value_layout *of)
{
    const struct shape s = known < 0 ? v->shape : v->in[known]->shape;
    if (!lowering_has(v, RUNS_ANY_LAYOUT) || (v->op->flags & OP_SOURCE) || !a.blocked->dense)
        return false;
    for (int i = 0; i <= v->n_in; i++) {
        const struct value *other = i < v->n_in ? v->in[i] : v;
        const bool same = shape_equal(other->shape, s);
        if (other->type != TYPE_F32 || (!same && shape_size(other->shape) != 1))
            return false;
        of[i] = same ? a : plain;
    }
    return true;
}

bool value_layout_alike(const struct value *v, int known, struct value_layout a,
                        struct value_layout *of)
{
    ASSERT(known >= -1 && known < v->n_in);
    if (!v->op->axis_rule || !a.blocked)
        return false;
    return a.layout == LAYOUT_TRANSPOSED ? transposed_alike(v, known, a.blocked, of)
                                         : all_alike(v, known, a, of);
}
