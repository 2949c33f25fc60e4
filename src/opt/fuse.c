// Chains of pointwise ops, and such chains into a reduction, become one value: one pass over memory
// instead of one an op.
//
// From back to front each pointwise value is asked what reads it. If all readers end up in one
// group, it joins that group and is never written to memory; a group is what one fused value
// computes, and its last op, the leader, says over which space. If the readers are in several
// groups, the value is computed again in each, provided that it is arithmetic without a
// transcendental and that no more tensors are read so than by writing it and reading it back.
// (Normalisation is such: (x − mean)·scale is used by the output, by two sums and by the gradient;
// and so is the gradient of the activation behind it.) Values of a smaller shape than the leader's, a variance's square
// root, stay outside: inside they would be worked out for every element. A value that moves to its
// leader's place must not cross a write to a slot it reads.
//
// Growing groups forwards from producers fails at the first fork: whether a value need be written
// is known by its last reader only.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/map_program.h"
#include "ir/op.h"
#include "ir/slot.h"

#include <string.h>

enum { HOMES = 8 };

struct fuse_group {
    struct value *leader;
    int n, n_in;
    struct value *member[MAP_LENGTH]; // last first; a reduction that leads is not among them
    struct value *in[MAP_INPUTS + 3];
    struct map_program program;
};

// Where a value is computed: in these groups, or nowhere yet.
struct homes {
    int n; // HOMES + 1: too many, or a reader that is in no group
    struct fuse_group *group[HOMES];
};

struct fusion {
    struct arena *arena;
    struct homes *readers;   // by id: the groups that read a value
    struct fuse_group **led; // by id: the group a value leads
    int *next_write;         // by slot: the first effect on it behind the value at hand
};

static bool reduces(const struct value *v) { return is_reduction(v); }

static bool fuse_pointwise(const struct value *v)
{
    return (v->op->flags & OP_POINTWISE) && v->op != &op_fused;
}

static struct shape space_of(const struct value *leader)
{
    return reduces(leader) ? leader->in[0]->shape : leader->shape;
}

// The slot whose memory v reads, or NULL.
static const struct slot *slot_behind(const struct value *v)
{
    while (v->op->flags & OP_ALIAS)
        v = v->in[0];
    return v->attr.slot;
}

static bool crosses_write(const struct fusion *f, const struct value *v, const struct value *leader)
{
    for (int i = 0; i < v->n_in; i++) {
        const struct slot *s = slot_behind(v->in[i]);
        if (s && f->next_write[s->index] && f->next_write[s->index] < leader->id)
            return true;
    }
    return false;
}

static bool cheap(const struct value *v)
{
    static const bool costs[PW_COUNT] = {
        [PW_DIV] = true,  [PW_ELU] = true,     [PW_EXP] = true,
        [PW_LOG] = true,  [PW_SQRT] = true,    [PW_RSQRT] = true,
        [PW_TANH] = true, [PW_SIGMOID] = true, [PW_SOFTPLUS] = true};
    return !costs[pointwise_of(v)];
}

static int fuse_find(struct value *const *list, int n, const struct value *v)
{
    for (int i = 0; i < n; i++)
        if (list[i] == v)
            return i;
    return -1;
}

// The group as it is with v computed inside; false when it grows too large.
static bool grown(struct fuse_group *g, struct value *v)
{
    ASSERT(fuse_pointwise(v));
    const int at = fuse_find(g->in, g->n_in, v);
    if (at >= 0)
        g->in[at] = g->in[--g->n_in];
    for (int i = 0; i < v->n_in; i++)
        if (fuse_find(g->in, g->n_in, v->in[i]) < 0)
            g->in[g->n_in++] = v->in[i];
    if (g->n == MAP_LENGTH || g->n_in > MAP_INPUTS)
        return false;
    g->member[g->n++] = v;
    return true;
}

// Tensors of full size that a group has to read when v is computed inside, beyond what it reads
// anyway.
static int more_reads(const struct fuse_group *g, const struct value *v)
{
    int n = 0;
    for (int i = 0; i < v->n_in; i++)
        n += shape_equal(v->in[i]->shape, v->shape) && fuse_find(v->in, i, v->in[i]) < 0 &&
             (!g || fuse_find(g->in, g->n_in, v->in[i]) < 0);
    return n;
}

// Written once, v is read by each group; else each reads what v is made of.
static bool fuse_pays(const struct value *v, const struct homes *to)
{
    int again = 0;
    for (int i = 0; i < to->n; i++)
        again += more_reads(to->group[i], v);
    return to->n == 1 || (cheap(v) && again <= more_reads(NULL, v) + 1 + to->n);
}

