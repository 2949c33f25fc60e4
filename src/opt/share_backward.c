// One backward pass for two players. A critic's update goes back through it to its weights, a
// generator's to the picture, from D(fake) both; where the networks between are the same, the two
// gradients are the same linear maps of two beginnings. If one beginning is a number times the
// other (the minimax losses, Wasserstein), so is all that follows. If both are one number a sample,
// and no map couples samples, both gradients of a sample are that number times one and the same: so
// it is made once, from ones, and multiplied by each player's numbers where something else reads it.
// What is left of the second pass is the critic's weight gradients. The two read one D(fake) when
// their updates are simultaneous; a penalty on the slope at real pictures (r1) and the critic's own
// loss there do always.
//
// To take one player's gradient and multiply it by the ratio of the numbers would save a tensor or
// two, and fails where a number is zero: hinge, a saturated sigmoid.
//
// A chain is found from its beginning: two equal ops that differ in one operand, which qualifies;
// then, reader by reader, whatever goes on in the same way on both sides. Sums are links if all
// they add up is; batch statistics are not, where a number is a sample's. Where only one side goes
// on, to the picture, the numbers are multiplied in behind that if it is smaller there, or read by
// maps, with which opt/fuse.c does it for nothing. A weight gradient sums over samples, so its
// other operand may take the numbers instead, if that is smaller: a critic's picture is, beside its
// first layer.
//
// The same chain of the real batch is brought into the same form: alone it would lose by that, but
// opt/batch_siblings.c can then put both batches into one. Measured on dcgan64, both updates at once: 9 %
// of an iteration with a number for all, 7 % with one a sample; nothing where critics are small.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/build.h"
#include "ir/op.h"
#include "opt/alike.h"

#include <string.h>

// A number that is written for the sake of this, or multiplied on the way, is charged as so many
// multiply-adds.
enum { WRITE_COST = 32, MAP_COST = 2, SIDES = 2 };

// What a side is of what is made once: a number, or `by` it.
struct factor {
    double number;
    struct value *by; // NULL; else one number a sample
};

struct share_backward_chain {
    bool by_sample;
    struct value *of; // what the beginning made once is a number times; NULL: of ones
    double number;
    struct factor factor[SIDES];
};

// What both sides make, or only one. The first link of a chain is its beginning, which stays.
struct link {
    struct share_backward_chain *chain;
    struct value *side[SIDES];
    struct link **from; // by input: the link it is, or NULL; of a beginning NULL
    struct value *once;
};

// A weight gradient that reads what is made once, and whose other operand takes the numbers.
struct shift {
    struct link *from; // NULL: it stays
    int input, side;
};

struct share_backward_search {
    struct graph *g;
    struct arena *arena;
    struct readers readers;
    struct link **link;  // by id
    struct shift *shift; // by id
    struct link **found;
    int n_found;
};

// --- linear maps ---------------------------------------------------------------------------------

static bool keeps_samples(const struct value *v, unsigned inputs)
{
    ASSERT(v->n_in < 32);
    for (int i = 0; i < v->n_in; i++)
        if ((inputs >> i & 1) && batch_role(v, i) != BATCH_EACH)
            return false;
    return true;
}

static bool goes_through(const struct share_backward_chain *c, const struct value *v,
                         unsigned inputs)
{
    return v->n_in < 32 && linear_in(v, inputs) && (!c->by_sample || keeps_samples(v, inputs));
}

// --- beginnings ----------------------------------------------------------------------------------

// x = number·of in another shape, as far as can be seen; of is NULL where x is a number everywhere.
struct multiple {
    double number;
    struct value *of;
};

static struct multiple multiple_of(struct value *x)
{
    double number = 1;
    for (; x->op == &op_reshape || (is_pointwise(x, PW_AFFINE) && x->attr.number[1] == 0);
         x = x->in[0])
        number *= x->op == &op_reshape ? 1 : x->attr.number[0];
    if (is_constant(x))
        return (struct multiple){number * x->attr.number[0], NULL};
    return (struct multiple){number, x};
}

// What has one row is more often a vector of power iteration than a batch of one.
static bool number_a_sample(const struct value *x)
{
    return x->shape.rank > 0 && x->shape.dim[0] > 1 && shape_size(x->shape) == x->shape.dim[0];
}

static struct factor share_backward_factor_of(struct value *x)
{
    const struct multiple m = multiple_of(x);
    return m.of ? (struct factor){1, x} : (struct factor){m.number, NULL};
}

