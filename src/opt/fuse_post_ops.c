// What stands behind a product whose own numbers nothing else reads, a bias, a factor, a
// tensor to be added, an activation, is done by the product before it writes its result: what would
// be written, read and written again is written once, and the numbers in between take no memory.
//
// The gradient of leaky_relu asks for the sign of what went in, which is that of what came out
// where the slope is not negative; so what takes nothing but signs, a step or one of a slice, is
// given the result. Those of tanh, a sigmoid and elu are made of results already.
//
// This is before fusion, where an activation is one value and not an instruction in each map that
// reads it. Fusion takes most of these steps for nothing, into maps that read the tensor anyway,
// and a product that has to do them has fewer registers for its sums. So how many of the steps a
// product is to do is asked (ir/choice.h), once for all of one shape and end.
#include "ir/post_ops.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/build.h"
#include "ir/choice.h"
#include "ir/machine.h"
#include "opt/pass.h"
#include "opt/region.h"

#include <inttypes.h>

// What reads a value: how many for more than its signs (a root is one), and the first of them; the
// first of those for its signs, 0: none.
struct reads {
    int n, signs;
    struct value *by;
};

// value[i] is what does step[i] of the post-op chain now.
struct fuse_post_ops_chain {
    struct value *product, *value[POST_OPS_MAX];
    struct post_ops post_ops;
};

struct fuse_post_ops_search {
    struct arena *arena;
    struct graph *graph;
    struct reads *reads;               // by id
    bool *taken;                       // by id: a step of some chain
    struct fuse_post_ops_chain **ends; // by id of its last value
};

// Back to front, so that it is known what is made of v.
static void look_at(const struct fuse_post_ops_search *s, struct value *v)
{
    const bool moves = v->op->flags & OP_MOVES,
               signs = is_pointwise(v, PW_STEP) || (moves && s->reads[v->id].n == 0);
    for (int i = 0; i < v->n_in; i++) {
        struct reads *r = &s->reads[v->in[i]->id];
        if (signs) {
            r->signs = v->id;
        } else {
            r->n++;
            r->by = v;
        }
    }
}

static void fuse_post_ops_look_through(const struct fuse_post_ops_search *s)
{
    const struct graph *g = s->graph;
    for (int i = 0; i < g->n_root; i++)
        s->reads[g->root[i].value->id].n++;
    for (int i = g->n - 1; i >= 0; i--)
        look_at(s, g->value[i]);
}

// --- chains --------------------------------------------------------------------------------------

static bool activates(const struct value *v)
{
    return is_pointwise(v, PW_LEAKY_RELU) || is_pointwise(v, PW_ELU) || is_pointwise(v, PW_TANH) ||
           is_pointwise(v, PW_SIGMOID);
}

// y, made of x, as a step; false where it is none.
static bool fuse_post_ops_step_of(struct value *y, const struct value *x, struct post_op *step)
{
    ASSERT(y != x);
    *step = (struct post_op){pointwise_of(y), y->attr.number[0], NULL};
    if (activates(y))
        return !is_pointwise(y, PW_LEAKY_RELU) || step->number >= 0;
    if (is_pointwise(y, PW_AFFINE))
        return y->attr.number[1] == 0;
    if (!is_pointwise(y, PW_ADD) || !shape_equal(x->shape, y->shape))
        return false;
    step->with = y->in[y->in[0] == x];
    return shape_equal(step->with->shape, y->shape) || post_op_is_bias(step, y->shape);
}

static bool reads_slot(const struct value *v, const struct slot *s)
{
    while (v->op->flags & OP_ALIAS)
        v = v->in[0];
    return v->attr.slot == s;
}

// Whether the product may be done at y's place: nothing that it reads is overwritten in between.
static bool may_wait(const struct fuse_post_ops_chain *c, const struct value *y)
{
    const struct graph *g = y->graph;
    for (int i = c->product->id; i < y->id; i++) {
        const struct value *v = g->value[i];
        bool read = false;
        for (int k = 0; k < c->product->n_in; k++)
            read |= reads_slot(c->product->in[k], v->attr.slot);
        for (int k = 0; k < c->post_ops.n; k++)
            read |= c->post_ops.step[k].with && reads_slot(c->post_ops.step[k].with, v->attr.slot);
        if ((v->op->flags & OP_EFFECT) && read)
            return false;
    }
    return true;
}

static bool fuse_post_ops_extend(const struct fuse_post_ops_search *s,
                                 struct fuse_post_ops_chain *c)
{
    ASSERT(c->product->op->flags & OP_POST_OPS && c->post_ops.n <= POST_OPS_MAX);
    const int n = c->post_ops.n;
    struct value *x = n ? c->value[n - 1] : c->product;
    const struct reads *r = &s->reads[x->id];
    if (n == POST_OPS_MAX || r->n != 1 || !r->by || s->taken[r->by->id] ||
        !(r->by->op->flags & OP_POINTWISE) ||
        !fuse_post_ops_step_of(r->by, x, &c->post_ops.step[n]))
        return false;
    if (r->signs && !(is_pointwise(r->by, PW_LEAKY_RELU) && r->signs > r->by->id))
        return false;
    c->value[n] = r->by;
    c->post_ops.n++;
    if (!may_wait(c, r->by)) {
        c->post_ops.n--;
        return false;
    }
    return !activates(r->by);
}

static struct fuse_post_ops_chain fuse_post_ops_chain_of(const struct fuse_post_ops_search *s,
                                                         struct value *product)
{
    struct fuse_post_ops_chain c = {.product = product};
    while (fuse_post_ops_extend(s, &c))
        ;
    while (c.post_ops.n && !s->graph->machine->post_ops_fit(product, &c.post_ops))
        c.post_ops.n--;
    return c;
}

