// One place that knows which ops couple the samples of a batch. An op that is not listed couples
// them, so that a new one is left alone until somebody has thought about it.
#include "opt/batch_role.h"

#include "base/arena.h"
#include "ir/op.h"

#include <string.h>

static enum role keeps(bool condition) { return condition ? BATCHED : NEITHER; }

enum role sample_role(const struct value *v, int i)
{
    const struct value *x = v->in[i];
    const int64_t *at = v->attr.i;
    if (!v->shape.rank || !x->shape.rank)
        return NEITHER;
    if (v->op == &op_conv || v->op == &op_conv_data_grad)
        return i ? SHARED : BATCHED;
    if (v->op == &op_matmul)
        return v->shape.rank == 3 ? BATCHED : at[0] ? NEITHER : i ? SHARED : BATCHED;
    if ((v->op->flags & OP_POINTWISE) || v->op == &op_broadcast)
        return x->shape.dim[0] == v->shape.dim[0] ? BATCHED : SHARED;
    if (v->op == &op_reshape)
        return keeps(x->shape.dim[0] == v->shape.dim[0]);
    if (v->op == &op_reduce_sum || v->op == &op_reduce_max)
        return keeps(!(at[0] & 1));
    if (v->op == &op_transpose || v->op == &op_pad)
        return keeps(at[0] == 0 && (v->op == &op_transpose || at[1] == 0));
    if (v->op == &op_slice || v->op == &op_concat)
        return keeps(at[0] != 0);
    return keeps(v->op == &op_upsample || v->op == &op_pool_sum);
}

bool sums_samples(const struct value *v)
{
    return v->op == &op_conv_weight_grad || (v->op == &op_reduce_sum && (v->attr.i[0] & 1)) ||
           (v->op == &op_matmul && v->shape.rank == 2 && v->attr.i[0] && !v->attr.i[1]);
}

bool alike(const struct value *a, const struct value *b)
{
    if (a == b || a->op != b->op || a->n_in != b->n_in || !shape_equal(a->shape, b->shape) ||
        memcmp(&a->attr, &b->attr, sizeof a->attr) || (a->op->flags & (OP_EFFECT | OP_SOURCE)))
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (!shape_equal(a->in[i]->shape, b->in[i]->shape))
            return false;
    return true;
}

struct readers readers_of(const struct graph *g, struct arena *a)
{
    const struct readers r = {NEW_ARRAY(a, struct value **, g->n + 1), NEW_ARRAY(a, int, g->n + 1),
                              NEW_ARRAY(a, bool, g->n + 1)};
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++) {
            const int id = g->value[i]->in[j]->id, n = r.n_user[id];
            if (!n || r.user[id][n - 1] != g->value[i])
                APPEND(a, r.user[id], r.n_user[id], g->value[i]);
        }
    for (int i = 0; i < g->n_root; i++)
        r.is_root[g->root[i].value->id] = true;
    return r;
}