// The chain that begins with x on one side and y on the other; false where there is none.
static bool share_backward_chain_of(struct value *x, struct value *y,
                                    struct share_backward_chain *c)
{
    const struct multiple m = multiple_of(x), n = multiple_of(y);
    if (m.of == n.of && m.number != 0 && n.number != 0) {
        *c = (struct share_backward_chain){
            .of = m.of, .number = m.number, .factor = {{1}, {n.number / m.number}}};
        return true;
    }
    *c = (struct share_backward_chain){
        .by_sample = true,
        .number = 1,
        .factor = {share_backward_factor_of(x), share_backward_factor_of(y)}};
    return number_a_sample(x) && number_a_sample(y);
}

// The only input in which a and b differ; −1.
static int differs(const struct value *a, const struct value *b)
{
    int at = -1;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i]) {
            if (at >= 0)
                return -1;
            at = i;
        }
    return at;
}

static bool worth_beginning(const struct value *v, int i)
{
    return reads_weights(v) || shape_size(v->shape) > shape_size(v->in[i]->shape);
}

// --- links ---------------------------------------------------------------------------------------

static struct link *add_link(struct share_backward_search *s, struct share_backward_chain *c,
                             struct value *a, struct value *b)
{
    ASSERT((a || b) && a != b && (!a || !b || shape_equal(a->shape, b->shape)));
    struct link *l = NEW(s->arena, struct link);
    *l = (struct link){.chain = c, .side = {a, b}};
    if (a)
        s->link[a->id] = l;
    if (b)
        s->link[b->id] = l;
    APPEND(s->arena, s->found, s->n_found, l);
    return l;
}

static struct link *share_backward_add_step(struct share_backward_search *s,
                                            struct share_backward_chain *c, struct value *a,
                                            struct value *b)
{
    struct link *l = add_link(s, c, a, b);
    l->from = NEW_ARRAY(s->arena, struct link *, (a ? a : b)->n_in + 1);
    return l;
}

// The link whose sides are x and y.
static struct link *link_at(const struct share_backward_search *s, const struct value *x,
                            const struct value *y)
{
    struct link *l = s->link[x->id];
    return l && l->side[0] == x && l->side[1] == y ? l : NULL;
}

static void join(struct share_backward_search *s, struct share_backward_chain *c, struct value *a,
                 struct value *b)
{
    unsigned inputs = 0;
    if (s->link[a->id] || s->link[b->id] || !alike(a, b))
        return;
    for (int i = 0; i < a->n_in && i < 32; i++)
        if (a->in[i] != b->in[i]) {
            if (!link_at(s, a->in[i], b->in[i]))
                return;
            inputs |= 1u << i;
        }
    if (!inputs || !goes_through(c, a, inputs))
        return;
    struct link *l = share_backward_add_step(s, c, a, b);
    for (int i = 0; i < a->n_in; i++)
        l->from[i] = inputs >> i & 1 ? link_at(s, a->in[i], b->in[i]) : NULL;
}

static void join_readers(struct share_backward_search *s, const struct link *l)
{
    const struct readers *r = &s->readers;
    const int a = l->side[0]->id, b = l->side[1]->id;
    for (int i = 0; i < r->n_user[a]; i++)
        for (int j = 0; j < r->n_user[b]; j++)
            join(s, l->chain, r->user[a][i], r->user[b][j]);
}

// A beginning of the chain of a and b, which are equal but for what they read; NULL.
static struct link *begin_at(struct share_backward_search *s, struct value *a, struct value *b)
{
    const int at = alike(a, b) ? differs(a, b) : -1;
    struct share_backward_chain c;
    if (at < 0 || at > 31 || !worth_beginning(a, at) ||
        !share_backward_chain_of(a->in[at], b->in[at], &c) || !goes_through(&c, a, 1u << at))
        return NULL;
    struct share_backward_chain *kept = NEW(s->arena, struct share_backward_chain);
    *kept = c;
    return add_link(s, kept, a->in[at], b->in[at]);
}

// --- what reads a side and is no link ------------------------------------------------------------

static bool map_like(const struct value *v)
{
    return v->op->flags & OP_POINTWISE || is_reduction(v);
}

// Which of u's inputs are v without being read as what is made once; as bits.
static unsigned share_backward_reads(const struct share_backward_search *s, const struct value *u,
                                     const struct value *v)
{
    const struct link *of = s->link[u->id];
    unsigned inputs = 0;
    for (int i = 0; i < u->n_in && i < 32; i++)
        if (u->in[i] == v && (!of || !of->from || !of->from[i]))
            inputs |= 1u << i;
    return inputs;
}

