// A convolution of few channels that a kernel of ours computes writes leaky_relu of its sums: what
// would be written, read and written again is written once. The gradient asks for the sign of a
// sum, and that of leaky_relu of it is the same where the slope is not negative; so those who read
// the sums may do that and nothing else. This is after fusion: a leaky_relu that is still by itself
// is read by something that is no map, a convolution as a rule.
//
// Whether it pays is no question: an example of it alone stays in the last cache, where a map costs
// half of what it does in an iteration. Doing the same inside minimal filtering, or by oneDNN's
// post-ops, was slower (src/ARCHITECTURE.md).
#include "pass/pass.h"

#include "base/arena.h"
#include "graph/build.h"
#include "graph/map.h"
#include "graph/op.h"

static bool is(const struct value *v, enum pointwise op) { return v->op == &op_pointwise[op]; }

// Whether v takes nothing but the sign of x.
static bool reads_sign(const struct value *v, const struct value *x)
{
    const struct map_program *p = map_program_of(v);
    if (!p || p->n == 0)
        return is(v, PW_STEP);
    for (int r = 0; r < p->n_result; r++)
        if (p->result[r] < p->n_in && v->in[p->result[r]] == x)
            return false;
    for (int k = 0; k < p->n_in; k++)
        for (int i = 0; v->in[k] == x && i < p->n; i++) {
            const struct map_inst *s = &p->inst[i];
            const int n = pointwise_operands(s->code);
            if (s->code != PW_STEP && (s->a == k || (n > 1 && s->b == k) || (n > 2 && s->c == k)))
                return false;
        }
    return true;
}

static bool activates(const struct value *v)
{
    return is(v, PW_LEAKY_RELU) && v->attr.f[0] >= 0 && v->type == TYPE_F32 &&
           conv_can_be_activated(v->in[0]);
}

// By id: the leaky_relu of a convolution that nobody else reads but for the sign, or NULL.
static const struct value **find(const struct graph *g, struct arena *a)
{
    const struct value **of = NEW_ARRAY(a, const struct value *, g->n + 1);
    bool *other = NEW_ARRAY(a, bool, g->n + 1);
    for (int i = 0; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++) {
            const struct value *v = g->value[i], *x = v->in[j];
            if (activates(v) && !of[x->id])
                of[x->id] = v;
            else if (!reads_sign(v, x))
                other[x->id] = true;
        }
    for (int i = 0; i < g->n_root; i++)
        other[g->root[i].value->id] = true;
    for (int i = 0; i < g->n; i++)
        of[i] = other[i] ? NULL : of[i];
    return of;
}

static struct value *rewrite(struct value *v, void *context)
{
    const struct value **of = context, *y = of[v->id];
    if (is(v, PW_LEAKY_RELU) && conv_slope(v->in[0]) == v->attr.f[0])
        return v->in[0];
    return y ? conv_activated(v, y->attr.f[0]) : NULL;
}

bool pass_activation(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    const bool changed = graph_rewrite(g, rewrite, find(g, a));
    arena_free(a);
    return changed;
}
