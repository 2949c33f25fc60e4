// Real and fake in one batch. Where a network treats each sample by itself, applying it to two
// batches with the same weights is applying it once to a batch twice as large: longer matrix
// products, half the calls, and one weight gradient where there were two and their sum.
//
// Two values that do the same op are a pair. A pair is found first at an op that reads weights
// (conv(real, w), conv(fake, w)) and then, neighbour by neighbour, wherever both sides go on in the
// same way: forwards through activations to the critic's answer, from the activations' slopes into
// the backward pass, and upwards from there to what the gradients begin with. Sides are joined by
// concat where they come in, and cut apart by slice where someone wants one of them alone. What
// sums over the batch (a weight gradient, a bias's) is a pair of another kind: it can only become
// the sum of both, so it is one only if nothing but that sum reads it. Batch statistics sum over
// the batch too, and are read by themselves: there the pairs end, with no rule about
// normalisation.
//
// Draws are not touched: a mask of each side stays a draw of its own, and both are joined.
//
// The order of the graph must allow it: what one side needs may stand behind what the other leads
// to. So values are first put into an order in which partners stand side by side, with reads of a
// slot's version before its overwriting; where there is none, nothing is done. And it must pay:
// what is joined and cut apart is copied, what is gained grows with the weights.
//
// Building the critic on both batches at once, in the model, is the simpler idea. It would have to
// know there which layers couple samples, would draw other masks, and would miss the pairs that
// only differentiation makes.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/alike.h"

#include <string.h>

struct pair;

// What a pair reads: another pair, one value for both, or two values to be joined.
struct batch_siblings_operand {
    struct pair *from;
    struct value *a, *b;
};

struct pair {
    struct value *a, *b;
    bool summed; // stands for a + b; else for the batch of a, then of b
    struct batch_siblings_operand *in;
    struct value *merged;
};

// An addition on the way to a sum: it adds up a pair, or adds one side to something else and is
// left out, or adds the other side and gets both.
struct sum {
    enum { NO_SUM, WHOLE, WITHOUT, WITH_BOTH } kind;
    int rest; // which input is something else
    struct pair *pair;
};

struct batch_siblings_search {
    struct graph *g;
    struct arena *arena;
    struct value ***user; // by id
    int *n_user;
    bool *is_root;
    bool *tried;
    struct pair **pair;  // by id: the one a value is in
    struct sum *sum;     // by id
    struct pair **found; // in order of finding
    int n_found;
};

// --- finding pairs -------------------------------------------------------------------------------

// The pair whose sides are x and y, in this order.
static struct pair *pair_at(const struct batch_siblings_search *s, const struct value *x,
                            const struct value *y)
{
    struct pair *p = s->pair[x->id];
    return p && p->a == x && p->b == y ? p : NULL;
}

static bool may_join(const struct batch_siblings_search *s, const struct value *x,
                     const struct value *y)
{
    const struct pair *p = pair_at(s, x, y);
    return p ? !p->summed : !s->pair[x->id] && !s->pair[y->id];
}

static bool may_pair(const struct batch_siblings_search *s, const struct value *a,
                     const struct value *b)
{
    if (!alike(a, b) || s->pair[a->id] || s->pair[b->id])
        return false;
    for (int i = 0; i < a->n_in; i++) {
        const enum batch_role r = sums_batch(a) ? BATCH_EACH : batch_role(a, i);
        if (r == BATCH_COUPLED || (r == BATCH_SHARED && a->in[i] != b->in[i]) ||
            (r == BATCH_EACH && !may_join(s, a->in[i], b->in[i])))
            return false;
    }
    return true;
}

static void add_pair(struct batch_siblings_search *s, struct value *a, struct value *b, bool summed)
{
    ASSERT(a != b && shape_equal(a->shape, b->shape));
    ASSERT(!s->pair[a->id] && !s->pair[b->id]);
    struct pair *p = NEW(s->arena, struct pair);
    *p = (struct pair){.a = a, .b = b, .summed = summed};
    s->pair[a->id] = s->pair[b->id] = p;
    APPEND(s->arena, s->found, s->n_found, p);
}

static void pair_users(struct batch_siblings_search *s, const struct pair *p)
{
    for (int i = 0; i < s->n_user[p->a->id]; i++)
        for (int j = 0; j < s->n_user[p->b->id]; j++) {
            struct value *a = s->user[p->a->id][i], *b = s->user[p->b->id][j];
            if (p->summed && linear_in(a, 1) && a->n_in == 1 && alike(a, b) && !s->pair[a->id] &&
                !s->pair[b->id])
                add_pair(s, a, b, true);
            else if (!p->summed && may_pair(s, a, b))
                add_pair(s, a, b, sums_batch(a));
        }
}

