// A plan is a list of function pointers with arguments that never change: all thinking is done when
// it is made.
//
// Values lie in slots, which outlive the plan and are shared by all plans of an experiment, or at
// the offsets that codegen/assign_memory.c chose. What has to be there between two executions is the plan's
// own; the rest, and scratch memory as large as the greediest step wants, is lent: training,
// samplers and scorers never run at the same time and take turns in it.
//
// The simpler idea, an interpreter that asks each value's op what to do while running, fails twice:
// it decides the same things at every step, and it hides what a step costs; here a step can be
// named, timed and printed.
#include "codegen/plan.h"
#include "codegen/lowering.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/workspace.h"
#include "ir/op.h"
#include "ir/slot.h"
#include "codegen/onednn/dnn.h"
#include "codegen/lower.h"
#include "kernels/kernel.h"
#include "kernels/kernel.h"

#include <string.h>
#if defined __SSE__
#include <xmmintrin.h>
#endif

enum { VALUES, SCRATCH }; // parts of the workspace

struct plan_step {
    const struct value *value;
    const char *what;
    void (*run)(const void *args);
    const void *args;
};

struct plan_tenant {
    void (*set)(void *object, void *room);
    void *object;
};

struct plan {
    struct arena *arena;
    struct graph *graph;
    float *slots;
    struct workspace *workspace;
    char *kept, *lent; // offsets below graph->kept, and from there on
    size_t lent_bytes, room_bytes;
    struct plan_clock clock;
    struct plan_step *step;
    int n;
    struct plan_tenant *tenant;
    int n_tenants;
};

// --- what lowerings see --------------------------------------------------------------------------

float *plan_data(struct plan *p, const struct value *v)
{
    if (v->storage) {
        const size_t at = v->storage->offset;
        char *const storage = at < p->graph->kept ? p->kept + at : p->lent + (at - p->graph->kept);
        return (float *)(storage + v->shift);
    }
    while (!v->attr.slot && v->op != &op_packed_copy)
        v = v->in[0];
    return p->slots + (v->attr.slot
                           ? v->attr.slot->offset
                           : slot_packed(v->in[0]->attr.slot, v->blocked, v->type)->offset);
}

struct arena *plan_arena(struct plan *p) { return p->arena; }

void plan_step(struct plan *p, const struct value *v, const char *what,
               void (*run)(const void *args), const void *args)
{
    ASSERT(what && run);
    const struct plan_step step = {v, arena_strdup(p->arena, what), run, args};
    APPEND(p->arena, p->step, p->n, step);
}

void plan_scratch(struct plan *p, size_t bytes, void (*set)(void *object, void *room), void *object)
{
    ASSERT(set);
    const struct plan_tenant tenant = {set, object};
    APPEND(p->arena, p->tenant, p->n_tenants, tenant);
    if (bytes > p->room_bytes)
        p->room_bytes = bytes;
}

const struct plan_clock *plan_clock(const struct plan *p) { return &p->clock; }

// --- making --------------------------------------------------------------------------------------

size_t plan_values_bytes(const struct graph *g)
{
    size_t bytes = g->kept;
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        if (v->storage == v && v->offset + v->bytes > bytes)
            bytes = v->offset + v->bytes;
    }
    return bytes;
}

static void plan_lower(struct plan *p, const struct value *v)
{
    const struct lowering *l = lowering_of(v->op);
    if (l->lower)
        l->lower(p, v);
    else if (!(v->op->flags & (OP_SOURCE | OP_ALIAS)))
        BUG("no codegen/lower_*.c has a row for op '%s'", v->op->name);
}

struct plan *plan_new_in(struct arena *a, struct graph *g, float *slots, struct workspace *w,
                         uint64_t seed)
{
    struct plan *p = NEW(a, struct plan);
    p->arena = arena_new(a);
    p->graph = g;
    p->slots = slots;
    p->workspace = w;
    p->clock.seed = seed;
    p->lent_bytes = plan_values_bytes(g) - g->kept;
    p->kept = arena_alloc(p->arena, g->kept + 64);
    p->lent = workspace_lend(p->workspace, VALUES, p->lent_bytes);
    for (int i = 0; i < g->n; i++)
        plan_lower(p, g->value[i]);
    void *room = workspace_lend(p->workspace, SCRATCH, p->room_bytes);
    for (int i = 0; i < p->n_tenants; i++)
        p->tenant[i].set(p->tenant[i].object, room);
    workspace_close(p->workspace);
    return p;
}

