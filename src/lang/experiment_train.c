// How long, with which optimizers, in which order: the section `train:`.
#include "base/arena.h"
#include "lang/sections.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

// What `train:` and each of its phases can say.
struct train_options {
    const char *name;
    int64_t steps, log_every;
    double epochs;
    const struct node *optimizer, *lr_schedule, *iteration, *phases, *ema, *checkpoint;
};

#define AT(field) offsetof(struct train_options, field)
#define COMMON                                                                                 \
    {"steps", PARAM_INT, AT(steps), "", 1, STEPS_MAX, .help = "iterations"},                   \
        {"epochs",                                                                             \
         PARAM_FLOAT,                                                                          \
         AT(epochs),                                                                           \
         "",                                                                                   \
         0,                                                                                    \
         1e9,                                                                                  \
         .help = "instead of steps: passes over the first source"},                            \
        {"optimizer", PARAM_NODE,           AT(optimizer),                                     \
         "",          .takes = "optimizer", .help = "how weights move along their gradients"}, \
        {"lr_schedule",                                                                        \
         PARAM_NODE,                                                                           \
         AT(lr_schedule),                                                                      \
         "",                                                                                   \
         .takes = "schedule, or list",                                                         \
         .help = "factors of the learning rate; a list multiplies"},                           \
    {                                                                                          \
        "iteration", PARAM_NODE, AT(iteration), "", .takes = "list of updates",                \
                                                    .help = "the updates, in order"            \
    }

const struct param train_params[] = {
    COMMON,
    {"phases", PARAM_NODE, AT(phases), "", .takes = "list of phases",
     .help = "stretches of training, each with its own steps and iteration"},
    {"ema", PARAM_NODE, AT(ema), "", .takes = "decay, or map",
     .help = "averages of weights for sampling: a decay"},
    {"checkpoint", PARAM_NODE, AT(checkpoint), "", .takes = "steps, or map",
     .help = "every so many steps; how many are kept"},
    {"log_every", PARAM_INT, AT(log_every), "50", 1, STEPS_MAX,
     .help = "steps between logged losses"},
    PARAM_END};
const struct param phase_params[] = {
    {"name", PARAM_TEXT, AT(name), .help = "of the phase"}, COMMON, PARAM_END};

// --- updates -------------------------------------------------------------------------------------

struct turn_options {
    const struct node *update, *simultaneous, *fresh, *optimizer;
    int64_t repeat;
};

#define UP(field) offsetof(struct turn_options, field)
#define TRAINED                                                       \
    {                                                                 \
        "update", PARAM_NODE, UP(update), "",                         \
            .takes = "network, head, or list",                        \
            .help = "the network trained, or a head of it, or a list" \
    }
#define FRESH                                                                     \
    {"fresh",                                                                     \
     PARAM_NODE,                                                                  \
     UP(fresh),                                                                   \
     "",                                                                          \
     .takes = "name, or list",                                                    \
     .help = "noise and data drawn anew for this"},                               \
    {                                                                             \
        "optimizer", PARAM_NODE, UP(optimizer), "",                               \
            .takes = "optimizer", .help = "of this, instead of `train.optimizer`" \
    }
const struct param update_params[] = {
    TRAINED,
    {"simultaneous", PARAM_NODE, UP(simultaneous), "", .takes = "list of updates",
     .help = "instead: updates that all read what was there before any of them"},
    {"repeat", PARAM_INT, UP(repeat), "1", 1, 1000, .help = "times, each with draws of its own"},
    FRESH,
    PARAM_END};
const struct param simultaneous_params[] = {TRAINED, FRESH, PARAM_END};