// The operand of a weight gradient that takes the numbers instead of v, being smaller; −1.
static int takes_instead(const struct share_backward_search *s, const struct value *u,
                         const struct value *v)
{
    const bool weight_gradient = u->op->flags & OP_PRODUCT && sums_batch(u);
    const int other = weight_gradient && u->in[0] == v ? 1 : 0;
    if (!weight_gradient || !s->link[v->id]->chain->by_sample || s->link[u->in[other]->id])
        return -1;
    return shape_size(u->in[other]->shape) < shape_size(v->shape) ? other : -1;
}

static bool unchanged(const struct factor *f) { return !f->by && f->number == 1; }

// What it costs that v is read by others than links, in multiply-adds.
static double share_backward_cost(const struct share_backward_search *s, const struct link *l,
                                  int side)
{
    const struct value *v = l->side[side];
    double mapped = 0, shifted = 0, whole = 0;
    if (!v || !l->from || unchanged(&l->chain->factor[side]))
        return 0;
    if (s->readers.is_root[v->id])
        whole = WRITE_COST * (double)shape_size(v->shape);
    for (int i = 0; i < s->readers.n_user[v->id]; i++) {
        const struct value *u = s->readers.user[v->id][i];
        const int other = takes_instead(s, u, v);
        if (!share_backward_reads(s, u, v))
            continue;
        if (map_like(u))
            mapped += MAP_COST * (double)shape_size(v->shape);
        else if (other >= 0)
            shifted += WRITE_COST * (double)shape_size(u->in[other]->shape);
        else
            whole = WRITE_COST * (double)shape_size(v->shape);
    }
    return mapped + shifted + whole;
}

static double cost_of(const struct share_backward_search *s, int side)
{
    double n = 0;
    for (int k = 0; k < s->n_found; k++)
        n += share_backward_cost(s, s->found[k], side);
    return n;
}

// --- where one side goes on alone ----------------------------------------------------------------

static bool read_by_maps(const struct share_backward_search *s, const struct value *v)
{
    bool all = !s->readers.is_root[v->id];
    for (int i = 0; all && i < s->readers.n_user[v->id]; i++)
        all = map_like(s->readers.user[v->id][i]);
    return all;
}

static void share_backward_go_on(struct share_backward_search *s, struct link *l, int side)
{
    const struct value *v = l->side[side];
    if (!v || !l->from || unchanged(&l->chain->factor[side]))
        return;
    for (int i = 0; i < s->readers.n_user[v->id]; i++) {
        struct value *u = s->readers.user[v->id][i];
        const unsigned inputs = share_backward_reads(s, u, v);
        if (s->link[u->id] || !reads_weights(u) || !goes_through(l->chain, u, inputs) ||
            (!read_by_maps(s, u) && shape_size(u->shape) >= shape_size(v->shape)))
            continue;
        struct link *next = share_backward_add_step(s, l->chain, side ? NULL : u, side ? u : NULL);
        next->from[inputs >> 1] = l;
    }
}

// --- the same chain of another batch -------------------------------------------------------------

// Whether v is the op of l with the same weights; what it reads for the chain is another question.
static bool share_backward_fits(const struct share_backward_search *s, const struct link *l,
                                const struct value *v)
{
    const struct value *a = l->side[0];
    if (s->link[v->id] || !alike(a, v))
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (!l->from[i] && batch_role(a, i) == BATCH_SHARED && a->in[i] != v->in[i])
            return false;
    return true;
}

static bool reads_packed(const struct link *l, const struct value *v,
                         struct link *const *packed_copy)
{
    for (int i = 0; i < v->n_in; i++) {
        const struct link *t = l->from[i] ? packed_copy[l->from[i]->side[0]->id] : NULL;
        if (l->from[i] && (!t || t->side[0] != v->in[i]))
            return false;
    }
    return true;
}

// The value of the other batch beside l.
static struct value *share_backward_beside(const struct share_backward_search *s,
                                           const struct link *l, struct link *const *packed_copy)
{
    for (int i = 0; i < l->side[0]->n_in; i++) {
        const struct link *t = l->from[i] ? packed_copy[l->from[i]->side[0]->id] : NULL;
        for (int j = 0; t && j < s->readers.n_user[t->side[0]->id]; j++) {
            struct value *u = s->readers.user[t->side[0]->id][j];
            if (share_backward_fits(s, l, u) && reads_packed(l, u, packed_copy))
                return u;
        }
    }
    return NULL;
}

