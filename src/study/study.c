#include "study/study.h"

#include "base/arena.h"
#include "program/program.h"
#include "store/rundir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct study_options {
    const char *question, *base, *column, *score;
    struct ints seeds;
    struct node *set, *vary;
    const char *const *override; // of the command line
    int n_override;
};

#define AT(field) offsetof(struct study_options, field)
static const struct param params[] = {
    {"question", PARAM_TEXT, AT(question), NULL, .help = "what is asked"},
    {"base", PARAM_TEXT, AT(base), "", .help = "the config that is varied, from this file"},
    {"vary", PARAM_NODE, AT(vary), NULL,
     .help = "variations: a name, and its override or overrides, or base: and set: of its own"},
    {"set", PARAM_NODE, AT(set), "", .help = "overrides of every trial"},
    {"seeds", PARAM_INTS, AT(seeds), "[0, 1, 2]", 0, 0x1p63,
     .help = "each variation runs once with each"},
    {"column", PARAM_TEXT, AT(column), "variation", .help = "what the variations are"},
    {"score", PARAM_TEXT, AT(score), "inception_score", .help = "what the table shows"},
    PARAM_END};

struct variation_options {
    const char *base;
    struct node *set;
};
static const struct param variation_params[] = {
    {"base", PARAM_TEXT, offsetof(struct variation_options, base), "",
     .help = "the config, where it is another than the study's"},
    {"set", PARAM_NODE, offsetof(struct variation_options, set), "", .help = "its overrides"},
    PARAM_END};

// The folder's own name, however it is reached: "experiments/losses" and ".", from there, are
// losses.
static const char *name_of(struct arena *a, const char *folder)
{
    char *whole = realpath(folder, NULL);
    const char *slash = whole ? strrchr(whole, '/') : NULL;
    const char *name = arena_strdup(a, slash && slash[1] ? slash + 1 : "study");
    free(whole);
    return name;
}

// "experiments/losses" → "experiments/losses/study.yaml"
static const char *file_of(struct arena *a, const char *path)
{
    struct stat s;
    return !stat(path, &s) && S_ISDIR(s.st_mode) ? arena_printf(a, "%s/study.yaml", path) : path;
}

static bool add_overrides(struct arena *a, const struct node *node, const char ***list, int *n,
                          struct diag *d)
{
    if (!node || node->kind == NODE_NULL)
        return true;
    if (node->kind == NODE_SCALAR) {
        APPEND(a, *list, *n, node->text);
        return true;
    }
    bool good = node->kind == NODE_LIST ||
                fail(d, node->where,
                     "an override is text\nexpected key.path=value, or a list of these");
    for (int i = 0; node->kind == NODE_LIST && i < node->n; i++)
        good &= add_overrides(a, node->entry[i].value, list, n, d);
    return good;
}

static const struct trial *same_trial(const struct study *s, const struct trial *t)
{
    for (int i = 0; i < s->n_trial; i++)
        if (!strcmp(s->trial[i].config_hash, t->config_hash))
            return &s->trial[i];
    return NULL;
}

static bool add_trial(struct study *s, struct arena *a, struct trial t, const struct place where,
                      struct diag *d)
{
    struct config *c = config_load(a, t.base, t.override, t.n_override, d);
    struct experiment *e = c ? experiment_read(a, c, d) : NULL;
    if (!e)
        return fail(d, where, "the variation '%s' is no experiment", s->variation[t.variation]);
    for (int i = 0; i < e->n_phase; i++)
        t.steps += e->phase[i].steps;
    t.config_hash = config_hash(a, c, false);
    const struct trial *same = same_trial(s, &t);
    if (same)
        return fail(d, where,
                    "'%s', seed %" PRId64 ", is the same experiment as '%s', seed %" PRId64,
                    s->variation[t.variation], t.seed, s->variation[same->variation], same->seed);
    APPEND(a, s->trial, s->n_trial, t);
    return true;
}

static const char *from_folder(struct arena *a, const char *folder, const char *path)
{
    return path[0] == '/' ? path : arena_printf(a, "%s/%s", folder, path);
}

