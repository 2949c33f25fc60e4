#include "study/study.h"

#include "base/arena.h"
#include "base/text.h"
#include "model/experiment.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

struct study_options {
    const char *question, *base, *score;
    struct ints seeds;
    struct node *set, *vary;
};

#define AT(field) offsetof(struct study_options, field)
static const struct param params[] = {
    {"question", PARAM_TEXT, AT(question), NULL, .help = "what is asked"},
    {"base", PARAM_TEXT, AT(base), NULL, .help = "the config that is varied, from this file"},
    {"vary", PARAM_NODE, AT(vary), NULL,
     .help = "variations: a name, and its override or overrides"},
    {"set", PARAM_NODE, AT(set), "", .help = "overrides of every trial"},
    {"seeds", PARAM_INTS, AT(seeds), "[0, 1, 2]", 0, -1,
     .help = "each variation runs once with each"},
    {"score", PARAM_TEXT, AT(score), "inception_score", .help = "what the table shows"},
    PARAM_END};

static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(a, path, (size_t)(slash - path)) : ".";
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

static bool add_trials(struct study *s, struct arena *a, const struct study_options *o,
                       const struct entry *vary, struct diag *d)
{
    bool good = true;
    for (int i = 0; good && i < o->seeds.n; i++) {
        struct trial t = {.variation = s->n_variation - 1, .seed = o->seeds.v[i]};
        good = add_overrides(a, o->set, &t.override, &t.n_override, d) &&
               add_overrides(a, vary->value, &t.override, &t.n_override, d);
        APPEND(a, t.override, t.n_override, arena_printf(a, "seed=%" PRId64, t.seed));
        struct config *c = good ? config_load(a, s->base, t.override, t.n_override, d) : NULL;
        if (!c || (!i && !experiment_read(a, c, d)))
            return fail(d, vary->where, "the variation '%s' is no experiment", vary->key);
        t.config_hash = config_hash(a, c, false);
        APPEND(a, s->trial, s->n_trial, t);
    }
    return good;
}

