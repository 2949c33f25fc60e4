#include "ir/view.h"

#include "base/arena.h"

struct view view_of(const struct value *v)
{
    struct view w = {.rank = v->shape.rank, .type = v->type};
    const int64_t *d = v->shape.dim;
    if (v->layout == LAYOUT_BLOCKED && !v->blocked->dense)
        BUG("%%%d = %s lies as only oneDNN knows", v->id, v->op->name);
    for (int i = 0; i < w.rank; i++)
        w.dim[i] = d[i];
    shape_strides(v->shape, w.stride);
    if (v->layout == LAYOUT_CHANNELS_LAST) {
        w.stride[0] = d[1] * d[2] * d[3];
        w.stride[1] = 1;
        w.stride[2] = d[3] * d[1];
        w.stride[3] = d[1];
    }
    return w;
}

struct view view_broadcast(const struct value *v, struct shape to)
{
    struct view w = {.rank = to.rank, .type = v->type};
    if (v->shape.rank != to.rank && v->shape.rank != 0)
        BUG("%%%d = %s of rank %d does not repeat to rank %d", v->id, v->op->name, v->shape.rank,
            to.rank);
    const struct view own = view_of(v);
    for (int i = 0; i < to.rank; i++) {
        w.dim[i] = to.dim[i];
        w.stride[i] = own.rank == 0 || (own.dim[i] == 1 && to.dim[i] != 1) ? 0 : own.stride[i];
    }
    return w;
}
