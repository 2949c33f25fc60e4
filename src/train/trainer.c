// A step is a function of (slab, seed, step): noise comes from Philox by step, data by draw number,
// learning rates by count. So nothing of the loop needs saving but the slab and the step, a resumed
// run is the run, and a divergence can be replayed: from a slab of the past, the last WATCHED steps
// with a look at every value. Looking at every value of every step would find the same layer at
// several times the price.
//
// That slab is in a file, written again when SPARING times as long has passed as writing it takes: a
// minute or three for a slab of tens of megabytes, which is what a divergence costs again, and no
// wear on a disk. In memory it would have to be a second slab, as large as the first, for what most
// runs never want.
#include "train/trainer.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/finite.h"
#include "base/text.h"
#include "codegen/compile.h"
#include "codegen/plan.h"
#include "train/footprint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WATCHED = 64, SPARING = 4000, KEPT = 1024 };

struct hyper {
    const struct update_run *run;
    float *at; // NULL when the plan does not read it
};

struct mouth {
    const struct data_source *source;
    struct loader *loader;
    int n;         // draws an iteration
    float **field; // n × FIELDS_MAX places to copy to; NULL where not read
};

// A phase, compiled.
struct trainer_stage {
    struct arena *arena;
    const struct phase *phase;
    int64_t first; // step of the experiment at which it begins
    struct program *program;
    struct plan *plan;
    struct hyper *hyper;
    struct measure *measure;
    int n_measure;
    struct mouth *mouth;
    int n_mouth;
    struct timing timing, lap; // of all iterations, of this one
    struct timing before;      // what recording had cost when timing began
    float kept[KEPT];          // every apart-th iteration's time
    int n_kept, apart;
    bool warm; // an iteration has run
};

static const char *update_name(struct trainer *t, const struct update *u)
{
    struct text name;
    text_init(&name);
    for (int i = 0; i < u->n_train; i++) {
        const struct target *target = &u->train[i];
        text_addf(&name, "%s%s", i ? "+" : "", target->network->name);
        if (target->head >= 0)
            text_addf(&name, ".%s", target->network->output[target->head]);
    }
    const char *kept = arena_strdup(t->arena, name.s);
    text_release(&name);
    return kept;
}

static bool measured(const struct trainer_stage *s, const char *name)
{
    for (int i = 0; i < s->n_measure; i++)
        if (!strcmp(s->measure[i].name, name))
            return true;
    return false;
}

// "loss/2/cross_entropy" → "loss/generator/cross_entropy"; updates of the same networks are told
// apart by number.
static void measure_add(struct trainer_stage *s, const char *root, const char *name)
{
    const float *at = plan_output(s->plan, root);
    if (!at)
        return;
    for (int i = 2; measured(s, name); i++)
        name = arena_printf(s->arena, "%s.%d", name, i);
    struct measure m = {name, at};
    APPEND(s->arena, s->measure, s->n_measure, m);
}

static void find_measures(struct trainer *t, struct trainer_stage *s)
{
    for (int i = 0; i < s->program->n_run; i++) {
        const struct update_run *r = &s->program->run[i];
        if (r->repetition != r->update->repeat - 1)
            continue;
        const char *trained = update_name(t, r->update);
        measure_add(s, arena_printf(s->arena, "loss/%d", r->update->number),
                    arena_printf(s->arena, "loss/%s", trained));
        for (int j = 0; j < r->n_part && r->n_part > 1; j++)
            measure_add(s, arena_printf(s->arena, "loss/%d/%s", r->update->number, r->part[j].name),
                        arena_printf(s->arena, "loss/%s/%s", trained, r->part[j].name));
    }
}

static struct mouth *mouth_of(struct trainer_stage *s, const struct data_source *source)
{
    for (int i = 0; i < s->n_mouth; i++)
        if (s->mouth[i].source == source)
            return &s->mouth[i];
    struct mouth m = {.source = source};
    APPEND(s->arena, s->mouth, s->n_mouth, m);
    return &s->mouth[s->n_mouth - 1];
}