static void pair_inputs(struct batch_siblings_search *s, const struct pair *p)
{
    for (int i = 0; i < p->a->n_in; i++) {
        struct value *a = p->a->in[i], *b = p->b->in[i];
        if ((sums_batch(p->a) || batch_role(p->a, i) == BATCH_EACH) && !sums_batch(a) &&
            may_pair(s, a, b))
            add_pair(s, a, b, false);
    }
}

static bool batch_siblings_depends(const struct batch_siblings_search *s, const struct value *b,
                                   const struct value *a)
{
    bool *reached = NEW_ARRAY(s->arena, bool, b->id + 1);
    reached[a->id] = true;
    for (int i = a->id + 1; i <= b->id; i++)
        for (int j = 0; j < s->g->value[i]->n_in; j++)
            reached[i] |= reached[s->g->value[i]->in[j]->id];
    return reached[b->id];
}

// An earlier value among those that read the same weights.
static struct value *seed_partner(struct batch_siblings_search *s, struct value *b)
{
    const struct value *w = reads_weights(b) && !s->tried[b->id] ? b->in[1] : NULL;
    for (int j = 0; w && j < s->n_user[w->id]; j++) {
        struct value *a = s->user[w->id][j];
        if (a->id < b->id && reads_weights(a) && !s->tried[a->id] && a->in[0] != b->in[0] &&
            may_pair(s, a, b) && !batch_siblings_depends(s, b, a))
            return a;
    }
    return NULL;
}

static bool seed(struct batch_siblings_search *s)
{
    for (int i = 0; i < s->g->n; i++) {
        struct value *a = seed_partner(s, s->g->value[i]);
        if (!a)
            continue;
        add_pair(s, a, s->g->value[i], false);
        return true;
    }
    return false;
}

// The addition that alone reads v, if that is so and it has no other part in this yet.
static struct value *batch_siblings_adds(const struct batch_siblings_search *s,
                                         const struct value *v)
{
    struct value *u = s->n_user[v->id] == 1 && !s->is_root[v->id] ? s->user[v->id][0] : NULL;
    return u && is_pointwise(u, PW_ADD) && u->in[0] != u->in[1] &&
                   shape_equal(u->in[0]->shape, u->in[1]->shape)
               ? u
               : NULL;
}

static bool leads_to(const struct batch_siblings_search *s, const struct value *from,
                     const struct value *to)
{
    while (from && from != to)
        from = batch_siblings_adds(s, from);
    return from;
}

static void mark_sum(struct batch_siblings_search *s, struct pair *p, const struct value *add,
                     const struct value *side, int kind)
{
    s->sum[add->id] = (struct sum){kind, add->in[0] == side, p};
}

// Whether both sides go into one sum, directly or beside other things.
static bool sums_up(struct batch_siblings_search *s, struct pair *p)
{
    const struct value *x = batch_siblings_adds(s, p->a), *y = batch_siblings_adds(s, p->b);
    if (!x || !y || s->sum[x->id].kind || s->sum[y->id].kind)
        return false;
    if (x == y) {
        mark_sum(s, p, x, p->a, WHOLE);
        return true;
    }
    const bool up = leads_to(s, x, y);
    if (!up && !leads_to(s, y, x))
        return false;
    mark_sum(s, p, x, p->a, up ? WITHOUT : WITH_BOTH);
    mark_sum(s, p, y, p->b, up ? WITH_BOTH : WITHOUT);
    return true;
}

static bool goes_on(const struct batch_siblings_search *s, const struct pair *p)
{
    const int a = p->a->id, b = p->b->id;
    if (s->n_user[a] != 1 || s->n_user[b] != 1 || s->is_root[a] || s->is_root[b])
        return false;
    const struct pair *next = pair_at(s, s->user[a][0], s->user[b][0]);
    return next && next->summed;
}

static void drop(struct batch_siblings_search *s, const struct pair *p)
{
    ASSERT(p->a && p->b);
    s->pair[p->a->id] = s->pair[p->b->id] = NULL;
    for (int i = 0; i < s->g->n; i++)
        if (s->sum[i].pair == p)
            s->sum[i] = (struct sum){0};
}

// A summed pair may stand if its sum is all that is read, now or after further linear ops. Pairs
// were found before their readers, so the list is gone through from its end; then from its
// beginning, since a linear op of a pair that fell has no sum to read.
static void drop_open_sums(struct batch_siblings_search *s)
{
    for (int k = s->n_found - 1; k >= 0; k--) {
        struct pair *p = s->found[k];
        if (p->summed && !goes_on(s, p) && !sums_up(s, p))
            drop(s, p);
    }
    for (int k = 0; k < s->n_found; k++) {
        struct pair *p = s->found[k];
        if (p->summed && !sums_batch(p->a) && !pair_at(s, p->a->in[0], p->b->in[0]))
            drop(s, p);
    }
}