// Follows the first n links from x on, with which another batch begins.
static void follow(struct share_backward_search *s, int n, struct value *x)
{
    struct link **packed_copy = NEW_ARRAY(s->arena, struct link *, s->g->n + 1);
    struct share_backward_chain *c = NEW(s->arena, struct share_backward_chain);
    *c = (struct share_backward_chain){.by_sample = true, .number = 1, .factor = {{1, x}}};
    packed_copy[s->found[0]->side[0]->id] = add_link(s, c, x, NULL);
    for (int k = 1; k < n; k++) {
        const struct link *l = s->found[k];
        struct value *u = l->side[0] && l->side[1] ? share_backward_beside(s, l, packed_copy)
                                                   : NULL;
        if (!u)
            continue;
        struct link *t = packed_copy[l->side[0]->id] = share_backward_add_step(s, c, u, NULL);
        for (int i = 0; i < u->n_in; i++)
            t->from[i] = l->from[i] ? packed_copy[l->from[i]->side[0]->id] : NULL;
    }
}

static bool has_weight_gradient(const struct share_backward_search *s, const struct value *v)
{
    for (int i = 0; v && i < s->readers.n_user[v->id]; i++)
        if (sums_batch(s->readers.user[v->id][i]) && !map_like(s->readers.user[v->id][i]))
            return true;
    return false;
}

static bool trains(const struct share_backward_search *s, int from)
{
    for (int k = from; k < s->n_found; k++)
        if (has_weight_gradient(s, s->found[k]->side[0]) ||
            has_weight_gradient(s, s->found[k]->side[1]))
            return true;
    return false;
}

static void unlink_from(struct share_backward_search *s, int from)
{
    for (int k = from; k < s->n_found; k++)
        for (int side = 0; side < SIDES; side++)
            if (s->found[k]->side[side])
                s->link[s->found[k]->side[side]->id] = NULL;
    s->n_found = from;
}

// What another batch's chain beside l would begin with, where v is its first op; NULL.
static struct value *beginning_of(const struct share_backward_search *s, const struct link *l,
                                  const struct value *v)
{
    for (int i = 0; i < l->side[0]->n_in; i++)
        if (l->from[i] == s->found[0] && share_backward_fits(s, l, v)) {
            struct value *x = v->in[i];
            return !s->link[x->id] && number_a_sample(x) && multiple_of(x).of ? x : NULL;
        }
    return NULL;
}

// Chains with the same weights that begin with one number a sample too, and end in weight
// gradients.
static void follow_others(struct share_backward_search *s)
{
    const int n = s->n_found;
    if (n < 2 || !s->found[0]->chain->by_sample || !trains(s, 0))
        return;
    for (int i = 0; i < s->g->n; i++) {
        const int before = s->n_found;
        struct value *x = beginning_of(s, s->found[1], s->g->value[i]);
        if (!x)
            continue;
        follow(s, n, x);
        if (!trains(s, before + 1))
            unlink_from(s, before);
    }
}

// --- whether it pays -----------------------------------------------------------------------------

static double saved(const struct share_backward_search *s)
{
    double n = 0;
    for (int k = 0; k < s->n_found; k++) {
        const struct value *a = s->found[k]->side[0], *b = s->found[k]->side[1];
        if (a && b && a->op->multiply_adds)
            n += a->op->multiply_adds(a);
    }
    return n;
}

// Where one side is a number times the other, the one that is read more stays as it is.
static void choose_base(struct share_backward_search *s, struct share_backward_chain *c)
{
    const double second = cost_of(s, 1), ratio = c->factor[1].number;
    const struct share_backward_chain first = *c;
    if (c->by_sample)
        return;
    *c = (struct share_backward_chain){
        .of = c->of, .number = c->number * ratio, .factor = {{1 / ratio, NULL}, {1, NULL}}};
    if (cost_of(s, 0) >= second)
        *c = first;
}

static double gain(const struct share_backward_search *s)
{
    return saved(s) - cost_of(s, 0) - cost_of(s, 1);
}

// --- rewriting -----------------------------------------------------------------------------------

static struct value *share_backward_now(struct value *v) { return v->replaced ? v->replaced : v; }

