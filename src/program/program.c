// A training iteration as one graph. Updates are laid end to end: each builds its losses on the
// current versions of all slots, differentiates them, and only then writes new versions; where
// updates are simultaneous, all do the first before any does the second. What two updates share
// (the fake that one critic judges and the generator is trained on) is the same value in both, and
// is computed once; what none needs is swept away. A graph per update would be simpler to schedule,
// and would compute every fake twice.
#include "program/program.h"

#include "base/arena.h"
#include "base/philox.h"
#include "base/size.h"
#include "ir/op.h"
#include "ir/reach.h"
#include "program/builder.h"
#include "lang/meaning.h"

#include <string.h>

// --- one update ----------------------------------------------------------------------------------

// A run that has its gradients and has not taken its step yet.
struct pending {
    struct update_run *run;
    struct target *of; // by slot of the run: the network and head it belongs to
    int n;
    struct application **touched;
    int n_touched;
};

// The weights of what the update names, as far as its loss depends on them.
static void list_slots(struct builder *b, struct pending *p)
{
    struct update_run *run = p->run;
    const struct update *u = run->update;
    struct reach is = reach_open(run->loss, OP_NO_GRAD | OP_EFFECT);
    bool *listed = NEW_ARRAY(is.arena, bool, b->e->slots.n + 1);
    for (int i = 0; i < u->n_train; i++) {
        const struct network *net = u->train[i].network;
        for (int j = 0; j < net->n_param; j++) {
            struct target of = {u->train[i].network, net->param_head[j], {0}};
            struct slot *slot = net->param[j];
            struct value *before = slot->index < b->versions.n ? b->versions.current[slot->index]
                                                               : NULL;
            if (!target_covers(u->train[i], of) || !before || reach_position(&is, before) < 0 ||
                listed[slot->index])
                continue;
            listed[slot->index] = true;
            APPEND(b->arena, run->slot, run->n, slot);
            APPEND(b->arena, p->of, p->n, of);
        }
    }
    reach_close(&is);
}

static double clip_of(const struct experiment *e, const struct update *u, const struct network *net)
{
    for (int i = 0; i < e->n_game; i++)
        if (e->game[i].clip > 0 && e->game[i].critic.network == net &&
            update_takes_critic(u, &e->game[i]))
            return e->game[i].clip;
    return 0;
}

static void differentiate(struct builder *b, struct update_run *run)
{
    run->before = NEW_ARRAY(b->arena, struct value *, run->n);
    run->gradient = NEW_ARRAY(b->arena, struct value *, run->n);
    for (int i = 0; i < run->n; i++)
        run->before[i] = versions_read(&b->versions, run->slot[i]);
    gradient(run->loss, run->before, run->n, run->gradient);
}

static void step(struct builder *b, const struct pending *p)
{
    struct graph *g = b->graph;
    struct update_run *run = p->run;
    run->after = NEW_ARRAY(b->arena, struct value *, run->n);
    g->where = run->update->where;
    struct value *hyper = input(g, run->hyper, SHAPE(UPDATE_NUMBERS));
    for (int i = 0; i < run->n; i++) {
        const double clip = clip_of(b->e, run->update, p->of[i].network);
        g->where = run->slot[i]->where;
        struct value *after = optimize(b, run->update, run->slot[i], p->of[i], run->gradient[i],
                                       hyper);
        run->after[i] = clip > 0 ? clip_slot(after, -clip, clip) : after;
        versions_write(&b->versions, run->slot[i], run->after[i]);
    }
    g->where = run->update->where;
}

// Running statistics of the networks that this update trains, whole; a head's follow only what the
// head was asked about.
static void track(struct builder *b, const struct pending *p)
{
    struct reach is = reach_open(p->run->loss, OP_EFFECT);
    for (int i = 0; i < p->n_touched; i++) {
        const struct application *app = p->touched[i];
        if (!update_trains(p->run->update, (struct target){app->network, -1, {0}}))
            continue;
        for (int j = 0; j < app->n_tracked; j++) {
            const struct tracked *t = &app->tracked[j];
            if (reach_position(&is, t->of) < 0)
                continue;
            struct value *before = versions_read(&b->versions, t->buffer);
            b->graph->where = t->buffer->where;
            versions_write(&b->versions, t->buffer, lerp_slot(before, t->x, t->t));
        }
    }
    reach_close(&is);
}

