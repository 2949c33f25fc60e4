// Effects change a slot: in[0] is its version before, the result its version after, in the same
// memory. Each is a root of its graph. There is one op, `update`; what it does is a rule (ir/update.h):
// an optimizer's (optimizers/), or one of ops/slot_rules.h. Moments belong to the update that made
// them: they are read and written in place.
#include "ir/build.h"
#include "ir/op.h"

#include "base/arena.h"
#include "base/text.h"
#include "ir/ops/slot_rules.h"

#include <stdint.h>
#include <string.h>

struct update_call {
    const struct update_rule *rule;
    const void *options;
};

struct value *update_slot(const struct update_rule *rule, const void *options, size_t size,
                          struct value *p, struct value *g, struct value *number,
                          struct slot *const *moment, int n_moment)
{
    ASSERT(p->attr.slot);
    ASSERT(n_moment >= 0 && n_moment <= UPDATE_MOMENTS);
    ASSERT(g || !number); // inputs stand at fixed places
    ASSERT(number || !n_moment);
    ASSERT(!g || shape_size(g->shape) == shape_size(p->shape));
    ASSERT(!number || shape_size(number->shape) == UPDATE_NUMBERS);
    ASSERT(!size == !options);
    struct graph *graph = p->graph;
    struct value *in[EFFECT_NUMBERS + 1 + UPDATE_MOMENTS] = {p, g, number};
    for (int i = 0; i < n_moment; i++) {
        ASSERT(shape_equal(moment[i]->shape, p->attr.slot->shape));
        ASSERT(moment[i] != p->attr.slot);
        in[EFFECT_NUMBERS + 1 + i] = param(graph, moment[i]);
    }
    struct update_call *call = NEW(graph->arena, struct update_call);
    *call = (struct update_call){rule, NULL};
    if (size)
        call->options = memcpy(arena_alloc(graph->arena, size), options, size);
    struct value *v = graph_add(graph, &op_update, p->shape,
                                number ? EFFECT_NUMBERS + 1 + n_moment
                                : g    ? EFFECT_NUMBERS
                                       : 1,
                                in, (struct attr){.slot = p->attr.slot, .update = call});
    graph_root(graph, NULL, v);
    return v;
}

static const struct update_call *call_of(const struct value *v)
{
    return v->op == &op_update ? v->attr.update : NULL;
}

const struct update_rule *update_rule_of(const struct value *v)
{
    const struct update_call *call = call_of(v);
    return call ? call->rule : NULL;
}

const void *update_options_of(const struct value *v)
{
    ASSERT(call_of(v));
    return call_of(v)->options;
}

int update_moments(const struct value *v)
{
    ASSERT(call_of(v));
    return v->n_in > EFFECT_NUMBERS ? v->n_in - EFFECT_NUMBERS - 1 : 0;
}

// The reference interpreter keeps one array a slot, so moments are updated where they are read.
static void update_reference(const struct value *v, const double *const *in, double *out)
{
    const struct update_call *call = call_of(v);
    const int64_t n = shape_size(v->shape);
    double *moment[UPDATE_MOMENTS] = {NULL};
    for (int i = 0; i < update_moments(v); i++)
        moment[i] = (double *)(uintptr_t)in[EFFECT_NUMBERS + 1 + i];
    memcpy(out, in[0], sizeof *out * (size_t)n);
    call->rule->update(call->options, out, v->n_in > 1 ? in[1] : NULL, moment,
                       v->n_in > EFFECT_NUMBERS ? in[EFFECT_NUMBERS] : NULL, 0, n);
}

static void update_print(const struct value *v, struct text *out)
{
    text_add(out, call_of(v)->rule->name);
}

const struct op op_update = {.name = "update",
                             .attr = ATTR_UPDATE,
                             .flags = OP_EFFECT,
                             .reference = update_reference,
                             .print = update_print};

// --- rules that no config names ------------------------------------------------------------------

const struct update_rule rule_clip = RULE(clip), rule_lerp = RULE(lerp), rule_assign = RULE(assign);

struct value *clip_slot(struct value *p, double low, double high)
{
    ASSERT(low <= high);
    const struct clip_options o = {low, high};
    return update_slot(&rule_clip, &o, sizeof o, p, NULL, NULL, NULL, 0);
}

struct value *lerp_slot(struct value *p, struct value *x, double t)
{
    const struct lerp_options o = {t};
    return update_slot(&rule_lerp, &o, sizeof o, p, x, NULL, NULL, 0);
}

struct value *assign_slot(struct value *p, struct value *x)
{
    return update_slot(&rule_assign, NULL, 0, p, x, NULL, NULL, 0);
}

// --- packed copies ---------------------------------------------------------------------------------------

struct value *packed_copy(struct value *version, const char *why)
{
    ASSERT(version->attr.slot);
    return graph_add(version->graph, &op_packed_copy, version->shape, 1, &version,
                     (struct attr){.why = why});
}

bool effect_writes_packed(const struct value *v, const struct packed_copy *t)
{
    const struct graph *g = v->graph;
    ASSERT((v->op->flags & OP_EFFECT) && g->value[v->id] == v);
    for (int i = v->id + 1; i < g->n; i++) {
        const struct value *u = g->value[i];
        if (u->n_in && u->in[0] == v && u->op == &op_packed_copy && u->blocked == t->layout &&
            u->type == t->type)
            return true;
        if (u->n_in && u->in[0] == v && u->attr.slot == v->attr.slot)
            return false;
    }
    return true;
}

static void packed_copy_reference(const struct value *v, const double *const *in, double *out)
{
    memcpy(out, in[0], sizeof *out * (size_t)shape_size(v->shape));
}

static void packed_copy_print(const struct value *v, struct text *out)
{
    text_addf(out, "since %s", v->attr.why);
}

const struct op op_packed_copy = {.name = "packed_copy",
                                  .attr = ATTR_WHY,
                                  .flags = OP_ALIAS,
                                  .reference = packed_copy_reference,
                                  .print = packed_copy_print};