static bool add_variation(struct study *s, struct arena *a, const struct study_options *o,
                          const char *folder, const struct entry *vary, struct diag *d)
{
    struct variation_options own = {.base = o->base, .set = vary->value};
    if (vary->value->kind == NODE_MAP) {
        own.set = NULL;
        if (!param_read(variation_params, vary->value, vary->where, "a variation", &own, a, d))
            return false;
        own.base = *own.base ? own.base : o->base;
    }
    struct trial t = {.variation = s->n_variation - 1, .base = from_folder(a, folder, own.base)};
    bool good = (*own.base || fail(d, vary->where, "the variation '%s' has no base", vary->key)) &&
                add_overrides(a, o->set, &t.override, &t.n_override, d) &&
                add_overrides(a, own.set, &t.override, &t.n_override, d);
    for (int i = 0; i < o->n_override; i++)
        APPEND(a, t.override, t.n_override, o->override[i]);
    for (int i = 0; good && i < o->seeds.n; i++) {
        struct trial seeded = t;
        seeded.seed = o->seeds.v[i];
        seeded.override = NULL, seeded.n_override = 0;
        for (int j = 0; j < t.n_override; j++)
            APPEND(a, seeded.override, seeded.n_override, t.override[j]);
        APPEND(a, seeded.override, seeded.n_override,
               arena_printf(a, "seed=%" PRId64, seeded.seed));
        good = add_trial(s, a, seeded, vary->where, d);
    }
    return good;
}

struct study *study_read(struct arena *a, const char *path, const char *const *override,
                         int n_override, struct diag *d)
{
    const char *file = file_of(a, path);
    struct config *c = config_load(a, file, NULL, 0, d);
    struct study_options o = {.override = override, .n_override = n_override};
    if (!c || !param_read(params, c->root, c->root->where, "the study", &o, a, d))
        return NULL;
    struct study *s = NEW(a, struct study);
    const char *folder = path_parent(a, file);
    *s = (struct study){
        .name = name_of(a, folder), .question = o.question, .column = o.column, .score = o.score};
    if (o.vary->kind != NODE_MAP || !o.vary->n) {
        fail(d, o.vary->where,
             "nothing varies\nexpected a map: a name, and its override or overrides");
        return NULL;
    }
    if (!o.seeds.n) {
        const struct node *seeds = node_get(c->root, "seeds");
        fail(d, seeds ? seeds->where : c->root->where,
             "no seeds, so nothing runs\nexpected one at least");
        return NULL;
    }
    bool good = true;
    for (int i = 0; i < o.vary->n; i++) {
        APPEND(a, s->variation, s->n_variation, o.vary->entry[i].key);
        good &= add_variation(s, a, &o, folder, &o.vary->entry[i], d);
    }
    ASSERT(!good || s->n_trial == s->n_variation * o.seeds.n);
    return good ? s : NULL;
}

// --- what the database knows ---------------------------------------------------------------------

static enum trial_state state_of(const char *status)
{
    static const struct {
        const char *status;
        enum trial_state state;
    } known[] = {{"done", TRIAL_DONE}, {"running", TRIAL_RUNNING}, {"diverged", TRIAL_DIVERGED}};
    for (size_t i = 0; i < LENGTH(known); i++)
        if (!strcmp(known[i].status, status))
            return known[i].state;
    return TRIAL_BROKEN_OFF;
}

// The most telling run of the config: a finished one if there is one, else the newest.
static void look_at_trials(struct trial *t, struct arena *a, struct reader *r, struct diag *quiet)
{
    const char *sql = arena_printf(a,
                                   "SELECT uid FROM runs WHERE config_hash = '%s' ORDER BY status "
                                   "IN ('done', 'diverged') DESC, id DESC LIMIT 1",
                                   t->config_hash);
    const struct table *found = query_sql(r, sql, quiet);
    struct stored_run run;
    t->state = TRIAL_MISSING;
    t->step = 0;
    if (!found || !table_rows(found) || !reader_find(r, table_at(found, 0, 0)->text, &run, quiet))
        return;
    if (!t->run || strcmp(t->run, run.uid))
        t->run = arena_strdup(a, run.uid);
    t->state = state_of(run.status);
    t->step = run.step;
}

void study_look(struct study *s, struct arena *a, const char *db)
{
    struct arena *scratch = arena_new(NULL);
    struct diag *quiet = diag_new(scratch);
    struct reader *r = reader_open(scratch, db, false, quiet);
    for (int i = 0; r && i < s->n_trial; i++)
        look_at_trials(&s->trial[i], a, r, quiet);
    arena_free(scratch);
}

int study_count(const struct study *s, enum trial_state state)
{
    int n = 0;
    for (int i = 0; i < s->n_trial; i++)
        n += s->trial[i].state == state;
    return n;
}
