// What stands behind a product and nobody else reads the numbers in front of, a bias, a factor, a
// tensor to be added, an activation, is done by the product before it writes its result: what would
// be written, read and written again is written once, and the numbers in between take no memory.
//
// The gradient of leaky_relu asks for the sign of what went in, which is that of what came out
// where the slope is not negative; so who takes nothing but signs, a step or one of a slice, is
// given the result. Those of tanh, a sigmoid and elu are made of results already.
//
// This is before fusion, where an activation is one value and not an instruction in each map that
// reads it. Fusion takes most of these steps for nothing, into maps that read the tensor anyway,
// and a product that has to do them has fewer registers for its sums. So how many of the steps a
// product is to do is asked (graph/choice.h), once for all of one shape and end.
#include "graph/epilogue.h"

#include "base/arena.h"
#include "base/text.h"
#include "graph/build.h"
#include "graph/choice.h"
#include "pass/pass.h"
#include "pass/region.h"

#include <inttypes.h>

// Who reads a value: how many for more than its signs (a root is one), and the first of them; the
// first of those for its signs, 0: none.
struct reads {
    int n, signs;
    struct value *by;
};

// value[i] is what does step[i] of the epilogue now.
struct chain {
    struct value *product, *value[EPILOGUE_STEPS];
    struct epilogue epilogue;
};

struct search {
    struct arena *arena;
    struct graph *graph;
    struct reads *reads; // by id
    bool *taken;         // by id: a step of some chain
    struct chain **ends; // by id of its last value
};

static bool is(const struct value *v, enum pointwise op) { return v->op == &op_pointwise[op]; }

// Back to front, so that it is known what is made of v.
static void look_at(const struct search *s, struct value *v)
{
    const bool moves = v->op == &op_slice || v->op == &op_reshape || v->op == &op_concat,
               signs = is(v, PW_STEP) || (moves && s->reads[v->id].n == 0);
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

static void look_through(const struct search *s)
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
    return is(v, PW_LEAKY_RELU) || is(v, PW_ELU) || is(v, PW_TANH) || is(v, PW_SIGMOID);
}

// y, made of x, as a step; false where it is none.
static bool step_of(struct value *y, const struct value *x, struct epilogue_step *step)
{
    *step = (struct epilogue_step){pointwise_of(y), y->attr.f[0], NULL};
    if (activates(y))
        return !is(y, PW_LEAKY_RELU) || step->number >= 0;
    if (is(y, PW_AFFINE))
        return y->attr.f[1] == 0;
    if (!is(y, PW_ADD) || !shape_equal(x->shape, y->shape))
        return false;
    step->with = y->in[y->in[0] == x];
    return shape_equal(step->with->shape, y->shape) || epilogue_is_bias(step, y->shape);
}

static bool reads_slot(const struct value *v, const struct slot *s)
{
    while (v->op->flags & OP_ALIAS)
        v = v->in[0];
    return v->attr.slot == s;
}

// Whether the product may be done at y's place: nothing that it reads is overwritten in between.
static bool may_wait(const struct chain *c, const struct value *y)
{
    const struct graph *g = y->graph;
    for (int i = c->product->id; i < y->id; i++) {
        const struct value *v = g->value[i];
        bool read = false;
        for (int k = 0; k < c->product->n_in; k++)
            read |= reads_slot(c->product->in[k], v->attr.slot);
        for (int k = 0; k < c->epilogue.n; k++)
            read |= c->epilogue.step[k].with && reads_slot(c->epilogue.step[k].with, v->attr.slot);
        if ((v->op->flags & OP_EFFECT) && read)
            return false;
    }
    return true;
}

static bool extend(const struct search *s, struct chain *c)
{
    const int n = c->epilogue.n;
    struct value *x = n ? c->value[n - 1] : c->product;
    const struct reads *r = &s->reads[x->id];
    if (n == EPILOGUE_STEPS || r->n != 1 || !r->by || s->taken[r->by->id] ||
        !(r->by->op->flags & OP_POINTWISE) || !step_of(r->by, x, &c->epilogue.step[n]))
        return false;
    if (r->signs && !(is(r->by, PW_LEAKY_RELU) && r->signs > r->by->id))
        return false;
    c->value[n] = r->by;
    c->epilogue.n++;
    if (!may_wait(c, r->by)) {
        c->epilogue.n--;
        return false;
    }
    return !activates(r->by);
}

static struct chain chain_of(const struct search *s, struct value *product)
{
    struct chain c = {.product = product};
    while (extend(s, &c))
        ;
    while (c.epilogue.n && !epilogue_fits(product, &c.epilogue))
        c.epilogue.n--;
    return c;
}