// Feeds come in order of draw; draws that nothing reads are not drawn.
static void find_mouths(struct trainer_stage *s)
{
    for (int i = 0; i < s->program->n_feed; i++) {
        const struct feed *f = &s->program->feed[i];
        float *field[FIELDS_MAX];
        bool any = false;
        for (int k = 0; k < FIELDS_MAX; k++)
            any |= !!(field[k] = f->name[k] ? plan_input(s->plan, f->name[k]) : NULL);
        if (!any)
            continue;
        struct mouth *m = mouth_of(s, f->source);
        float **wider = NEW_ARRAY(s->arena, float *, (m->n + 1) * FIELDS_MAX);
        if (m->n)
            memcpy(wider, m->field, sizeof *wider * (size_t)(m->n * FIELDS_MAX));
        memcpy(wider + m->n * FIELDS_MAX, field, sizeof field);
        m->field = wider;
        m->n++;
    }
}

static void open_loaders(struct trainer *t, struct trainer_stage *s)
{
    ASSERT(t->step >= s->first);
    for (int i = 0; i < s->n_mouth; i++) {
        struct mouth *m = &s->mouth[i];
        const int64_t first = (t->step - s->first) * m->n;
        const uint64_t stream = (uint64_t)(m->source - t->experiment->data) +
                                1000 * (uint64_t)(s - t->stage);
        m->loader = loader_new(s->arena, m->source->dataset, m->source->batch, m->source->sampling,
                               (uint64_t)t->experiment->seed, stream, first);
    }
}

static void find_hypers(struct trainer_stage *s)
{
    s->hyper = NEW_ARRAY(s->arena, struct hyper, s->program->n_run);
    for (int i = 0; i < s->program->n_run; i++)
        s->hyper[i] = (struct hyper){&s->program->run[i],
                                     plan_input(s->plan, s->program->run[i].hyper)};
}

// The program, through all passes. Nothing of its size is allocated.
static bool stage_build(struct trainer *t, struct trainer_stage *s, int phase)
{
    s->arena = arena_new(t->arena);
    s->program = (t->purpose == TRAINER_TRACES ? program_traced : program_training)(
        t->experiment, phase, s->arena, t->diag);
    if (s->program)
        passes_run(s->program->graph, NULL);
    return s->program != NULL;
}

static void stage_place(struct trainer *t, struct trainer_stage *s)
{
    if (!t->slab)
        t->slab = arena_room(t->arena, t->experiment->slots.floats * sizeof *t->slab);
    s->plan = plan_new_in(s->arena, s->program->graph, t->slab, t->experiment->workspace,
                          (uint64_t)t->experiment->seed);
    find_measures(t, s);
    find_mouths(s);
    find_hypers(s);
}

static bool stage_compile(struct trainer *t, struct trainer_stage *s, int phase)
{
    if (s->plan)
        return true;
    if (!stage_build(t, s, phase))
        return false;
    stage_place(t, s);
    return true;
}

// The first plan says how slots lie, and which have packed copies; the others find them so. Later
// phases are compiled when their time comes, but what they will ask of the chooser is asked now.
static bool compile_first(struct trainer *t)
{
    struct trainer_stage *s = &t->stage[0];
    struct experiment *e = t->experiment;
    if (!footprint_fits(e, NULL, t->diag) || !stage_build(t, s, 0))
        return false;
    slots_settle(&e->slots);
    if (!footprint_fits(e, s->program->graph, t->diag) || !footprint_fits_from(e, 1, t->diag))
        return false;
    stage_place(t, s);
    if (t->purpose != TRAINER_EXPLAINS)
        experiment_fill(e, t->slab);
    return true;
}

struct trainer *trainer_new(struct arena *parent, struct experiment *e,
                            enum trainer_purpose purpose, struct diag *d)
{
    struct arena *a = arena_new(parent);
    struct trainer *t = NEW(a, struct trainer);
    *t = (struct trainer){.arena = a, .experiment = e, .diag = d, .purpose = purpose};
    t->stage = NEW_ARRAY(a, struct trainer_stage, e->n_phase);
    for (int i = 0; i < e->n_phase; i++) {
        t->stage[i].phase = &e->phase[i];
        t->stage[i].first = t->steps;
        t->steps += e->phase[i].steps;
    }
    if (!compile_first(t)) {
        arena_free(a);
        return NULL;
    }
    t->measure = t->stage[0].measure;
    t->n_measure = t->stage[0].n_measure;
    return t;
}