static void stamp(struct builder *b, const struct update *u)
{
    for (int i = 0; i < u->n_train; i++)
        b->stamp[u->train[i].network->number]++;
}

static void name_roots(struct builder *b, const struct update_run *run)
{
    const int U = run->update->number;
    graph_root(b->graph, arena_printf(b->arena, "loss/%d", U), run->loss);
    for (int i = 0; i < run->n_part; i++)
        graph_root(b->graph, arena_printf(b->arena, "loss/%d/%s", U, run->part[i].name),
                   run->part[i].value);
}

// Losses and gradients, of the networks as they are.
static bool program_look(struct builder *b, struct pending *p)
{
    struct update_run *run = p->run;
    const int from = b->graph->n;
    builder_look(b);
    run->hyper = arena_printf(b->arena, "hyper/%d@%d", run->update->number, run->repetition);
    run->loss = build_losses(b, run);
    if (!run->loss)
        return false;
    list_slots(b, p);
    if (!run->n)
        return fail(b->d, run->update->where,
                    "this update trains nothing: its losses do not depend on a weight of '%s'\n"
                    "expected an expression without detach() around it",
                    run->update->train[0].network->name);
    differentiate(b, run);
    p->touched = b->touched;
    p->n_touched = b->n_touched;
    if (b->traced)
        trace_run(b, run, from);
    return true;
}

// The networks change.
static void act(struct builder *b, const struct pending *p)
{
    step(b, p);
    track(b, p);
    stamp(b, p->run->update);
    if (p->run->repetition == p->run->update->repeat - 1)
        name_roots(b, p->run);
}

// --- draws ---------------------------------------------------------------------------------------

// Draw 0 is the iteration's own; a turn takes a new one, and each of its updates another, for what
// they draw anew.
static int take_draw(const struct experiment *e, const bool *noise, const bool *data, int *next)
{
    bool any = false;
    for (int i = 0; i < e->n_noise; i++)
        any |= noise[i];
    for (int i = 0; i < e->n_data; i++)
        any |= data[i];
    return any ? (*next)++ : 0;
}

static void take_draws(struct builder *b, const struct turn *turn, int draw, const struct update *u,
                       int *next)
{
    const int own = take_draw(b->e, u->fresh_noise, u->fresh_data, next);
    for (int i = 0; i < b->e->n_noise; i++)
        b->noise_draw[i] = u->fresh_noise[i] ? own : turn->fresh_noise[i] ? draw : 0;
    for (int i = 0; i < b->e->n_data; i++)
        b->data_draw[i] = u->fresh_data[i] ? own : turn->fresh_data[i] ? draw : 0;
}

static struct feed *feed_of(struct program *p, struct arena *a, const struct source_input *in)
{
    for (int i = p->n_feed; i--;) // the fields of a draw are asked for one after the other
        if (p->feed[i].source == in->source && p->feed[i].draw == in->draw)
            return &p->feed[i];
    struct feed feed = {.source = in->source, .draw = in->draw};
    APPEND(a, p->feed, p->n_feed, feed);
    return &p->feed[p->n_feed - 1];
}

bool survives(const struct graph *g, const struct value *v)
{
    return v->id < g->n && g->value[v->id] == v;
}

static void list_feeds(struct program *p, const struct builder *b, struct arena *a)
{
    for (int i = 0; i < b->n_input; i++)
        if (b->input[i].source && survives(p->graph, b->input[i].value))
            feed_of(p, a, &b->input[i])->name[b->input[i].field] = b->input[i].value->attr.name;
}

// --- programs ------------------------------------------------------------------------------------