// --- asking --------------------------------------------------------------------------------------

// "epilogue bf16 matmul 64x784 512x784 to 64x512 a·bᵀ: bias, leaky_relu 0.2"
static const char *key_of(const struct search *s, const struct chain *c, bool in_memory)
{
    const struct value *v = c->product;
    struct text t;
    text_init(&t);
    text_addf(&t, "epilogue%s %s", v->takes == TYPE_BF16 ? " bf16" : "", v->op->name);
    for (int i = 0; i < v->n_in; i++)
        for (int d = 0; d < v->in[i]->shape.rank; d++)
            text_addf(&t, "%s%" PRId64, d ? "x" : " ", v->in[i]->shape.dim[d]);
    for (int d = 0; d < v->shape.rank; d++)
        text_addf(&t, "%s%" PRId64, d ? "x" : " to ", v->shape.dim[d]);
    text_add(&t, " ");
    v->op->print(v, &t);
    text_add(&t, ": ");
    epilogue_text(&c->epilogue, v->shape, &t);
    text_add(&t, in_memory ? "" : ", for maps");
    const char *key = arena_strdup(s->arena, t.s);
    text_release(&t);
    return key;
}

static struct graph *example(const struct question *q, struct arena *a)
{
    return region_graph(q->about, a);
}

// Whether somebody reads all of v, who is no map that could make it for himself.
static bool read_as_it_is(const struct search *s, const struct value *v)
{
    const struct graph *g = s->graph;
    for (int i = v->id + 1; i < g->n; i++)
        for (int j = 0; j < g->value[i]->n_in; j++)
            if (g->value[i]->in[j] == v && !(g->value[i]->op->flags & OP_POINTWISE) &&
                g->value[i]->op != &op_reduce_sum)
                return true;
    return false;
}

// The product and all steps; nobody is taken to read what is between them.
static struct region region_of(const struct search *s, const struct chain *c)
{
    bool *inside = NEW_ARRAY(s->arena, bool, s->graph->n + 1);
    enum region_read *read = NEW_ARRAY(s->arena, enum region_read, s->graph->n + 1);
    const struct value *last = c->product;
    inside[last->id] = true;
    for (int i = 0; i < c->epilogue.n; i++) {
        read[last->id] = REGION_NOT;
        last = c->value[i];
        inside[last->id] = true;
    }
    read[last->id] = read_as_it_is(s, last) ? REGION_AS_IT_IS : REGION_BY_MAPS;
    return (struct region){s->graph, inside, read};
}

// How many steps.
static int ask(const struct search *s, const struct chain *c)
{
    const int n = c->epilogue.n;
    const struct region r = region_of(s, c);
    const bool in_memory = r.read[c->value[n - 1]->id] == REGION_AS_IT_IS;
    struct question q = {.key = key_of(s, c, in_memory),
                         .pass = "epilogue",
                         .example = example,
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

static void find(const struct search *s, struct value *product)
{
    product->takes = bf16_takes(product);
    struct chain c = chain_of(s, product);
    if (c.epilogue.n == 0)
        return;
    c.epilogue.n = ask(s, &c);
    for (int i = 0; i < c.epilogue.n; i++)
        s->taken[c.value[i]->id] = true;
    if (c.epilogue.n) {
        struct chain *kept = NEW(s->arena, struct chain);
        *kept = c;
        s->ends[c.value[c.epilogue.n - 1]->id] = kept;
    }
}

// --- rewriting -----------------------------------------------------------------------------------

static struct value *rewrite(struct value *v, void *context)
{
    const struct search *s = context;
    struct chain *c = s->ends[v->id];
    if (!c)
        return NULL;
    const int n = c->epilogue.n;
    for (int i = 0; i < n; i++) {
        struct value *const with = c->epilogue.step[i].with;
        if (with && with->replaced)
            c->epilogue.step[i].with = with->replaced;
    }
    struct graph *g = s->graph;
    g->where = c->product->where;
    g->label = c->product->label;
    g->backward = c->product->backward;
    struct value *made = epilogue_added(c->product, &c->epilogue);
    // who reads this one now is for signs
    (n > 1 ? c->value[n - 2] : c->product)->replaced = made;
    return made;
}

bool pass_epilogue(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    const struct search s = {a, g, NEW_ARRAY(a, struct reads, g->n + 1),
                             NEW_ARRAY(a, bool, g->n + 1), NEW_ARRAY(a, struct chain *, g->n + 1)};
    look_through(&s);
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->op->epilogue)
            find(&s, g->value[i]);
    const bool changed = graph_rewrite(g, rewrite, (void *)&s);
    arena_free(a);
    if (changed)
        graph_sweep(g);
    return changed;
}
