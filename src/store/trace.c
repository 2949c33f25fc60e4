// A trace is taken from outside the loop: the trainer trains as it always does, on a program with
// more roots, and between two steps everything that can be seen is copied. Only so does the trace
// show what training does. All of it is kept in memory until the file is written: a trace is a few
// steps long, and a safetensors header has to be complete before the first byte of data.
#include "store/trace.h"

#include "base/arena.h"
#include "base/text.h"
#include "codegen/plan.h"
#include "store/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

struct trace {
    struct arena *arena;
    struct tensor *tensor;
    int n;
    int64_t steps;
    volatile sig_atomic_t stop;
};

static const void *to_whole(struct arena *a, const float *x, int64_t n)
{
    int64_t *copy = NEW_ARRAY(a, int64_t, n + 1);
    for (int64_t i = 0; i < n; i++)
        copy[i] = llrintf(x[i]);
    return copy;
}

static const void *to_float(struct arena *a, const float *x, int64_t n)
{
    return memcpy(NEW_ARRAY(a, float, n + 1), x, sizeof *x * (size_t)n);
}

static void trace_keep(struct trace *trace, const char *name, const float *x, struct shape shape,
                       bool whole)
{
    struct tensor t = {.name = name, .type = whole ? TENSOR_I64 : TENSOR_F32, .rank = shape.rank};
    memcpy(t.dim, shape.dim, sizeof *shape.dim * (size_t)shape.rank);
    t.data = (whole ? to_whole : to_float)(trace->arena, x, shape_size(shape));
    APPEND(trace->arena, trace->tensor, trace->n, t);
}

// "loss/0@2" of iteration 5 → "loss/0@5.2"
static const char *with_iteration(struct trace *trace, const char *prefix, const char *name,
                                  int64_t k)
{
    const char *at = strrchr(name, '@');
    ASSERT(at);
    return arena_printf(trace->arena, "%s%.*s@%" PRId64 ".%s", prefix, (int)(at - name), name, k,
                        at + 1);
}

// "NAME@…" or "NAME.FIELD@…"
static bool begins(const char *name, const char *source, const char *field)
{
    const size_t n = strlen(source), m = strlen(field);
    return !strncmp(name, source, n) &&
           (!m || (name[n] == '.' && !strncmp(name + n + 1, field, m))) &&
           strchr("@", name[n + (m ? m + 1 : 0)]);
}

// Labels and indices of data; noise that draws labels.
static bool is_whole(const struct experiment *e, const char *name)
{
    if (!strncmp(name, "noise/", 6)) {
        for (int i = 0; i < e->n_noise; i++)
            if (begins(name + 6, e->noise[i].name, ""))
                return e->noise[i].is.classes > 0;
        return false;
    }
    for (int i = 0; i < e->n_data; i++)
        for (int k = FIELD_LABEL; k < dataset_fields(e->data[i].dataset); k++) {
            const struct data_field f = dataset_field(e->data[i].dataset, k);
            if (begins(name, e->data[i].name, f.name))
                return k <= FIELD_INDEX || f.classes;
        }
    return false;
}

static void keep_params(struct trace *trace, const struct trainer *t)
{
    const struct slots *slots = &t->experiment->slots;
    for (int i = 0; i < slots->n; i++) {
        const struct slot *s = slots->slot[i];
        const char *prefix = s->kind == SLOT_AVERAGE ? "" : "param/";
        if (s->kind != SLOT_MOMENT)
            trace_keep(trace, arena_printf(trace->arena, "%s%s@%" PRId64, prefix, s->name, t->step),
                       slot_get(s, t->slab, trace->arena), s->shape, false);
    }
}

static void keep_inputs(struct trace *trace, const struct experiment *e, const struct graph *g,
                        struct plan *plan, int64_t k)
{
    for (int i = 0; i < g->n; i++) {
        const struct value *v = g->value[i];
        const char *name = (v->op->flags & OP_SOURCE) ? v->attr.name : NULL;
        if (!name || !strchr(name, '@'))
            continue;
        const char *prefix = strncmp(name, "hyper/", 6) ? "data/" : "";
        trace_keep(trace, with_iteration(trace, prefix, name, k), plan_input(plan, name), v->shape,
                   is_whole(e, name));
    }
}