static bool build_repetition(struct program *p, struct builder *b, struct arena *a,
                             const struct turn *turn, int repetition, int *next_draw)
{
    const int draw = take_draw(b->e, turn->fresh_noise, turn->fresh_data, next_draw);
    struct update_run *run = NEW_ARRAY(a, struct update_run, turn->n_update);
    struct pending *pending = NEW_ARRAY(a, struct pending, turn->n_update);
    for (int i = 0; i < turn->n_update; i++) {
        run[i] = (struct update_run){.update = &turn->update[i], .repetition = repetition};
        pending[i].run = &run[i];
        take_draws(b, turn, draw, run[i].update, next_draw);
        if (!program_look(b, &pending[i]))
            return false;
    }
    for (int i = 0; i < turn->n_update; i++) {
        act(b, &pending[i]);
        APPEND(a, p->run, p->n_run, run[i]);
    }
    return true;
}

// What an iteration may come to, unrolled: planning takes minutes beyond it.
// One repetition draws less often than NOISE_SECOND − DRAWS_MAX times: it has at most a thousand updates.
enum { VALUES_MAX = 250 * 1000, DRAWS_MAX = 30 * 1000, TRIAL_REPETITIONS = 2 };

static bool fits_in_plan(struct builder *b, const struct turn *turn, int64_t draws)
{
    const int64_t n = b->graph->n + b->not_built;
    const bool large = n > VALUES_MAX;
    if (!large && draws <= DRAWS_MAX)
        return true;
    b->refused = true;
    return fail(b->d, turn->update->where,
                "up to here an iteration %s %lld %s, repetitions written out\n"
                "expected at most %d: fewer updates, or a smaller `repeat:`",
                large ? "is" : "draws", (long long)(large ? n : draws),
                large ? "operations" : "times", large ? VALUES_MAX : DRAWS_MAX);
}

static bool build_turn(struct program *p, struct builder *b, struct arena *a,
                       const struct turn *turn, int *next_draw)
{
    const int n = b->trial && turn->repeat > TRIAL_REPETITIONS ? TRIAL_REPETITIONS : turn->repeat;
    int64_t values = 0, draws = 0; // of one repetition
    for (int i = 0; i < n; i++) {
        values = b->graph->n;
        draws = *next_draw;
        if (!build_repetition(p, b, a, turn, i, next_draw))
            return false;
        values = b->graph->n - values;
        draws = *next_draw - draws;
        if (!fits_in_plan(b, turn, *next_draw))
            return false;
    }
    b->not_built += (turn->repeat - n) * values;
    draws = *next_draw + (turn->repeat - n) * draws;
    *next_draw = (int)(draws < DRAWS_MAX ? draws : DRAWS_MAX);
    return fits_in_plan(b, turn, draws);
}

enum training_kind { TRAINING, TRAINING_TRACED, TRAINING_TRIAL };

static struct program *build_training(struct experiment *e, int phase, enum training_kind kind,
                                      struct arena *a, struct diag *d)
{
    const bool traced = kind == TRAINING_TRACED;
    struct program *p = NEW(a, struct program);
    struct builder b;
    int next_draw = 1;
    bool good = true;
    *p = (struct program){.experiment = e, .phase = &e->phase[phase], .graph = graph_new(a)};
    p->graph->minimal_filtering = e->minimal_filtering;
    p->graph->chooser = e->chooser;
    p->graph->precision = e->precision == PRECISION_BF16 ? TYPE_BF16 : TYPE_F32;
    builder_init(&b, e, p->graph, e->batch, true, d);
    b.traced = traced;
    b.trial = kind == TRAINING_TRIAL;
    for (int i = 0; i < p->phase->n_turn && !b.refused; i++)
        good &= build_turn(p, &b, a, &p->phase->turn[i], &next_draw);
    if (!good || !graph_fits(p->graph, d))
        return NULL;
    average(&b);
    graph_drop_unneeded(p->graph);
    if (traced)
        trace_draws(&b);
    graph_verify(p->graph, "model");
    list_feeds(p, &b, a);
    return p;
}