// What `node` names, in flags by index, all of which a repetition sets; NULL: nothing more.
static bool read_fresh(struct section_reader *r, const struct node *node, bool repeats,
                       bool **noise_of, bool **sources)
{
    struct experiment *e = r->e;
    const bool list = node && node->kind == NODE_LIST;
    *noise_of = NEW_ARRAY(r->arena, bool, e->n_noise + 1);
    *sources = NEW_ARRAY(r->arena, bool, e->n_data + 1);
    memset(*noise_of, repeats, (size_t)e->n_noise);
    memset(*sources, repeats, (size_t)e->n_data);
    for (int i = 0; node && i < (list ? node->n : 1); i++) {
        const struct node *name = list ? node->entry[i].value : node;
        if (name->kind != NODE_SCALAR)
            return fail(r->d, name->where,
                        "this names nothing that is drawn\nexpected a noise or a source of data");
        const struct noise *noise = experiment_noise(e, name->text);
        const struct data_source *source = experiment_source(e, name->text);
        if (noise)
            (*noise_of)[noise - e->noise] = true;
        else if (source)
            (*sources)[source - e->data] = true;
        else
            return fail(r->d, name->where,
                        "'%s' is not drawn\nexpected a noise or a source of data", name->text);
    }
    return true;
}

static bool read_trained(struct section_reader *r, const struct node *node, struct update *u)
{
    int n;
    bool good = (u->train = read_targets(r, node, &n)) != NULL;
    u->n_train = good ? n : 0;
    for (int i = 0; good && i < n; i++)
        if (u->train[i].network->frozen)
            good = fail(r->d, u->train[i].where,
                        "network '%s' is frozen\nremove `frozen: true`, or this update",
                        u->train[i].network->name);
    return good;
}

static bool read_update(struct section_reader *r, const struct turn_options *o,
                        const struct node *fresh, const struct node *optimizer, struct update *u)
{
    *u = (struct update){
        .number = r->e->n_update++, .where = o->update->where, .repeat = (int)o->repeat};
    bool good = read_trained(r, o->update, u);
    good &= read_fresh(r, fresh, false, &u->fresh_noise, &u->fresh_data);
    if (!optimizer)
        return fail(r->d, u->where,
                    "nothing says how to update\nexpected `optimizer: adam` here or in `train:`");
    return optimizer_read(r->arena, optimizer, &u->optimizer, r->d) && good;
}

static bool read_options(struct section_reader *r, const struct node *node,
                         const struct param *table, struct turn_options *o)
{
    if (node->kind != NODE_MAP)
        return fail(r->d, node->where, "an update is a map\nexpected 'update: NETWORK'");
    if (!param_read(table, node, node->where, "the update", o, r->arena, r->d))
        return false;
    if (o->update && o->simultaneous)
        return fail(r->d, o->simultaneous->where,
                    "both an update and simultaneous ones\nexpected one of them in an entry");
    return o->update || o->simultaneous ||
           fail(r->d, node->where,
                "nothing is updated here\nexpected `update:` with a network, or `simultaneous:` "
                "with a list of updates");
}

// --- simultaneous updates ------------------------------------------------------------------------

// What one of them trains no other may: both would begin where it was.
static bool check_disjoint(struct section_reader *r, const struct turn *turn,
                           const struct update *u)
{
    for (int i = 0; i < u->n_train; i++)
        for (const struct update *v = turn->update; v < u; v++)
            for (int j = 0; j < v->n_train; j++)
                if (target_covers(v->train[j], u->train[i]) ||
                    target_covers(u->train[i], v->train[j]))
                    return fail(r->d, u->train[i].where,
                                "'%s' is trained by two simultaneous updates (line %d)\n"
                                "expected each network, or each head of it, in one of them",
                                u->train[i].network->name, v->train[j].where.line);
    return true;
}

static bool read_beside(struct section_reader *r, const struct node *node,
                        const struct turn_options *all, const struct node *optimizer,
                        struct turn *turn)
{
    struct turn_options o = {0};
    if (node_get(node, "simultaneous"))
        return fail(r->d, node_get(node, "simultaneous")->where,
                    "simultaneous updates among simultaneous updates\nexpected one list of them");
    if (node_get(node, "repeat"))
        return fail(r->d, node_entry(node, "repeat")->where,
                    "one of simultaneous updates cannot repeat: its second time would read what "
                    "its first has written\nexpected `repeat:` beside `simultaneous:`");
    if (!read_options(r, node, simultaneous_params, &o))
        return false;
    o.repeat = all->repeat;
    struct update *u = &turn->update[turn->n_update++];
    return read_update(r, &o, o.fresh, o.optimizer ? o.optimizer : optimizer, u) &&
           check_disjoint(r, turn, u);
}

