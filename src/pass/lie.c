// An op that treats all elements alike does not care in which order memory has them, as long as its
// operands agree; one that works dimension by dimension, a matrix product for one, does not care in
// which order a dimension is. So a layout that permutes elements travels: from a convolution
// through flatten into the columns of a dense layer's weights, from oneDNN's weight gradients
// through their sum into the optimizer's step.
#include "pass/lie.h"

#include "base/arena.h"
#include "graph/slot.h"

static const struct lie plain = {LAYOUT_PLAIN, NULL};

bool lie_equal(struct lie a, struct lie b) { return a.layout == b.layout && a.opaque == b.opaque; }

bool lie_is_plain(struct lie a) { return a.layout == LAYOUT_PLAIN; }

struct lie lie_of(const struct value *v) { return (struct lie){v->layout, v->opaque}; }

struct lie lie_of_slot(const struct slot *s)
{
    const struct opaque_layout *l = slot_lies(s);
    if (l && !l->bytes && s->shape.rank == 4)
        return lie_of_picture(s->shape);
    return !l ? plain : (struct lie){l->bytes ? LAYOUT_OPAQUE : LAYOUT_TURNED, l};
}

const struct opaque_layout *lie_in_slot(struct shape s, struct lie a)
{
    return a.layout == LAYOUT_CHANNELS_LAST ? layout_turned(s.dim[1], s.dim[2] * s.dim[3], 1)
                                            : a.opaque;
}

const char *lie_name(struct lie a)
{
    return a.opaque ? a.opaque->name : a.layout == LAYOUT_CHANNELS_LAST ? "channels-last" : "plain";
}

struct lie lie_of_picture(struct shape s)
{
    const bool differs = s.rank == 4 && s.dim[1] != 1 && s.dim[2] * s.dim[3] != 1;
    return (struct lie){differs ? LAYOUT_CHANNELS_LAST : LAYOUT_PLAIN, NULL};
}

// The dimension that is turned; -1 where the shape has no such.
static int turned_axis(struct shape s, const struct opaque_layout *t)
{
    const int64_t *dim = t->order.dim;
    int64_t inner = 1;
    for (int d = s.rank - 1; d >= 0 && s.rank != 4; inner *= s.dim[d--])
        if (inner == dim[3] && s.dim[d] == dim[1] * dim[2])
            return d;
    return -1;
}

static struct lie turned_at(struct shape s, int d, const struct opaque_layout *like)
{
    int64_t inner = 1;
    for (int i = d + 1; i < s.rank; i++)
        inner *= s.dim[i];
    return (struct lie){LAYOUT_TURNED,
                        layout_turned(like->order.dim[1], like->order.dim[2], inner)};
}

struct lie lie_reshaped(struct lie a, struct shape from, struct shape to)
{
    if (lie_is_plain(a) || shape_equal(from, to))
        return a;
    if (a.layout == LAYOUT_OPAQUE)
        return plain;
    const struct opaque_layout *t = a.layout == LAYOUT_TURNED
                                        ? a.opaque
                                        : layout_turned(from.dim[1], from.dim[2] * from.dim[3], 1);
    const int64_t *dim = t->order.dim;
    if (to.rank == 4)
        return dim[3] == 1 && to.dim[1] == dim[1] && to.dim[2] * to.dim[3] == dim[2]
                   ? lie_of_picture(to)
                   : plain;
    return turned_axis(to, t) < 0 ? plain : (struct lie){LAYOUT_TURNED, t};
}

// A dimension in another order.
static bool turned_alike(const struct value *v, int known, const struct opaque_layout *t,
                         struct lie *of)
{
    int axis[64];
    const struct shape s = known < 0 ? v->shape : v->in[known]->shape;
    const int d = turned_axis(s, t);
    if (d < 0 || v->n_in >= (int)LENGTH(axis) || !v->op->same_axis(v, known, d, axis))
        return false;
    for (int i = 0; i <= v->n_in; i++)
        of[i] = axis[i] < 0 ? plain : turned_at((i < v->n_in ? v->in[i] : v)->shape, axis[i], t);
    return true;
}

// All elements in another order. Draws know theirs by their place in the shape.
static bool all_alike(const struct value *v, int known, struct lie a, struct lie *of)
{
    const struct shape s = known < 0 ? v->shape : v->in[known]->shape;
    if (!(v->op->flags & OP_ANY_LAYOUT) || (v->op->flags & OP_SOURCE) || !a.opaque->dense)
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

bool lie_alike(const struct value *v, int known, struct lie a, struct lie *of)
{
    if (!v->op->same_axis || !a.opaque)
        return false;
    return a.layout == LAYOUT_TURNED ? turned_alike(v, known, a.opaque, of)
                                     : all_alike(v, known, a, of);
}