struct plan *plan_new(struct arena *a, struct graph *g, float *slots, uint64_t seed)
{
    return plan_new_in(a, g, slots, workspace_new(a), seed);
}

// --- running -------------------------------------------------------------------------------------

// Numbers too small for a normal exponent cost a hundred cycles each; every thread of the team
// takes them for zero. The state is a register of the thread, so only the caller's needs to be put
// back: the others are ours alone.
static unsigned flush_denormals(void)
{
#if defined __SSE__
    const unsigned before = _mm_getcsr();
#pragma omp parallel
    _mm_setcsr(_mm_getcsr() | 0x8040);
    return before;
#else
    return 0;
#endif
}

static void restore_denormals(unsigned before)
{
#if defined __SSE__
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

static unsigned begin(struct plan *p, uint64_t step)
{
    p->clock.step = step;
    workspace_open(p->workspace);
    return flush_denormals();
}

static void plan_end(struct plan *p, unsigned before)
{
    restore_denormals(before);
    workspace_close(p->workspace);
}

void plan_run(struct plan *p, uint64_t step)
{
    const unsigned before = begin(p, step);
    for (int i = 0; i < p->n; i++)
        p->step[i].run(p->step[i].args);
    plan_end(p, before);
}

static bool all_finite(struct plan *p, const struct value *v)
{
    const void *at = plan_data(p, v);
    const float *x = at;
    const uint16_t *half = at;
    const size_t bytes = v->storage == v ? v->bytes
                                         : type_bytes(v->type) * (size_t)shape_size(v->shape);
    float sum = 0;
    if (v->type == TYPE_BF16)
        for (size_t i = 0; i < bytes / sizeof *half; i++)
            sum += (half[i] & 0x7f80) == 0x7f80;
    else
        for (size_t i = 0; i < bytes / sizeof *x; i++)
            sum += x[i] * 0; // 0, or NaN as soon as one is not finite
    return sum == 0;
}

const struct value *plan_run_watched(struct plan *p, uint64_t step)
{
    const struct value *culprit = NULL;
    const unsigned before = begin(p, step);
    for (int i = 0; i < p->n && !culprit; i++) {
        const struct value *v = p->step[i].value;
        p->step[i].run(p->step[i].args);
        if ((i + 1 == p->n || p->step[i + 1].value != v) && !all_finite(p, v))
            culprit = v;
    }
    plan_end(p, before);
    return culprit;
}

void plan_profile(struct plan *p, uint64_t step, double *seconds)
{
    const unsigned before = begin(p, step);
    for (int i = 0; i < p->n; i++) {
        const double start = clock_now();
        p->step[i].run(p->step[i].args);
        seconds[i] = clock_now() - start;
    }
    plan_end(p, before);
}

// --- asking --------------------------------------------------------------------------------------

float *plan_input(struct plan *p, const char *name)
{
    for (int i = 0; i < p->graph->n; i++) {
        const struct value *v = p->graph->value[i];
        if ((v->op->flags & OP_SOURCE) && v->attr.name && !strcmp(v->attr.name, name))
            return plan_data(p, v);
    }
    return NULL;
}

const float *plan_output(const struct plan *p, const char *name)
{
    const struct value *v = graph_find_root(p->graph, name);
    return v ? plan_data((struct plan *)p, v) : NULL;
}

size_t plan_activation_bytes(const struct plan *p)
{
    return p->graph->kept + p->lent_bytes + p->room_bytes;
}

size_t plan_kept_bytes(const struct plan *p) { return p->graph->kept; }

int plan_steps(const struct plan *p) { return p->n; }

const struct value *plan_step_value(const struct plan *p, int i) { return p->step[i].value; }

const char *plan_step_name(const struct plan *p, int i) { return p->step[i].what; }

void plan_print(const struct plan *p, struct text *out)
{
    for (int i = 0; i < p->n; i++) {
        const struct value *v = p->step[i].value;
        text_addf(out, "%s ", p->step[i].what);
        shape_text(v->shape, out);
        if (v->where.source && v->where.line)
            text_addf(out, "  # %s:%d", v->where.source->name, v->where.line);
        text_add(out, "\n");
    }
}

const char *plan_library_version(void) { return dnn_version(); }

const char *plan_isa(void) { return dnn_isa(); }

bool plan_multiplies(enum type type) { return type == TYPE_F32 || dnn_multiplies_bf16(); }