// --- asking --------------------------------------------------------------------------------------

// "post-op chain bf16 matmul 64x784 512x784 to 64x512 a·bᵀ: bias, leaky_relu 0.2"
static const char *fuse_post_ops_key_of(const struct fuse_post_ops_search *s,
                                        const struct fuse_post_ops_chain *c, bool in_memory)
{
    const struct value *v = c->product;
    struct text t;
    text_init(&t);
    text_addf(&t, "post_ops%s %s", v->takes == TYPE_BF16 ? " bf16" : "", v->op->name);
    for (int i = 0; i < v->n_in; i++)
        for (int d = 0; d < v->in[i]->shape.rank; d++)
            text_addf(&t, "%s%" PRId64, d ? "x" : " ", v->in[i]->shape.dim[d]);
    for (int d = 0; d < v->shape.rank; d++)
        text_addf(&t, "%s%" PRId64, d ? "x" : " to ", v->shape.dim[d]);
    text_add(&t, " ");
    v->op->print(v, &t);
    text_add(&t, ": ");
    post_ops_text(&c->post_ops, v->shape, &t);
    text_add(&t, in_memory ? "" : ", for maps");
    const char *key = arena_strdup(s->arena, t.s);
    text_release(&t);
    return key;
}

static struct graph *fuse_post_ops_example(const struct question *q, struct arena *a)
{
    return region_graph(q->about, a);
}

// Whether something reads all of v and is no map that could compute it itself.
static bool read_as_it_is(const struct fuse_post_ops_search *s, const struct value *v)
{
    const struct graph *g = s->graph;
    for (int i = v->id + 1; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++)
            if (g->value[i]->in[j] == v && !(g->value[i]->op->flags & OP_POINTWISE) &&
                !is_reduction(g->value[i]))
                return true;
    return false;
}

// The product and all steps; nothing is taken to read what is between them.
static struct region region_of(const struct fuse_post_ops_search *s,
                               const struct fuse_post_ops_chain *c)
{
    bool *inside = NEW_ARRAY(s->arena, bool, s->graph->n + 1);
    enum region_read *read = NEW_ARRAY(s->arena, enum region_read, s->graph->n + 1);
    const struct value *last = c->product;
    inside[last->id] = true;
    for (int i = 0; i < c->post_ops.n; i++) {
        read[last->id] = REGION_NOT;
        last = c->value[i];
        inside[last->id] = true;
    }
    read[last->id] = read_as_it_is(s, last) ? REGION_AS_IT_IS : REGION_BY_MAPS;
    return (struct region){s->graph, inside, read};
}

// How many steps.
static int fuse_post_ops_ask(const struct fuse_post_ops_search *s,
                             const struct fuse_post_ops_chain *c)
{
    const int n = c->post_ops.n;
    const struct region r = region_of(s, c);
    const bool in_memory = r.read[c->value[n - 1]->id] == REGION_AS_IT_IS;
    struct question q = {.key = fuse_post_ops_key_of(s, c, in_memory),
                         .pass = "fuse_post_ops",
                         .example = fuse_post_ops_example,
                         .about = &r,
                         .n_axes = 1,
                         .n_options = n + 1,
                         .rule = {n},
                         .cold = true};
    int answer[CHOICE_AXES];
    for (int i = 0; i <= n; i++)
        q.option[i] = i;
    choose(s->graph, &q, answer);
    return answer[0];
}

static void fuse_post_ops_find(const struct fuse_post_ops_search *s, struct value *product)
{
    ASSERT(s->graph->machine);
    product->takes = s->graph->machine->product_takes(product);
    struct fuse_post_ops_chain c = fuse_post_ops_chain_of(s, product);
    if (c.post_ops.n == 0)
        return;
    c.post_ops.n = fuse_post_ops_ask(s, &c);
    for (int i = 0; i < c.post_ops.n; i++)
        s->taken[c.value[i]->id] = true;
    if (c.post_ops.n) {
        struct fuse_post_ops_chain *kept = NEW(s->arena, struct fuse_post_ops_chain);
        *kept = c;
        s->ends[c.value[c.post_ops.n - 1]->id] = kept;
    }
}

// --- rewriting -----------------------------------------------------------------------------------

static struct value *fuse_post_ops_rewrite(struct value *v, void *context)
{
    const struct fuse_post_ops_search *s = context;
    struct fuse_post_ops_chain *c = s->ends[v->id];
    if (!c)
        return NULL;
    const int n = c->post_ops.n;
    for (int i = 0; i < n; i++) {
        struct value *const with = c->post_ops.step[i].with;
        if (with && with->replaced)
            c->post_ops.step[i].with = with->replaced;
    }
    struct graph *g = s->graph;
    g->where = c->product->where;
    g->label = c->product->label;
    g->backward = c->product->backward;
    struct value *made = with_post_ops(c->product, &c->post_ops);
    // what reads this one now is for signs
    (n > 1 ? c->value[n - 2] : c->product)->replaced = made;
    return made;
}

bool pass_fuse_post_ops(struct graph *g)
{
    if (!g->machine)
        return false;
    struct arena *a = arena_new(NULL);
    const struct fuse_post_ops_search s = {a, g, NEW_ARRAY(a, struct reads, g->n + 1),
                                           NEW_ARRAY(a, bool, g->n + 1),
                                           NEW_ARRAY(a, struct fuse_post_ops_chain *, g->n + 1)};
    fuse_post_ops_look_through(&s);
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->op->flags & OP_POST_OPS)
            fuse_post_ops_find(&s, g->value[i]);
    const bool changed = graph_rewrite(g, fuse_post_ops_rewrite, (void *)&s);
    arena_free(a);
    if (changed)
        graph_drop_unneeded(g);
    return changed;
}
