// Reading a config as an experiment. Sections are read in the order in which they lean on one another, each by a closed table, and
// reading goes on after a mistake as long as what follows can still be judged. Then names are checked without building anything.
#include "lang/experiment.h"

#include "base/arena.h"
#include "base/workspace.h"
#include "lang/function.h"
#include "lang/sections.h"
#include "lang/silence.h"

#include <string.h>

const struct param compile_params[] = {
    {"minimal_filtering", PARAM_BOOL, offsetof(struct experiment, minimal_filtering), "true",
     .help = "convolutions by fewer products where that is faster"},
    PARAM_END};

// --- what sections share -------------------------------------------------------------------------

bool read_map(struct section_reader *r, const struct node *node, const char *what)
{
    if (!node || node->kind == NODE_NULL || node->kind == NODE_MAP)
        return true;
    return fail(r->d, node->where, "%s is not a map\nexpected names with what they stand for",
                what);
}

bool read_list(struct section_reader *r, const struct node *node, const char *what)
{
    if (!node || node->kind == NODE_NULL || node->kind == NODE_LIST)
        return true;
    return fail(r->d, node->where, "%s is not a list\nexpected a '-' before each", what);
}

bool few(struct section_reader *r, struct place where, int64_t n, const char *what)
{
    return n <= SEVERAL_MAX ||
           fail(r->d, where, "%lld %s\nexpected at most %d", (long long)n, what, SEVERAL_MAX);
}

bool claim(struct section_reader *r, const struct entry *entry, const char *what)
{
    if (!is_name(entry->key))
        return fail(
            r->d, entry->where,
            "'%s' is no name\nexpected letters, digits and '_', so that expressions can say it",
            entry->key);
    if (function_find(entry->key))
        return fail(r->d, entry->where,
                    "'%s' is a word of expressions\nexpected another name for this %s", entry->key,
                    what);
    const char *other = hash_map_get(&r->names, entry->key);
    if (other)
        return fail(r->d, entry->where,
                    "'%s' is the name of a %s already\n"
                    "sources, noise, networks and values share one space of names",
                    entry->key, other);
    hash_map_set(&r->names, entry->key, (void *)(uintptr_t)what);
    return true;
}

struct expression **read_expressions(struct section_reader *r, const struct node *node, int *n)
{
    const bool list = node->kind == NODE_LIST;
    *n = list ? node->n : 1;
    struct expression **is = NEW_ARRAY(r->arena, struct expression *, *n + 1);
    bool good = true;
    if (!few(r, node->where, *n, "expressions"))
        return NULL;
    for (int i = 0; i < *n; i++) {
        is[i] = expression_parse(r->arena, list ? node->entry[i].value : node, r->d);
        good &= is[i] != NULL;
    }
    if (!*n)
        return fail(r->d, node->where, "an empty list\nexpected at least one expression"), NULL;
    return good ? is : NULL;
}

static bool fail_no_network(struct section_reader *r, struct place where, const char *name)
{
    const struct experiment *e = r->e;
    const char *claimed = hash_map_get(&r->names, name);
    if (claimed && !strcmp(claimed, "network"))
        return false; // it is there, but broken, and that was said
    const char **known = NEW_ARRAY(r->arena, const char *, e->n_network + 1);
    for (int i = 0; i < e->n_network; i++)
        known[i] = e->network[i]->name;
    return fail_unknown(r->d, where, "network", name, known, (size_t)e->n_network);
}

static bool read_target(struct section_reader *r, const struct node *node, struct target *out)
{
    const struct expression *is = expression_parse(r->arena, node, r->d);
    if (!is)
        return false;
    const struct expression *name = is->kind == EXPR_FIELD ? is->arg[0] : is;
    if (name->kind != EXPR_NAME)
        return fail(
            r->d, is->where,
            "this names no network\nexpected a network, or a head of it: discriminator.class");
    *out = (struct target){experiment_network(r->e, name->name), -1, name->where};
    if (!out->network)
        return fail_no_network(r, name->where, name->name);
    if (is->kind == EXPR_NAME)
        return true;
    out->head = network_head(out->network, is->name);
    if (out->head < 0)
        return fail_unknown(r->d, is->where, "output", is->name, out->network->output,
                            *out->network->output[0] ? (size_t)out->network->n_output : 0);
    return true;
}

struct target *read_targets(struct section_reader *r, const struct node *node, int *n)
{
    const bool list = node->kind == NODE_LIST;
    *n = list ? node->n : 1;
    struct target *target = NEW_ARRAY(r->arena, struct target, *n + 1);
    bool good = true;
    if (!few(r, node->where, *n, "names of networks"))
        return NULL;
    for (int i = 0; i < *n; i++)
        good &= read_target(r, list ? node->entry[i].value : node, &target[i]);
    if (!*n)
        return fail(r->d, node->where, "an empty list\nexpected at least one network"), NULL;
    return good ? target : NULL;
}

// --- look-ups ------------------------------------------------------------------------------------

enum { NAMED_NETWORK, NAMED_SOURCE, NAMED_NOISE, NAMED_VALUE };