static struct value *scaled(struct value *x, const struct factor *f)
{
    ASSERT(!f->by || number_a_sample(f->by));
    struct shape one = {.rank = x->shape.rank, .dim = {1, 1, 1, 1, 1, 1}};
    one.dim[0] = x->shape.dim[0];
    if (f->by)
        return mul(x, reshape(share_backward_now(f->by), one));
    return f->number == 1 ? x : affine(x, f->number, 0);
}

// What both sides make; of a beginning, where the first that reads it stands.
static struct value *once(struct link *l)
{
    const struct share_backward_chain *c = l->chain;
    const struct value *x = l->side[0];
    if (!l->once)
        l->once = c->of ? reshape(affine(share_backward_now(c->of), c->number, 0), x->shape)
                        : constant(x->graph, c->number, x->shape);
    return l->once;
}

static struct value *share_backward_make(const struct share_backward_search *s,
                                         const struct link *l, const struct value *v)
{
    struct value **in = NEW_ARRAY(s->arena, struct value *, v->n_in + 1);
    for (int i = 0; i < v->n_in; i++)
        in[i] = l->from[i] ? once(l->from[i]) : v->in[i];
    return graph_add(v->graph, v->op, v->shape, v->n_in, in, v->attr);
}

static struct value *shifted(const struct value *u, const struct shift *to)
{
    struct value *in[2];
    in[to->input] = once(to->from);
    in[1 - to->input] = scaled(u->in[1 - to->input], &to->from->chain->factor[to->side]);
    return graph_add(u->graph, u->op, u->shape, 2, in, u->attr);
}

static struct value *share_backward_rewrite(struct value *v, void *context)
{
    const struct share_backward_search *s = context;
    struct link *l = s->link[v->id];
    if (s->shift[v->id].from)
        return shifted(v, &s->shift[v->id]);
    if (!l || !l->from)
        return NULL;
    if (!l->once)
        l->once = share_backward_make(s, l, v);
    return scaled(l->once, &l->chain->factor[v == l->side[1]]);
}

static void plan_shifts(struct share_backward_search *s)
{
    for (int k = 0; k < s->n_found; k++)
        for (int side = 0; side < SIDES; side++) {
            struct link *l = s->found[k];
            const struct value *v = l->side[side];
            if (!v || !l->from || unchanged(&l->chain->factor[side]))
                continue;
            for (int i = 0; i < s->readers.n_user[v->id]; i++) {
                const struct value *u = s->readers.user[v->id][i];
                if (!s->link[u->id] && takes_instead(s, u, v) >= 0)
                    s->shift[u->id] = (struct shift){l, 1 - takes_instead(s, u, v), side};
            }
        }
}

// --- the pass ------------------------------------------------------------------------------------

static bool grow_from(struct share_backward_search *s, struct value *a, struct value *b)
{
    if (!begin_at(s, a, b))
        return false;
    for (int k = 0; k < s->n_found; k++)
        join_readers(s, s->found[k]);
    choose_base(s, s->found[0]->chain);
    for (int k = 0; k < s->n_found; k++)
        for (int side = 0; side < SIDES; side++)
            share_backward_go_on(s, s->found[k], side);
    follow_others(s);
    return true;
}

// Makes the chain once that is worth it most: two first ops are alike in more than one way, since
// the last layer of real and of fake is one map too.
static bool rewrite_one(struct share_backward_search *s)
{
    struct value *a = NULL, *b = NULL;
    double most = 0;
    int n;
    struct value **first = growing_values(s->g, s->arena, &n); // worth_beginning takes no other
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            if (grow_from(s, first[j], first[i])) {
                const double here = gain(s);
                if (here > most)
                    most = here, a = first[j], b = first[i];
                unlink_from(s, 0);
            }
    if (!a)
        return false;
    grow_from(s, a, b);
    plan_shifts(s);
    graph_rewrite(s->g, share_backward_rewrite, s);
    graph_drop_unneeded(s->g);
    return true;
}

bool pass_share_backward(struct graph *g)
{
    bool any = false, again = true;
    while (again) {
        struct arena *a = arena_new(NULL);
        struct share_backward_search s = {.g = g,
                                          .arena = a,
                                          .readers = readers_of(g, a),
                                          .link = NEW_ARRAY(a, struct link *, g->n + 1),
                                          .shift = NEW_ARRAY(a, struct shift, g->n + 1)};
        again = rewrite_one(&s);
        any |= again;
        arena_free(a);
    }
    return any;
}