struct study *study_read(struct arena *a, const char *path, struct diag *d)
{
    const char *file = file_of(a, path);
    struct config *c = config_load(a, file, NULL, 0, d);
    struct study_options o = {0};
    if (!c || !param_read(params, c->root, c->root->where, "the study", &o, a, d))
        return NULL;
    struct study *s = NEW(a, struct study);
    const char *folder = folder_of(a, file), *slash = strrchr(folder, '/');
    *s = (struct study){
        .name = slash ? slash + 1 : folder, .question = o.question, .score = o.score};
    s->base = o.base[0] == '/' ? o.base : arena_printf(a, "%s/%s", folder, o.base);
    if (o.vary->kind != NODE_MAP || !o.vary->n) {
        fail(d, o.vary->where,
             "nothing varies\nexpected a map: a name, and its override or overrides");
        return NULL;
    }
    bool good = true;
    for (int i = 0; i < o.vary->n; i++) {
        APPEND(a, s->variation, s->n_variation, o.vary->entry[i].key);
        good &= add_trials(s, a, &o, &o.vary->entry[i], d);
    }
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
static void look(struct trial *t, struct arena *a, struct reader *r, struct diag *quiet)
{
    const char *sql = arena_printf(a,
                                   "SELECT uid FROM runs WHERE config_hash = '%s' ORDER BY status "
                                   "IN ('done', 'diverged') DESC, id DESC LIMIT 1",
                                   t->config_hash);
    const struct table *found = query_sql(r, sql, quiet);
    struct stored_run run;
    t->state = TRIAL_MISSING;
    if (!found || !table_rows(found) || !reader_find(r, table_at(found, 0, 0)->text, &run, quiet))
        return;
    t->run = arena_strdup(a, run.uid);
    t->state = state_of(run.status);
}

void study_look(struct study *s, struct arena *a, const char *db)
{
    struct arena *scratch = arena_new(NULL);
    struct diag *quiet = diag_new(scratch);
    struct reader *r = reader_open(scratch, db, false, quiet);
    for (int i = 0; r && i < s->n_trial; i++)
        look(&s->trial[i], a, r, quiet);
    arena_free(scratch);
}

// --- the answer ----------------------------------------------------------------------------------

struct answer {
    int variation, n, diverged;
    const char *fingerprint;
    double sum, squares, best, seconds;
};

static struct answer *answer_of(struct arena *a, struct answer **list, int *n, int variation,
                                const char *fingerprint)
{
    for (int i = 0; i < *n; i++)
        if ((*list)[i].variation == variation && !strcmp((*list)[i].fingerprint, fingerprint))
            return &(*list)[i];
    APPEND(a, *list, *n,
           ((struct answer){.variation = variation, .fingerprint = fingerprint, .best = NAN}));
    return &(*list)[*n - 1];
}

static void add_answer(const struct study *s, const struct trial *t, struct arena *a,
                       struct reader *r, struct answer **list, int *n, struct diag *d)
{
    const char *sql = arena_printf(
        a,
        "SELECT e.value, e.direction, e.fingerprint, r.seconds FROM evals e JOIN runs r ON r.id = "
        "e.run_id "
        "WHERE r.uid = '%s' AND e.metric = '%s' ORDER BY e.step DESC LIMIT 1",
        t->run, s->score);
    const struct table *found = query_sql(r, sql, d);
    if (!found || !table_rows(found) || table_at(found, 0, 0)->type != CELL_REAL)
        return;
    const double x = table_at(found, 0, 0)->real, seconds = table_at(found, 0, 3)->type == CELL_REAL
                                                                ? table_at(found, 0, 3)->real
                                                                : 0;
    const bool low = !strcmp(table_at(found, 0, 1)->text, "min");
    struct answer *answer = answer_of(a, list, n, t->variation,
                                      arena_strdup(a, table_at(found, 0, 2)->text));
    answer->n++;
    answer->sum += x;
    answer->squares += x * x;
    answer->seconds += seconds;
    if (isnan(answer->best) || (low ? x < answer->best : x > answer->best))
        answer->best = x;
}

static void add_row(struct table *t, const struct study *s, const struct answer *answer)
{
    const double mean = answer->sum / answer->n, n = answer->n;
    table_text(t, s->variation[answer->variation]);
    table_int(t, answer->n);
    table_int(t, answer->diverged);
    if (answer->n) {
        table_real(t, mean);
        if (answer->n > 1)
            table_real(t, sqrt(fmax(0, (answer->squares - n * mean * mean) / (n - 1))));
        else
            table_null(t);
        table_real(t, answer->best);
        table_real(t, answer->seconds / n);
        table_text(t, arena_printf(t->arena, "%.8s", answer->fingerprint));
        return;
    }
    for (int i = 0; i < 5; i++)
        table_null(t);
}

struct table *study_table(const struct study *s, struct arena *a, const char *db, struct diag *d)
{
    static const char *const column[] = {"variation", "seeds", "diverged", "mean",
                                         "std",       "best",  "seconds",  "evaluator"};
    struct table *t = table_new(a, s->name);
    for (size_t i = 0; i < LENGTH(column); i++)
        table_column(t, column[i]);
    struct reader *r = reader_open(a, db, false, d);
    for (int v = 0; r && v < s->n_variation; v++) {
        struct answer *list = NULL;
        int n = 0, diverged = 0;
        for (int i = 0; i < s->n_trial; i++) {
            const struct trial *trial = &s->trial[i];
            if (trial->variation != v)
                continue;
            diverged += trial->state == TRIAL_DIVERGED;
            if (trial->state == TRIAL_DONE)
                add_answer(s, trial, a, r, &list, &n, d);
        }
        if (!n)
            answer_of(a, &list, &n, v, "");
        list[0].diverged = diverged;
        for (int i = 0; i < n; i++)
            add_row(t, s, &list[i]);
    }
    return t;
}