static void keep_roots(struct trace *trace, const struct experiment *e, const struct graph *g,
                       const struct plan *plan, int64_t k)
{
    for (int i = 0; i < g->n_root; i++) {
        const char *name = g->root[i].name;
        if (name && strchr(name, '@'))
            trace_keep(trace, with_iteration(trace, "", name, k), plan_output(plan, name),
                       g->root[i].value->shape, !strncmp(name, "noise/", 6) && is_whole(e, name));
    }
}

static int trace_phase_of(const struct experiment *e, int64_t k)
{
    int phase = 0;
    for (; phase < e->n_phase - 1 && k >= e->phase[phase].steps; phase++)
        k -= e->phase[phase].steps;
    return phase;
}

static void trace_on_progress(void *context, struct trainer *t)
{
    struct trace *trace = context;
    const int64_t k = t->step - 1;
    const int phase = trace_phase_of(t->experiment, k);
    const struct graph *g = trainer_program(t, phase)->graph;
    struct plan *plan = trainer_plan(t, phase);
    keep_inputs(trace, t->experiment, g, plan, k);
    keep_roots(trace, t->experiment, g, plan, k);
    keep_params(trace, t);
    trace->stop = t->step >= trace->steps;
}

static bool write_file(const struct trace *trace, const struct experiment *e, int64_t steps,
                       const char *path, struct diag *d)
{
    struct text yaml;
    text_init(&yaml);
    node_write(e->config->root, &yaml);
    const struct metadata metadata[] = {
        {"config", yaml.s},
        {"config_hash", config_hash(trace->arena, e->config, false)},
        {"seed", arena_printf(trace->arena, "%" PRId64, e->seed)},
        {"steps", arena_printf(trace->arena, "%" PRId64, steps)},
    };
    const bool good = safetensors_write(path, trace->tensor, trace->n, metadata,
                                        (int)LENGTH(metadata), d);
    text_release(&yaml);
    return good;
}

bool trace_write(struct trainer *t, int64_t steps, const char *path, struct diag *d)
{
    ASSERT(t->purpose == TRAINER_TRACES && t->step == 0 && steps >= 1);
    struct trace trace = {.arena = arena_new(NULL), .steps = steps};
    const struct observer o = {.context = &trace, .progress = trace_on_progress};
    keep_params(&trace, t);
    const enum outcome outcome = trainer_run(t, &o, &trace.stop);
    const bool ran = outcome == OUTCOME_DONE || outcome == OUTCOME_INTERRUPTED;
    if (ran && t->step != (steps < t->steps ? steps : t->steps))
        BUG("%" PRId64 " steps traced instead of %" PRId64, t->step, steps);
    const bool good = ran && write_file(&trace, t->experiment, t->step, path, d);
    arena_free(trace.arena);
    return good;
}

static bool trace_has(const struct trace *trace, const char *name)
{
    for (int i = 0; i < trace->n; i++)
        if (!strcmp(trace->tensor[i].name, name))
            return true;
    return false;
}

static void keep_sample(struct trace *trace, const struct sampler *s, const char *name)
{
    struct shape shape = {.rank = s->is.shape.rank + 1, .dim = {s->batch}};
    memcpy(shape.dim + 1, s->is.shape.dim, sizeof *shape.dim * (size_t)s->is.shape.rank);
    trace_keep(trace, name, s->sample, shape, false);
    for (int i = 0; i < s->program->n_input; i++) {
        const struct program_input *in = &s->program->input[i];
        const float *x = plan_input(s->plan, in->name);
        const char *from = arena_printf(trace->arena, "%s/%s", in->noise ? "noise" : "data",
                                        in->name);
        if (x && !trace_has(trace, from))
            trace_keep(trace, from, x, in->shape, is_whole(s->experiment, from));
    }
}

bool trace_grid(const struct grid *g, const char *path, struct diag *d)
{
    struct trace trace = {.arena = arena_new(NULL)};
    int n;
    struct sampler *const *s = grid_samplers(g, &n);
    for (int i = 0; i < n; i++)
        keep_sample(&trace, s[i], i ? arena_printf(trace.arena, "sample.%d", i + 1) : "sample");
    const bool good = write_file(&trace, s[0]->experiment, 0, path, d);
    arena_free(trace.arena);
    return good;
}