static void keep_standing(struct batch_siblings_search *s)
{
    int n = 0;
    for (int k = 0; k < s->n_found; k++)
        if (s->pair[s->found[k]->a->id] == s->found[k])
            s->found[n++] = s->found[k];
    s->n_found = n;
}

static void read_operands(struct batch_siblings_search *s)
{
    for (int k = 0; k < s->n_found; k++) {
        struct pair *p = s->found[k];
        p->in = NEW_ARRAY(s->arena, struct batch_siblings_operand, p->a->n_in + 1);
        for (int i = 0; i < p->a->n_in; i++) {
            const bool shared = !p->summed && batch_role(p->a, i) == BATCH_SHARED;
            p->in[i] = (struct batch_siblings_operand){pair_at(s, p->a->in[i], p->b->in[i]),
                                                       p->a->in[i], shared ? NULL : p->b->in[i]};
        }
    }
}

// --- whether it pays -----------------------------------------------------------------------------

static bool same_constant(const struct value *a, const struct value *b)
{
    return is_constant(a) && is_constant(b) && a->attr.number[0] == b->attr.number[0];
}

// Numbers copied to bring in what no pair makes.
static double batch_siblings_joined(const struct pair *p)
{
    double n = 0;
    for (int i = 0; i < p->a->n_in; i++)
        if (!p->in[i].from && p->in[i].b && !same_constant(p->in[i].a, p->in[i].b))
            n += 2 * (double)shape_size(p->in[i].a->shape);
    return n;
}

static bool batch_siblings_inside(const struct batch_siblings_search *s, const struct value *user,
                                  const struct value *v)
{
    const struct pair *p = s->pair[user->id];
    bool all = p != NULL;
    for (int i = 0; all && i < user->n_in; i++)
        all = user->in[i] != v || p->in[i].from;
    return all;
}

// Numbers copied for what wants one side.
static double batch_siblings_cut(const struct batch_siblings_search *s, const struct value *v)
{
    bool wanted = s->is_root[v->id];
    for (int i = 0; i < s->n_user[v->id]; i++)
        wanted |= !batch_siblings_inside(s, s->user[v->id][i], v);
    return wanted ? (double)shape_size(v->shape) : 0;
}

// Weights that are read once instead of twice, sums that are not made.
static double gained(const struct pair *p)
{
    if (p->summed)
        return sums_batch(p->a) ? 2 * (double)shape_size(p->a->shape) : 0;
    return reads_weights(p->a) ? (double)shape_size(p->a->in[1]->shape) : 0;
}

static bool batch_siblings_pays(const struct batch_siblings_search *s)
{
    double gain = 0;
    for (int k = 0; k < s->n_found; k++) {
        const struct pair *p = s->found[k];
        gain += gained(p) - batch_siblings_joined(p);
        if (!p->summed)
            gain -= batch_siblings_cut(s, p->a) + batch_siblings_cut(s, p->b);
    }
    return gain > 0;
}

// --- an order in which partners stand side by side -----------------------------------------------

enum mark { UNSEEN, OPEN, PLACED };

struct order {
    const struct batch_siblings_search *s;
    enum mark *mark; // by id
    struct value **value;
    int n;
};

static bool batch_siblings_place(struct order *o, struct value *v);

// Who reads the version that an effect overwrites comes before it, through aliases too.
static bool place_readers(struct order *o, const struct value *version, const struct value *effect)
{
    for (int i = 0; i < o->s->n_user[version->id]; i++) {
        struct value *u = o->s->user[version->id][i];
        if (u == effect)
            continue;
        if (!batch_siblings_place(o, u) ||
            ((u->op->flags & OP_ALIAS) && !place_readers(o, u, effect)))
            return false;
    }
    return true;
}

static bool place_before(struct order *o, struct value *v)
{
    for (int i = 0; i < v->n_in; i++)
        if (!batch_siblings_place(o, v->in[i]))
            return false;
    return !(v->op->flags & OP_EFFECT) || place_readers(o, v->in[0], v);
}

static bool batch_siblings_place(struct order *o, struct value *v)
{
    const struct pair *p = o->s->pair[v->id];
    struct value *both[] = {p ? p->a : v, p ? p->b : NULL};
    if (o->mark[v->id] != UNSEEN)
        return o->mark[v->id] == PLACED;
    for (int i = 0; i < 2 && both[i]; i++)
        o->mark[both[i]->id] = OPEN;
    for (int i = 0; i < 2 && both[i]; i++)
        if (!place_before(o, both[i]))
            return false;
    for (int i = 0; i < 2 && both[i]; i++) {
        o->mark[both[i]->id] = PLACED;
        o->value[o->n++] = both[i];
    }
    return true;
}