static bool read_simultaneous(struct section_reader *r, const struct turn_options *o,
                              const struct node *optimizer, struct turn *turn)
{
    const struct node *list = o->simultaneous;
    bool good = true;
    if (list->kind != NODE_LIST || list->n < 2)
        return fail(r->d, list->where,
                    "these are not several updates\nexpected a list of at least two: "
                    "[update: critic, update: generator]");
    for (int i = 0; i < list->n; i++)
        good &= read_beside(r, list->entry[i].value, o, optimizer, turn);
    return good;
}

// --- iterations ----------------------------------------------------------------------------------

static bool read_turn(struct section_reader *r, const struct node *node,
                      const struct node *optimizer, struct phase *phase)
{
    struct turn_options o = {0};
    struct turn *turn = &phase->turn[phase->n_turn++];
    *turn = (struct turn){.update = phase->update + phase->n_update};
    if (!read_options(r, node, update_params, &o))
        return false;
    turn->repeat = (int)o.repeat;
    bool good = read_fresh(r, o.fresh, o.repeat > 1, &turn->fresh_noise, &turn->fresh_data);
    if (o.optimizer)
        optimizer = o.optimizer;
    if (o.simultaneous)
        good &= read_simultaneous(r, &o, optimizer, turn);
    else
        good &= read_update(r, &o, NULL, optimizer, &turn->update[turn->n_update++]);
    ASSERT(turn->n_update > 0 || !good);
    phase->n_update += turn->n_update;
    return good;
}

static int updates_in(const struct node *iteration)
{
    int n = 0;
    for (int i = 0; i < iteration->n; i++) {
        const struct node *list = node_get(iteration->entry[i].value, "simultaneous");
        n += list && list->kind == NODE_LIST ? list->n : 1;
    }
    return n;
}

static bool read_iteration(struct section_reader *r, const struct node *node,
                           const struct node *optimizer, struct phase *phase)
{
    bool good = true;
    if (!node || node->kind != NODE_LIST || !node->n)
        return fail(r->d, node ? node->where : phase->where,
                    "nothing is updated\nexpected `iteration:` with a list of updates");
    if (!few(r, node->where, r->e->n_update + updates_in(node), "updates"))
        return false;
    phase->update = NEW_ARRAY(r->arena, struct update, updates_in(node));
    phase->turn = NEW_ARRAY(r->arena, struct turn, node->n);
    for (int i = 0; i < node->n; i++)
        good &= read_turn(r, node->entry[i].value, optimizer, phase);
    ASSERT(phase->n_update <= updates_in(node) && phase->n_turn == node->n);
    return good;
}

// --- phases --------------------------------------------------------------------------------------

// What the phase does not say comes from `outer`.
static bool read_phase(struct section_reader *r, const struct node *node,
                       const struct train_options *o, const struct train_options *outer,
                       struct phase *phase)
{
    const double epoch = (double)experiment_epoch(r->e);
    const struct node *optimizer = o->optimizer ? o->optimizer : outer->optimizer;
    bool good = true;
    if (!o->steps == !(o->epochs > 0))
        good = fail(r->d, phase->where,
                    o->steps ? "both steps and epochs\nexpected one of them"
                             : "nothing says how long to train\nexpected `steps:` or `epochs:`");
    if (o->epochs * epoch > STEPS_MAX)
        return fail(r->d, node_get(node, "epochs")->where,
                    "%g epochs are %.0f steps\nexpected at most %d", o->epochs,
                    ceil(o->epochs * epoch), STEPS_MAX);
    phase->steps = o->steps ? o->steps : (int64_t)ceil(o->epochs * epoch);
    good &= read_schedules(r, o->lr_schedule ? o->lr_schedule : outer->lr_schedule, phase);
    return read_iteration(r, o->iteration, optimizer, phase) && good;
}

