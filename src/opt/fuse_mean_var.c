// A sum, and the sum of squares of what deviates from the mean that it gives, are read from memory
// at once: every normalisation begins with them. They are one value of two parts, which
// kernels/kernel_map.c works out in one pass.
//
// Σ x² − (Σ x)² / n would be one pass as well, of ordinary sums, and loses all digits where a mean
// is large beside its deviation.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/map_program.h"
#include "ir/op.h"

#include <math.h>

struct finding {
    struct value **sum;  // by id: of a sum of squares, the sum that gives the mean
    struct value **made; // by id: of a sum, both, …
    bool *wanted;        // … where something wants them
};

// s where v = Σ (x − s / n)², s = Σ x over the same axes; else NULL.
static struct value *fuse_mean_var_sum_beside(const struct value *v)
{
    if (v->op != &op_reduce_sum || !is_pointwise(v->in[0], PW_SQUARE) ||
        !is_pointwise(v->in[0]->in[0], PW_SUB))
        return NULL;
    const struct value *by = v->in[0]->in[0], *mean = by->in[1];
    if (!is_pointwise(mean, PW_AFFINE) || mean->attr.number[1] != 0)
        return NULL;
    struct value *s = mean->in[0];
    const double n = (double)shape_size(by->shape) / (double)shape_size(v->shape);
    const bool fits = s->op == &op_reduce_sum && s->in[0] == by->in[0] &&
                      s->attr.axes == v->attr.axes && fabs(mean->attr.number[0] * n - 1) < 1e-12;
    return fits ? s : NULL;
}

static struct value *fuse_mean_var_build(struct value *v, void *context)
{
    ASSERT(v->id >= 0);
    struct finding *f = context;
    struct value *s = f->sum[v->id] ? f->sum[v->id] : v;
    if (!f->wanted[s->id])
        return NULL;
    struct value *x = s->in[0];
    if (!f->made[s->id])
        f->made[s->id] = sum_var(x, (unsigned)s->attr.axes);
    return part_of(f->made[s->id], v != s, 2);
}

bool pass_fuse_mean_var(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    struct finding f = {NEW_ARRAY(a, struct value *, g->n + 1),
                        NEW_ARRAY(a, struct value *, g->n + 1), NEW_ARRAY(a, bool, g->n + 1)};
    for (int i = 0; i < g->n; i++) {
        f.sum[i] = fuse_mean_var_sum_beside(g->value[i]);
        if (f.sum[i])
            f.wanted[f.sum[i]->id] = true;
    }
    const bool changed = graph_rewrite(g, fuse_mean_var_build, &f);
    arena_free(a);
    if (changed)
        graph_drop_unneeded(g);
    return changed;
}