// Renumbers the graph, or leaves it and returns false.
static bool reorder_graph(struct batch_siblings_search *s)
{
    struct graph *g = s->g;
    struct order o = {s, NEW_ARRAY(s->arena, enum mark, g->n + 1),
                      NEW_ARRAY(s->arena, struct value *, g->n + 1), 0};
    struct pair **pair = NEW_ARRAY(s->arena, struct pair *, g->n + 1);
    struct sum *sum = NEW_ARRAY(s->arena, struct sum, g->n + 1);
    for (int i = 0; i < g->n; i++)
        if (!batch_siblings_place(&o, g->value[i]))
            return false;
    for (int i = 0; i < g->n; i++) {
        pair[i] = s->pair[o.value[i]->id];
        sum[i] = s->sum[o.value[i]->id];
    }
    for (int i = 0; i < g->n; i++) {
        g->value[i] = o.value[i];
        g->value[i]->id = i;
    }
    s->pair = pair;
    s->sum = sum;
    return true;
}

// --- merging -------------------------------------------------------------------------------------

static struct value *batch_siblings_now(struct value *v) { return v->replaced ? v->replaced : v; }

static struct value *batch_siblings_operand(const struct batch_siblings_operand *x)
{
    if (x->from)
        return x->from->merged;
    if (!x->b)
        return batch_siblings_now(x->a);
    if (same_constant(x->a, x->b)) {
        struct shape shape = x->a->shape;
        shape.dim[0] *= 2;
        return constant(x->a->graph, x->a->attr.number[0], shape);
    }
    return concat((struct value *[]){batch_siblings_now(x->a), batch_siblings_now(x->b)}, 2, 0);
}

static struct value *batch_siblings_merge(const struct batch_siblings_search *s,
                                          const struct pair *p)
{
    ASSERT(alike(p->a, p->b));
    const struct value *v = p->a;
    struct value **in = NEW_ARRAY(s->arena, struct value *, v->n_in + 1);
    struct shape shape = v->shape;
    for (int i = 0; i < v->n_in; i++)
        in[i] = batch_siblings_operand(&p->in[i]);
    if (!p->summed)
        shape.dim[0] *= 2;
    return graph_add(v->graph, v->op, shape, v->n_in, in, v->attr);
}

static struct value *batch_siblings_rewrite(struct value *v, void *context)
{
    const struct batch_siblings_search *s = context;
    const struct sum *sum = &s->sum[v->id];
    struct pair *p = s->pair[v->id];
    if (sum->kind == WITHOUT)
        return v->in[sum->rest];
    if (sum->kind)
        return sum->kind == WHOLE ? sum->pair->merged : add(v->in[sum->rest], sum->pair->merged);
    if (!p)
        return NULL;
    if (!p->merged)
        p->merged = batch_siblings_merge(s, p);
    return p->summed ? p->merged
                     : slice(p->merged, 0, v == p->b ? v->shape.dim[0] : 0, v->shape.dim[0]);
}

// --- the pass ------------------------------------------------------------------------------------

static void batch_siblings_forget(struct batch_siblings_search *s)
{
    for (int k = 0; k < s->n_found; k++)
        s->tried[s->found[k]->a->id] = s->tried[s->found[k]->b->id] = true;
    memset(s->pair, 0, sizeof *s->pair * (size_t)s->g->n);
    memset(s->sum, 0, sizeof *s->sum * (size_t)s->g->n);
    s->n_found = 0;
    s->found = NULL;
}

// Merges the first set of pairs that can be and pays.
static bool merge_one(struct batch_siblings_search *s)
{
    while (seed(s)) {
        for (int k = 0; k < s->n_found; k++) {
            pair_users(s, s->found[k]);
            if (!s->found[k]->summed || sums_batch(s->found[k]->a))
                pair_inputs(s, s->found[k]);
        }
        struct value *first[] = {s->found[0]->a, s->found[0]->b};
        drop_open_sums(s);
        keep_standing(s);
        read_operands(s);
        if (batch_siblings_pays(s) && reorder_graph(s)) {
            graph_rewrite(s->g, batch_siblings_rewrite, s);
            graph_drop_unneeded(s->g);
            return true;
        }
        batch_siblings_forget(s);
        s->tried[first[0]->id] = s->tried[first[1]->id] = true;
    }
    return false;
}

bool pass_batch_siblings(struct graph *g)
{
    bool any = false, again = true;
    while (again) {
        struct arena *a = arena_new(NULL);
        const struct readers r = readers_of(g, a);
        struct batch_siblings_search s = {.g = g,
                                          .arena = a,
                                          .user = r.user,
                                          .n_user = r.n_user,
                                          .is_root = r.is_root,
                                          .tried = NEW_ARRAY(a, bool, g->n + 1),
                                          .pair = NEW_ARRAY(a, struct pair *, g->n + 1),
                                          .sum = NEW_ARRAY(a, struct sum, g->n + 1)};
        again = merge_one(&s);
        any |= again;
        arena_free(a);
    }
    return any;
}