struct plan *trainer_plan(struct trainer *t, int phase)
{
    ASSERT(phase >= 0 && phase < t->experiment->n_phase);
    return stage_compile(t, &t->stage[phase], phase) ? t->stage[phase].plan : NULL;
}

const struct timing *trainer_timing(const struct trainer *t, int phase)
{
    ASSERT(phase >= 0 && phase < t->experiment->n_phase);
    const struct trainer_stage *s = &t->stage[phase];
    return s->timing.n ? &s->timing : NULL;
}

const struct program *trainer_program(const struct trainer *t, int phase)
{
    return t->stage[phase].program;
}

static bool feed_data(struct trainer *t, struct trainer_stage *s, struct mouth *m)
{
    const double began = clock_now();
    for (int i = 0; i < m->n; i++) {
        float *const *field = m->field + i * FIELDS_MAX;
        struct batch to;
        memcpy(to.field, field, sizeof to.field);
        const char *error = NULL;
        if (!loader_next(m->loader, to, &error))
            return fail(t->diag, m->source->where, "%s", error);
    }
    s->lap.batches += clock_now() - began;
    return true;
}

static void feed_rates(const struct trainer_stage *s, int64_t step)
{
    const double factor = phase_factor(s->phase, step - s->first);
    for (int i = 0; i < s->program->n_run; i++) {
        const struct hyper *h = &s->hyper[i];
        const int64_t count = (step - s->first) * h->run->update->repeat + h->run->repetition + 1;
        if (h->at)
            optimizer_numbers(&h->run->update->optimizer, factor, count, h->at);
    }
}

static bool trainer_feed(struct trainer *t, struct trainer_stage *s)
{
    for (int i = 0; i < s->n_mouth; i++)
        if (!feed_data(t, s, &s->mouth[i]))
            return false;
    feed_rates(s, t->step);
    return true;
}

static bool finite_losses(const struct trainer *t)
{
    for (int i = 0; i < t->n_measure; i++)
        if (!isfinite(*t->measure[i].at))
            return false;
    return true;
}

static bool sound(const struct trainer *t)
{
    return floats_finite(t->slab, t->experiment->slots.floats);
}

// The first slot that holds NaN or Inf; NULL: none does.
static const struct slot *unsound_slot(const struct trainer *t)
{
    const struct slots *all = &t->experiment->slots;
    const struct slot *found = NULL;
    for (int i = 0; i < all->n && !found; i++) {
        struct arena *scratch = arena_new(NULL);
        const struct slot *s = all->slot[i];
        if (!floats_finite(slot_get(s, t->slab, scratch), (size_t)shape_size(s->shape)))
            found = s;
        arena_free(scratch);
    }
    return found;
}

static bool recall_slab(struct trainer *t)
{
    const size_t n = t->experiment->slots.floats;
    if (!t->past || t->past_step < 0 || fseek(t->past, 0, SEEK_SET) ||
        fread(t->slab, sizeof *t->slab, n, t->past) != n)
        return false;
    t->step = t->past_step;
    return true;
}

// Runs the steps since a slab was kept once more, watching every value of the last of them, and
// returns the first that is not finite. NULL where it cannot be found, or is not to be.
static const struct value *find_culprit(struct trainer *t, struct trainer_stage *s,
                                        const struct observer *o, const volatile sig_atomic_t *stop)
{
    const int64_t diverged = t->step;
    const struct value *culprit = NULL;
    if (!recall_slab(t))
        return NULL;
    ASSERT(t->step >= s->first && t->step <= diverged);
    if (o->replay)
        o->replay(o->context, t, diverged);
    open_loaders(t, s);
    for (; t->step <= diverged && !culprit && !(stop && *stop); t->step++) {
        if (!trainer_feed(t, s))
            return NULL;
        if (t->step > diverged - WATCHED)
            culprit = plan_run_watched(s->plan, (uint64_t)t->step);
        else
            plan_run(s->plan, (uint64_t)t->step);
    }
    return culprit;
}

