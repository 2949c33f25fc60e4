// Reductions that walk the same space and read the same tensors become one, of several results: one
// pass over memory instead of one for each. The gradients of a normalisation are such: Σ dy and
// Σ dy·(x − mean), which both work out dy from the gradient behind the activation.
//
// A reduction joins the first one before it that it can: it moves up to that place, so what it reads
// must stand there already. What both compute is computed once.
#include "opt/pass.h"

#include "base/arena.h"
#include "ir/map_program.h"
#include "ir/op.h"

struct joint {
    struct map_program program;
    struct value *in[MAP_INPUTS];
    struct value *made; // once the leader has been passed
};

// What a reduction is part of: where it leads or has joined.
struct fuse_reductions_member {
    struct joint *of;
    int result;
};

struct joining {
    struct arena *arena;
    struct fuse_reductions_member *member; // by id
};

static bool program_of(const struct value *v, struct map_program *p)
{
    if (v->op == &op_fused_reduce)
        *p = *map_program_of(v);
    else if (v->op == &op_reduce_sum)
        *p = (struct map_program){
            .n_in = 1, .reduce = MAP_SUM, .axes = (unsigned)v->attr.axes, .space = v->in[0]->shape};
    else
        return false;
    return map_results(p) == 1 && shape_size(v->shape) < shape_size(p->space);
}

static bool shares_tensor(const struct joint *j, const struct value *v)
{
    for (int i = 0; i < v->n_in; i++)
        for (int k = 0; k < j->program.n_in; k++)
            if (v->in[i] == j->in[k] && shape_equal(v->in[i]->shape, j->program.space))
                return true;
    return false;
}

static int take_input(struct joint *j, struct value *x)
{
    ASSERT(x);
    for (int i = 0; i < j->program.n_in; i++)
        if (j->in[i] == x)
            return i;
    if (j->program.n_in == MAP_INPUTS)
        return -1;
    j->in[j->program.n_in] = x;
    return j->program.n_in++;
}

static bool fuse_reductions_same(const struct map_inst *a, const struct map_inst *b)
{
    return a->code == b->code && a->a == b->a && a->b == b->b && a->c == b->c && a->f0 == b->f0 &&
           a->f1 == b->f1;
}

// The instruction's place; -1 where there is none left.
static int take_instruction(struct map_program *p, struct map_inst inst)
{
    for (int i = 0; i < p->n; i++)
        if (fuse_reductions_same(&p->inst[i], &inst))
            return i;
    if (p->n == MAP_LENGTH)
        return -1;
    p->inst[p->n] = inst;
    return p->n++;
}

// Operands count the inputs first, so those of instructions move when inputs are added.
static void shift_operands(struct map_program *p, int n_in)
{
    ASSERT(n_in <= MAP_INPUTS);
    const int more = p->n_in - n_in;
    for (int i = 0; i < p->n; i++) {
        uint8_t *const operand[] = {&p->inst[i].a, &p->inst[i].b, &p->inst[i].c};
        for (int k = 0; k < 3; k++)
            *operand[k] = (uint8_t)(*operand[k] + (*operand[k] < n_in ? 0 : more));
    }
    for (int i = 0; i < p->n_result; i++)
        p->result[i] = (uint8_t)(p->result[i] + (p->result[i] < n_in ? 0 : more));
}

// j with the program q of v's inputs beside its own; false, and j in pieces, when it grows too large.
static bool grow(struct joint *j, const struct map_program *q, struct value *const *in)
{
    ASSERT(q->n_in <= MAP_INPUTS && q->n <= MAP_LENGTH);
    struct map_program *p = &j->program;
    const int n_in = p->n_in;
    uint8_t now[MAP_INPUTS + MAP_LENGTH];
    for (int i = 0; i < q->n_in; i++) {
        const int at = take_input(j, in[i]);
        if (at < 0)
            return false;
        now[i] = (uint8_t)at;
    }
    shift_operands(p, n_in);
    for (int i = 0; i < q->n; i++) {
        struct map_inst inst = q->inst[i];
        const int n = pointwise_operands(inst.code);
        inst.a = now[inst.a];
        inst.b = n > 1 ? now[inst.b] : 0;
        inst.c = n > 2 ? now[inst.c] : 0;
        const int at = take_instruction(p, inst);
        if (at < 0)
            return false;
        now[q->n_in + i] = (uint8_t)(p->n_in + at);
    }
    for (int i = 0; i < map_results(q) && p->n_result < MAP_RESULTS; i++)
        p->result[p->n_result++] = now[map_result(q, i)];
    return true;
}

static struct joint *joint_of(struct arena *a, const struct map_program *q, struct value *const *in)
{
    struct joint *j = NEW(a, struct joint);
    j->program = (struct map_program){.reduce = q->reduce, .axes = q->axes, .space = q->space};
    grow(j, q, in);
    return j;
}

static bool fuse_reductions_joins(struct joint *j, int leader, const struct value *v,
                                  const struct map_program *q)
{
    if (j->program.reduce != q->reduce || j->program.axes != q->axes ||
        !shape_equal(j->program.space, q->space) || j->program.n_result == MAP_RESULTS ||
        !shares_tensor(j, v))
        return false;
    for (int i = 0; i < v->n_in; i++)
        if (v->in[i]->id >= leader)
            return false;
    struct joint trial = *j;
    if (!grow(&trial, q, v->in))
        return false;
    *j = trial;
    return true;
}

static struct value *fuse_reductions_build(struct value *v, void *context)
{
    const struct joining *all = context;
    const struct fuse_reductions_member *m = &all->member[v->id];
    if (!m->of || m->of->program.n_result < 2)
        return NULL;
    struct joint *j = m->of;
    for (int i = 0; i < j->program.n_in && !j->made; i++)
        j->in[i] = j->in[i]->replaced ? j->in[i]->replaced : j->in[i];
    if (!j->made)
        j->made = fused(v->graph, &j->program, j->in);
    return part_of(j->made, m->result, j->program.n_result);
}

bool pass_fuse_reductions(struct graph *g)
{
    struct arena *a = arena_new(NULL);
    struct joining all = {a, NEW_ARRAY(a, struct fuse_reductions_member, g->n + 1)};
    struct map_program p;
    for (int i = 0; i < g->n; i++) {
        struct value *v = g->value[i];
        if (!program_of(v, &p))
            continue;
        struct fuse_reductions_member *m = &all.member[i];
        for (int k = 0; k < i && !m->of; k++) {
            struct fuse_reductions_member *leader = &all.member[k];
            if (leader->of && leader->result == 0 && fuse_reductions_joins(leader->of, k, v, &p))
                *m = (struct fuse_reductions_member){leader->of, leader->of->program.n_result - 1};
        }
        if (!m->of)
            m->of = joint_of(a, &p, v->in);
    }
    const bool changed = graph_rewrite(g, fuse_reductions_build, &all);
    arena_free(a);
    return changed;
}