static bool read_phases(struct section_reader *r, const struct train_options *outer)
{
    struct experiment *e = r->e;
    const struct node *list = outer->phases;
    bool good = read_list(r, list, "`phases:`");
    if (!good || list->kind != NODE_LIST || !list->n)
        return fail(r->d, list->where,
                    "there are no phases\nexpected a list of them, each with a name, steps and an "
                    "iteration");
    if (outer->iteration || outer->steps || outer->epochs > 0)
        good = fail(r->d, list->where,
                    "both phases and an iteration of `train:` itself\n"
                    "steps, epochs and iteration belong into the phases");
    e->phase = NEW_ARRAY(r->arena, struct phase, list->n);
    int64_t steps = 0;
    for (int i = 0; i < list->n; i++) {
        const struct node *node = list->entry[i].value;
        struct train_options o = {0};
        struct phase *phase = &e->phase[e->n_phase++];
        if (!param_read(phase_params, node, node->where, "the phase", &o, r->arena, r->d)) {
            good = false;
            continue;
        }
        *phase = (struct phase){.name = o.name, .where = node->where};
        good &= read_phase(r, node, &o, outer, phase);
        steps += phase->steps;
    }
    if (steps > STEPS_MAX)
        good = fail(r->d, list->where,
                    "the phases have %" PRId64 " steps together\nexpected at most %d", steps,
                    STEPS_MAX);
    return good;
}

// --- averages, checkpoints -----------------------------------------------------------------------

struct ema_options {
    double decay;
    const struct node *networks;
};
const struct param ema_params[] = {
    {"decay", PARAM_FLOAT, offsetof(struct ema_options, decay), .min = 0, .max = 0.9999999,
     .help = "how much of the average stays in a step"},
    {"networks", PARAM_NODE, offsetof(struct ema_options, networks), "",
     .takes = "network, or list", .help = "which; all that are no critics, unless said"},
    PARAM_END};

static bool network_is_critic(const struct experiment *e, const struct network *net)
{
    for (int i = 0; i < e->n_game; i++)
        if (e->game[i].critic.network == net)
            return true;
    return false;
}

static bool read_ema(struct section_reader *r, const struct node *node)
{
    struct experiment *e = r->e;
    struct ema_options o = {0};
    int n = 0;
    e->ema = NEW_ARRAY(r->arena, bool, e->n_network + 1);
    if (!node)
        return true;
    if (!param_read(ema_params, node, node->where, "`ema:`", &o, r->arena, r->d))
        return false;
    e->ema_decay = o.decay;
    const struct target *named = o.networks ? read_targets(r, o.networks, &n) : NULL;
    if (o.networks && !named)
        return false;
    for (int i = 0; i < e->n_network; i++) {
        e->ema[i] = !named && !network_is_critic(e, e->network[i]) && !e->network[i]->frozen;
        for (int j = 0; j < n; j++)
            e->ema[i] |= named[j].network == e->network[i];
    }
    return true;
}

const struct param checkpoint_params[] = {
    {"every", PARAM_INT, offsetof(struct experiment, checkpoint_every), "", 0, STEPS_MAX,
     .help = "steps; 0: only at the end"},
    {"keep", PARAM_INT, offsetof(struct experiment, checkpoint_keep), "2", 1, STEPS_MAX,
     .help = "the last so many stay"},
    PARAM_END};

bool read_train(struct section_reader *r, const struct node *train, struct place where)
{
    struct experiment *e = r->e;
    struct train_options o = {0};
    if (!train)
        return fail(r->d, where,
                    "nothing says how to train\nexpected `train:` with steps, an optimizer and an "
                    "iteration");
    if (!param_read(train_params, train, train->where, "`train:`", &o, r->arena, r->d))
        return false;
    e->log_every = o.log_every;
    bool good = read_ema(r, o.ema);
    good &= param_read(checkpoint_params, o.checkpoint, train->where, "`checkpoint:`", e, r->arena,
                       r->d);
    if (o.phases)
        return read_phases(r, &o) && good;
    e->phase = NEW(r->arena, struct phase);
    e->n_phase = 1;
    *e->phase = (struct phase){.name = "", .where = train->where};
    return read_phase(r, train, &o, &o, e->phase) && good;
}