static void report_divergence(struct trainer *t, struct trainer_stage *s, const struct observer *o,
                              const volatile sig_atomic_t *stop)
{
    const int64_t diverged = t->step;
    const struct slot *slot = unsound_slot(t); // before the slab is that of the past
    const struct value *culprit = find_culprit(t, s, o, stop);
    const struct update_rule *rule = culprit ? update_rule_of(culprit) : NULL;
    if (culprit)
        fail(t->diag, culprit->where,
             "diverged at step %lld: %s gives NaN or Inf%s%s\na smaller learning rate, or another "
             "loss, may hold it",
             (long long)t->step, rule ? rule->name : culprit->op->name,
             culprit->label ? " in " : "", culprit->label ? culprit->label : "");
    else if (slot)
        fail(t->diag, slot->where, "diverged at step %lld: %s holds NaN or Inf",
             (long long)diverged + 1, slot->name);
    else
        fail(t->diag, (struct place){0}, "diverged at step %lld: a loss is NaN or Inf",
             (long long)diverged + 1);
}

static bool due(const struct trainer *t, int64_t every)
{
    return every > 0 && t->step % every == 0;
}

bool trainer_evaluation_due(const struct trainer *t)
{
    return t->step > 0 && (due(t, t->experiment->evaluate.every) || t->step == t->steps);
}

// Whether a checkpoint or scores are due: what they are of is looked at first.
static bool weights_wanted(const struct trainer *t, const struct observer *o, bool stopping)
{
    const bool last = t->step == t->steps;
    return (o->checkpoint && (due(t, t->experiment->checkpoint_every) || last || stopping)) ||
           (o->evaluate && trainer_evaluation_due(t));
}

// The checkpoint comes before the scores: they may take long, and what kills them should not cost
// the steps before. A stop asked for meanwhile leaves the scores to the resumed run.
static enum outcome trainer_tell(struct trainer *t, const struct observer *o,
                                 const volatile sig_atomic_t *stop)
{
    const struct experiment *e = t->experiment;
    const bool last = t->step == t->steps;
    if (o->progress)
        o->progress(o->context, t);
    if (o->metrics && (due(t, e->log_every) || t->step == 1 || last))
        o->metrics(o->context, t);
    if (o->samples && (due(t, e->samples.every) || last))
        o->samples(o->context, t);
    bool saved = !o->checkpoint;
    if (!saved && (due(t, e->checkpoint_every) || last)) {
        saved = true;
        if (!o->checkpoint(o->context, t))
            return OUTCOME_FAILED;
    }
    const bool scored = !o->evaluate || !trainer_evaluation_due(t) ||
                        (!(stop && *stop) && o->evaluate(o->context, t));
    if (!(stop && *stop))
        return scored ? OUTCOME_DONE : OUTCOME_FAILED;
    if (!saved && !o->checkpoint(o->context, t))
        return OUTCOME_FAILED;
    return last && scored ? OUTCOME_DONE : OUTCOME_INTERRUPTED;
}

// plan_run, its steps timed where that is wanted.
static void trainer_compute(const struct trainer *t, struct trainer_stage *s)
{
    if (t->timed)
        plan_profile(s->plan, (uint64_t)t->step, s->lap.step);
    else
        plan_run(s->plan, (uint64_t)t->step);
}

static struct timing recorded(const struct observer *o)
{
    const struct cost c = o->recording ? o->recording(o->context) : (struct cost){0};
    return (struct timing){.recording = c.held, .recorder = c.beside};
}

static void start_timing(const struct trainer *t, struct trainer_stage *s, const struct observer *o)
{
    const int n = t->timed ? plan_steps(s->plan) : 0;
    s->timing = (struct timing){.step = NEW_ARRAY(s->arena, double, n + 1)};
    s->lap = (struct timing){.step = NEW_ARRAY(s->arena, double, n + 1)};
    s->n_kept = 0;
    s->apart = 1;
    s->before = recorded(o);
}