struct program *program_training(struct experiment *e, int phase, struct arena *a, struct diag *d)
{
    return build_training(e, phase, TRAINING, a, d);
}

struct program *program_trial(struct experiment *e, int phase, struct arena *a, struct diag *d)
{
    return build_training(e, phase, TRAINING_TRIAL, a, d);
}

struct program *program_traced(struct experiment *e, int phase, struct arena *a, struct diag *d)
{
    return build_training(e, phase, TRAINING_TRACED, a, d);
}

// --- sampling ------------------------------------------------------------------------------------

static void use_averages(struct builder *b)
{
    struct experiment *e = b->e;
    for (int i = 0; i < e->n_network; i++)
        for (int j = 0; e->ema[i] && j < e->network[i]->n_param; j++) {
            struct slot *of = e->network[i]->param[j];
            versions_write(&b->versions, of, param(b->graph, average_slot(e, of)));
        }
}

static const struct expression *parse(struct experiment *e, struct arena *a, const char *expression,
                                      struct diag *d)
{
    struct source *source = NEW(a, struct source);
    struct node *node = NEW(a, struct node);
    *source = (struct source){"expression", arena_strdup(a, expression)};
    *node = (struct node){.kind = NODE_SCALAR,
                          .where = {source, 1, 1, (int)strlen(expression)},
                          .text = source->text,
                          .verbatim = true};
    const struct expression *is = expression_parse(a, node, d);
    return is && check_expression(e, is, d) ? is : NULL;
}

static void list_inputs(struct program *p, const struct builder *b, struct arena *a)
{
    for (int i = 0; i < b->n_input; i++) {
        const struct source_input *in = &b->input[i];
        if (!survives(p->graph, in->value))
            continue;
        struct program_input is = {in->value->attr.name, in->value->shape, in->noise, in->source,
                                   in->field};
        APPEND(a, p->input, p->n_input, is);
    }
}

struct program *program_sampling(struct experiment *e, struct arena *a, int64_t batch,
                                 const char *expression, bool ema, struct diag *d)
{
    const struct expression *is = expression ? parse(e, a, expression, d) : e->samples.of[0];
    return is ? program_sampling_of(e, a, batch, is, ema, d) : NULL;
}

struct program *program_sampling_of(struct experiment *e, struct arena *a, int64_t batch,
                                    const struct expression *is, bool ema, struct diag *d)
{
    struct program *p = NEW(a, struct program);
    struct operand sample;
    struct builder b;
    *p = (struct program){.experiment = e, .graph = graph_new(a)};
    p->graph->minimal_filtering = e->minimal_filtering;
    p->graph->precision = e->precision == PRECISION_BF16 ? TYPE_BF16 : TYPE_F32;
    builder_init(&b, e, p->graph, batch, false, d);
    b.host = true;
    if (ema)
        use_averages(&b);
    if (!builder_value(&b, is, &sample))
        return NULL;
    if (!sample.value || !sample.value->shape.rank) {
        fail(d, is->where,
             "this is one number, not a sample\n"
             "expected an expression that gives something for each sample");
        return NULL;
    }
    graph_root(p->graph, "sample", sample.value);
    p->sample = sample.is;
    graph_drop_unneeded(p->graph);
    graph_verify(p->graph, "model");
    list_inputs(p, &b, a);
    return p;
}

// --- noise on the host ---------------------------------------------------------------------------

// FNV-1a of the name, so that a noise keeps its numbers when another is added before it
WRAPS static uint64_t name_hash(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

WRAPS void noise_fill(const struct noise *n, uint64_t seed, uint64_t draw, int64_t batch, float *to)
{
    struct rng r;
    rng_init(&r, seed, name_hash(n->name) + draw * 0x9e3779b97f4a7c15u);
    for (int64_t i = 0; i < batch; i++)
        n->kind->fill(n, &r, to + i * shape_size(n->is.shape));
}