struct network *experiment_network(const struct experiment *e, const char *name)
{
    return hash_map_get(&e->by_name[NAMED_NETWORK], name);
}

struct data_source *experiment_source(const struct experiment *e, const char *name)
{
    return hash_map_get(&e->by_name[NAMED_SOURCE], name);
}

struct noise *experiment_noise(const struct experiment *e, const char *name)
{
    return hash_map_get(&e->by_name[NAMED_NOISE], name);
}

struct named_value *experiment_value(const struct experiment *e, const char *name)
{
    return hash_map_get(&e->by_name[NAMED_VALUE], name);
}

// After its section was read: the arrays stay where they are.
#define KNOW(map, list, count)        \
    for (int i = 0; i < (count); i++) \
    hash_map_set(&r->e->by_name[map], (list)[i].name, &(list)[i])

int64_t experiment_epoch(const struct experiment *e)
{
    const int64_t n = e->n_data ? e->data[0].dataset->count / e->data[0].batch : 1;
    return n > 0 ? n : 1;
}

void experiment_fill(const struct experiment *e, float *slab)
{
    slots_fill(&e->slots, slab, (uint64_t)e->seed);
    for (int i = 0; i < e->slots.n; i++) {
        const struct slot *s = e->slots.slot[i];
        if (s->kind != SLOT_AVERAGE)
            continue;
        // an average lies as what it is of: slot_layout
        ASSERT(s->of && shape_equal(s->of->shape, s->shape));
        memcpy(slab + s->offset, slab + s->of->offset, sizeof *slab * (size_t)shape_size(s->shape));
    }
}

// --- the whole -----------------------------------------------------------------------------------

// What inputs of networks may be like: a noise, by its name.
static const struct network_input *noise_inputs(struct section_reader *r)
{
    const struct experiment *e = r->e;
    struct network_input *in = NEW_ARRAY(r->arena, struct network_input, e->n_noise + 1);
    for (int i = 0; i < e->n_noise; i++)
        in[i] = (struct network_input){e->noise[i].name, e->noise[i].is, e->noise[i].where};
    return in;
}

static bool read_networks(struct section_reader *r, const struct root_options *root)
{
    struct experiment *e = r->e;
    bool good = true;
    if (!root->networks || root->networks->kind != NODE_MAP || !root->networks->n)
        return fail(r->d, root->networks ? root->networks->where : r->e->config->root->where,
                    "there are no networks\nexpected networks: {generator: {inputs: {z: 100}, "
                    "layers: […]}, …}");
    if (!few(r, root->networks->where, root->networks->n, "networks"))
        return false;
    for (int i = 0; i < root->networks->n; i++)
        good &= claim(r, &root->networks->entry[i], "network");
    e->network = networks_read(r->arena, root->networks, root->templates, noise_inputs(r),
                               &e->slots, &e->n_network, r->d);
    if (!e->network)
        e->n_network = 0;
    for (int i = 0; i < e->n_network; i++)
        hash_map_set(&e->by_name[NAMED_NETWORK], e->network[i]->name, e->network[i]);
    return good && e->network;
}

static bool read_sections(struct section_reader *r, const struct root_options *root)
{
    const struct place whole = r->e->config->root->where;
    bool good = param_read(compile_params, root->compile,
                           root->compile ? root->compile->where : whole, "`compile:`", r->e,
                           r->arena, r->d);
    good &= read_data(r, root->data);
    KNOW(NAMED_SOURCE, r->e->data, r->e->n_data);
    good &= read_noise(r, root->noise);
    good &= few(r, root->noise ? root->noise->where : whole, r->e->n_noise, "noises");
    KNOW(NAMED_NOISE, r->e->noise, r->e->n_noise);
    good &= read_networks(r, root);
    good &= read_values(r, root->values);
    KNOW(NAMED_VALUE, r->e->value, r->e->n_value);
    good &= read_games(r, root->games);
    good &= read_terms(r, root->terms);
    good &= read_train(r, root->train, whole);
    good &= read_samples(r, root->samples);
    good &= read_evaluate(r, root->evaluate);
    return good;
}

struct experiment *experiment_parse(struct arena *a, const struct config *config, struct diag *d)
{
    struct experiment *e = NEW(a, struct experiment);
    struct section_reader r = {.e = e, .arena = a, .d = d};
    struct root_options root = {0};
    *e = (struct experiment){.arena = a, .config = config, .workspace = workspace_new(a)};
    hash_map_init(&r.names, a);
    for (size_t i = 0; i < LENGTH(e->by_name); i++)
        hash_map_init(&e->by_name[i], a);
    e->questions = NEW(a, uint64_t);
    slots_init(&e->slots, a);
    const int errors = diag_errors(d);
    const bool good = param_read(root_params, config->root, config->root->where, "the config",
                                 &root, a, d);
    silence_read(d, root.silence);
    e->name = root.name;
    e->about = root.about ? root.about : "";
    e->paper = root.paper ? root.paper : "";
    e->seed = root.seed;
    e->precision = root.precision;
    if (!read_sections(&r, &root) || !good || !check_expressions(&r))
        return NULL;
    return check_experiment(&r) && diag_errors(d) == errors ? e : NULL;
}