static bool fuse_joins(const struct fusion *f, struct value *v, const struct homes *to)
{
    if (to->n < 1 || to->n > HOMES || !fuse_pays(v, to))
        return false;
    for (int i = 0; i < to->n; i++) {
        struct fuse_group trial = *to->group[i];
        if (!shape_equal(v->shape, space_of(trial.leader)) || crosses_write(f, v, trial.leader) ||
            !grown(&trial, v))
            return false;
    }
    return true;
}

static void read_by(struct homes *h, struct fuse_group *g)
{
    if (!g)
        h->n = HOMES + 1;
    for (int i = 0; i < h->n && i < HOMES; i++)
        if (h->group[i] == g)
            return;
    if (h->n < HOMES)
        h->group[h->n] = g;
    if (h->n <= HOMES)
        h->n++;
}

// Decides where v is computed, and tells its inputs.
static void fuse_settle(struct fusion *f, struct value *v)
{
    struct homes own = {0};
    const struct homes *home = &f->readers[v->id];
    if (fuse_pointwise(v) && fuse_joins(f, v, home)) {
        for (int i = 0; i < home->n; i++)
            grown(home->group[i], v);
    } else {
        if (fuse_pointwise(v) || reduces(v)) {
            f->led[v->id] = NEW(f->arena, struct fuse_group);
            f->led[v->id]->leader = v;
            if (reduces(v))
                f->led[v->id]->in[f->led[v->id]->n_in++] = v->in[0];
            else
                grown(f->led[v->id], v);
        }
        own = (struct homes){1, {f->led[v->id]}};
        home = &own;
    }
    for (int i = 0; i < v->n_in; i++)
        for (int j = 0; j < home->n; j++)
            read_by(&f->readers[v->in[i]->id], home->group[j]);
    if (v->op->flags & OP_EFFECT)
        f->next_write[v->attr.slot->index] = v->id;
}

// --- building ------------------------------------------------------------------------------------

// Operand number of v: an input, or a member.
static uint8_t fuse_operand(const struct fuse_group *g, const struct value *v)
{
    ASSERT(g->n <= MAP_LENGTH && g->n_in <= MAP_INPUTS);
    const int at = fuse_find(g->member, g->n, v);
    return (uint8_t)(at >= 0 ? g->n_in + g->n - 1 - at : fuse_find(g->in, g->n_in, v));
}

static struct map_program program(const struct fuse_group *g)
{
    ASSERT(g->leader);
    struct map_program p = {.n_in = g->n_in, .n = g->n, .space = space_of(g->leader)};
    for (int i = 0; i < g->n; i++) {
        struct value *const m = g->member[g->n - 1 - i];
        p.inst[i] = (struct map_inst){(uint8_t)pointwise_of(m),
                                      fuse_operand(g, m->in[0]),
                                      m->n_in > 1 ? fuse_operand(g, m->in[1]) : 0,
                                      m->n_in > 2 ? fuse_operand(g, m->in[2]) : 0,
                                      (float)m->attr.number[0],
                                      (float)m->attr.number[1]};
    }
    if (reduces(g->leader)) {
        p.reduce = g->leader->op == &op_reduce_sum   ? MAP_SUM
                   : g->leader->op == &op_reduce_max ? MAP_MAX
                                                     : MAP_SUM_VAR;
        p.axes = (unsigned)g->leader->attr.axes;
        p.n_result = p.reduce == MAP_SUM_VAR ? 2 : 0;
        p.result[0] = p.result[1] = (uint8_t)(p.n_in + p.n - 1);
    }
    return p;
}

static struct value *fuse_build(struct value *v, void *context)
{
    const struct fusion *f = context;
    const struct fuse_group *g = f->led[v->id];
    if (!g || g->n + reduces(v) < 2)
        return NULL;
    struct value *in[MAP_INPUTS];
    for (int i = 0; i < g->n_in; i++)
        in[i] = g->in[i]->replaced ? g->in[i]->replaced : g->in[i];
    return fused(v->graph, &g->program, in);
}

static int slots_in(const struct graph *g)
{
    int n = 1;
    for (int i = 0; i < g->n; i++)
        if (g->value[i]->attr.slot && g->value[i]->attr.slot->index >= n)
            n = g->value[i]->attr.slot->index + 1;
    return n;
}

bool pass_fuse(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    struct fusion f = {a, NEW_ARRAY(a, struct homes, g->n + 1),
                       NEW_ARRAY(a, struct fuse_group *, g->n + 1), NEW_ARRAY(a, int, slots_in(g))};
    for (int i = 0; i < g->n_root; i++)
        read_by(&f.readers[g->root[i].value->id], NULL);
    for (int i = g->n - 1; i >= 0; i--)
        fuse_settle(&f, g->value[i]);
    for (int i = 0; i < g->n; i++)
        if (f.led[i])
            f.led[i]->program = program(f.led[i]);
    const bool changed = graph_rewrite(g, fuse_build, &f);
    arena_free(a);
    if (changed)
        graph_drop_unneeded(g);
    return changed;
}