// Half of those kept make room when it is full, so that they are spread over the whole run.
static void keep_lap(struct trainer_stage *s)
{
    if (s->n_kept == KEPT) {
        for (int i = 0; i < KEPT / 2; i++)
            s->kept[i] = s->kept[2 * i];
        s->n_kept = KEPT / 2;
        s->apart *= 2;
    }
    if (s->timing.n++ % s->apart == 0)
        s->kept[s->n_kept++] = (float)(s->lap.all - s->lap.observer);
}

static int trainer_ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void add_lap(const struct trainer *t, struct trainer_stage *s)
{
    struct timing *l = &s->timing;
    if (s->lap.all > 0) // or it was not completed
        keep_lap(s);
    for (int i = 0; t->timed && i < plan_steps(s->plan); i++)
        l->step[i] += s->lap.step[i];
    l->batches += s->lap.batches;
    l->observer += s->lap.observer;
    l->all += s->lap.all;
}

static void end_timing(struct trainer_stage *s, const struct observer *o)
{
    const struct timing now = recorded(o);
    s->timing.recording = now.recording - s->before.recording;
    s->timing.observer -= s->timing.recording;
    s->timing.recorder = now.recorder - s->before.recorder;
    qsort(s->kept, (size_t)s->n_kept, sizeof *s->kept, trainer_ascending);
    s->timing.median = s->n_kept ? (double)s->kept[s->n_kept / 2] : 0;
}

// What cannot be written is missed only where a run diverges.
static void keep_slab(struct trainer *t, double now)
{
    const size_t n = t->experiment->slots.floats;
    if (!t->past || now < t->past_due || (t->past_step >= 0 && t->step - t->past_step < WATCHED))
        return;
    const bool kept = sound(t) && !fseek(t->past, 0, SEEK_SET) &&
                      fwrite(t->slab, sizeof *t->slab, n, t->past) == n && !fflush(t->past);
    t->past_step = kept ? t->step : -1;
    t->past_due = now + SPARING * (clock_now() - now);
}

static enum outcome iterate(struct trainer *t, struct trainer_stage *s, const struct observer *o,
                            const volatile sig_atomic_t *stop)
{
    const double began = clock_now();
    ASSERT(t->step >= s->first && t->step < s->first + s->phase->steps);
    s->lap = (struct timing){.step = s->lap.step};
    keep_slab(t, began);
    if (!trainer_feed(t, s))
        return OUTCOME_FAILED;
    trainer_compute(t, s);
    const double computed = clock_now();
    if (!finite_losses(t))
        return OUTCOME_DIVERGED;
    t->step++;
    if (weights_wanted(t, o, stop && *stop) && !sound(t)) {
        t->step--; // the step that is not good
        return OUTCOME_DIVERGED;
    }
    const enum outcome told = trainer_tell(t, o, stop);
    const double ended = clock_now();
    s->lap.observer = ended - computed;
    s->lap.all = ended - began;
    return told;
}

static enum outcome run_stage(struct trainer *t, struct trainer_stage *s, const struct observer *o,
                              const volatile sig_atomic_t *stop)
{
    const int64_t end = s->first + s->phase->steps;
    enum outcome outcome = OUTCOME_DONE;
    t->past_step = -1;
    t->past_due = 0;
    open_loaders(t, s);
    start_timing(t, s, o);
    t->measure = s->measure;
    t->n_measure = s->n_measure;
    while (t->step < end && outcome == OUTCOME_DONE) {
        outcome = iterate(t, s, o, stop);
        if (s->warm || t->step == end)
            add_lap(t, s);
        else
            s->before = recorded(o);
        s->warm = true;
    }
    end_timing(s, o);
    if (outcome == OUTCOME_DIVERGED)
        report_divergence(t, s, o, stop);
    return outcome;
}

enum outcome trainer_run(struct trainer *t, const struct observer *o,
                         const volatile sig_atomic_t *stop)
{
    for (int i = 0; i < t->experiment->n_phase; i++) {
        struct trainer_stage *s = &t->stage[i];
        if (t->step >= s->first + s->phase->steps)
            continue;
        if (!stage_compile(t, s, i))
            return OUTCOME_FAILED;
        const enum outcome outcome = run_stage(t, s, o, stop);
        if (outcome != OUTCOME_DONE)
            return outcome;
    }
    return OUTCOME_DONE;
}
