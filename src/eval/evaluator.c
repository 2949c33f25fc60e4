#include "eval/evaluator.h"

#include "base/arena.h"
#include "base/text.h"

#include <sha256.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

// --- what is asked for ---------------------------------------------------------------------------

static bool read_taken(struct arena *a, struct experiment *e, const struct scored *asked,
                       struct taken *t, struct diag *d)
{
    const struct word *word = word_called(&metrics, &asked->word, d);
    const struct metric *m = (const struct metric *)word;
    if (!m)
        return false;
    *t = (struct taken){
        .name = asked->as, .metric = m, .params = word_params(&metrics, word, &asked->word, a, d)};
    t->has_real = !(m->looks_at & METRIC_EXAMPLES);
    return t->params && (t->source = subject_source(e, asked, m, d)) != NULL;
}

static bool evaluator_read_all(struct arena *a, struct experiment *e, struct taken *t,
                               struct diag *d)
{
    bool good = true;
    for (int i = 0; i < e->evaluate.n_score; i++)
        good &= read_taken(a, e, &e->evaluate.score[i], &t[i], d);
    return good;
}

bool evaluator_check(struct experiment *e, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    const bool good = evaluator_read_all(a, e, NEW_ARRAY(a, struct taken, e->evaluate.n_score + 1),
                                         d);
    arena_free(a);
    return good;
}

int evaluator_numbers(const struct experiment *e)
{
    int n = 0;
    for (int i = 0; i < e->evaluate.n_score; i++) {
        const struct metric *m = metric_find(e->evaluate.score[i].word.name);
        n += m && m->looks_at & METRIC_EXAMPLES ? 1 : 2;
    }
    return n;
}

// --- what measures -------------------------------------------------------------------------------

static void evaluator_add_params(struct text *out, const struct metric *m, const void *params)
{
    for (const struct param *p = m->word.params; p && p->name; p++) {
        const char *at = (const char *)params + p->offset;
        if (p->type == PARAM_FLOAT)
            text_addf(out, " %s=%.17g", p->name, *(const double *)at);
        else if (p->type == PARAM_INT)
            text_addf(out, " %s=%" PRId64, p->name, *(const int64_t *)at);
        else
            BUG("parameter '%s' of score '%s' is no number", p->name, m->word.name);
    }
}

static const char *evaluator_fingerprint(struct arena *a, const struct evaluator *v,
                                         const struct taken *t)
{
    const unsigned looks_at = t->metric->looks_at;
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    struct text all;
    text_init(&all);
    text_addf(&all, "%s %s", t->metric->word.name, t->metric->version);
    if (asks_scorer(t->metric))
        text_addf(&all, " scorer=%s", v->scorer->key);
    text_addf(&all, " n=%" PRId64, t->has_real ? t->n_fake : t->n_real);
    if (looks_at & METRIC_SPLITS)
        text_addf(&all, " splits=%" PRId64 " shuffle=%" PRIu64, v->protocol.splits,
                  v->protocol.shuffle_seed);
    text_addf(&all, " real=%s:%s", t->data->fingerprint, t->split);
    if (looks_at & METRIC_TRAINING)
        text_addf(&all, " training=%s:%" PRId64, t->source->dataset->fingerprint,
                  t->subject->evidence.training.n);
    if (looks_at & METRIC_FEATURES)
        text_addf(&all, " reference=%" PRId64, v->reference.n);
    if (asks_scorer(t->metric))
        text_addf(&all, " preprocess=%s", v->preprocess);
    evaluator_add_params(&all, t->metric, t->params);
    SHA256Data((const uint8_t *)all.s, all.n, hex);
    text_release(&all);
    return hex;
}

static const char *evaluator(struct arena *a, const struct evaluator *v, const struct taken *t)
{
    const char *is = arena_printf(a, "%s of %s, N %" PRId64, t->metric->word.name,
                                  t->data->kind->word.name, t->has_real ? t->n_fake : t->n_real);
    if (t->metric->looks_at & METRIC_FEATURES)
        is = arena_printf(a, "%s against %" PRId64, is, v->reference.n);
    if (t->metric->looks_at & METRIC_TRAINING)
        is = arena_printf(a, "%s by %" PRId64, is, t->subject->evidence.training.n);
    return t->metric->looks_at & METRIC_SPLITS
               ? arena_printf(a, "%s, %" PRId64 " splits", is, v->protocol.splits)
               : is;
}

// Real data are the test split, or the training split where that has fewer than N.
static bool open_data(struct arena *a, struct evaluator *v, struct taken *t)
{
    const struct dataset *training = t->source->dataset;
    const int64_t N = v->protocol.samples;
    t->split = "test";
    t->n_real = t->n_fake = N;
    if (!t->has_real) {
        t->data = t->subject->evidence.data;
        t->n_real = t->subject->evidence.of.n;
        t->n_fake = 0;
        return true;
    }
    if (t->metric->looks_at & METRIC_FEATURES) {
        t->data = v->scorer->source->dataset;
        t->real_data = v->scorer->test;
        t->split = "train";
        t->n_real = v->reference.n;
        return true;
    }
    t->real_data = t->data = v->scorer ? v->scorer->test
                                       : dataset_open_split(a, training, SPLIT_TEST, v->look.d);
    if (!t->data || t->data->count >= N)
        return t->data != NULL;
    t->split = "train";
    t->real_data = t->data = v->scorer ? v->scorer->source->dataset
                                       : dataset_open_split(a, training, SPLIT_TRAIN, v->look.d);
    return t->data != NULL;
}

// --- subjects ------------------------------------------------------------------------------------

static bool shares(const struct taken *t, const struct expression *of, const struct scored *asked,
                   const struct metric *m)
{
    return of == asked->of && !((t->metric->looks_at ^ m->looks_at) & METRIC_EXAMPLES);
}

// Scores of one expression share a subject, which has all that any of them looks at.
static bool open_subjects(struct arena *a, struct evaluator *v, float *slab)
{
    const struct evaluate *asked = &v->experiment->evaluate;
    v->subject = NEW_ARRAY(a, struct subject *, v->n_taken + 1);
    for (int i = 0; i < v->n_taken; i++) {
        struct taken *t = &v->taken[i];
        unsigned looks_at = 0;
        if (t->subject)
            continue;
        for (int k = i; k < v->n_taken; k++)
            if (shares(t, asked->score[i].of, &asked->score[k], v->taken[k].metric))
                looks_at |= metric_looks_at(v->taken[k].metric);
        struct subject *s = subject_new(a, v->experiment, slab, asked->score[i].of, looks_at,
                                        t->source, &v->look);
        if (!s)
            return false;
        ASSERT(v->n_subject < v->n_taken);
        v->subject[v->n_subject++] = s;
        for (int k = i; k < v->n_taken; k++)
            if (shares(t, asked->score[i].of, &asked->score[k], v->taken[k].metric))
                v->taken[k].subject = s;
    }
    return true;
}

static struct score evaluator_compute(const struct evaluator *v, const struct taken *t)
{
    ASSERT(t->subject && (!asks_scorer(t->metric) || v->scorer));
    t->subject->evidence.reference = v->reference;
    return t->metric->compute(&t->subject->evidence, t->params);
}

static bool score_real(struct evaluator *v)
{
    const struct taken *last = NULL;
    for (int i = 0; i < v->n_taken; i++) {
        struct taken *t = &v->taken[i];
        if (!t->has_real)
            continue;
        const bool seen = last && last->subject == t->subject && last->real_data == t->real_data;
        if (!seen && !subject_look_at_real(t->subject, t->real_data, &v->look))
            return false;
        t->real = evaluator_compute(v, t);
        last = t;
    }
    return true;
}

// --- the evaluator -----------------------------------------------------------------------------------

static bool open_scorer(struct arena *a, struct evaluator *v, const char *recipe,
                        const struct scorer_cache *cache, const struct observer *o)
{
    for (int i = 0; i < v->n_taken && !v->scorer; i++)
        if (asks_scorer(v->taken[i].metric) &&
            !(v->look.scorer = v->scorer = scorer_open(a, recipe, v->taken[i].source,
                                                       v->experiment->workspace, cache, o,
                                                       v->look.stop, v->look.d)))
            return false;
    return true;
}

// The scorer's features of the first N examples of the training split.
static bool open_reference(struct arena *a, struct evaluator *v)
{
    bool wanted = false;
    for (int i = 0; i < v->n_taken; i++)
        wanted |= v->taken[i].metric->looks_at & METRIC_FEATURES;
    return !wanted || scorer_reference(a, v->scorer, v->protocol.samples, &v->reference, v->look.d);
}

struct evaluator *evaluator_new(struct arena *a, struct experiment *e, float *slab,
                                const char *recipe, const struct scorer_cache *cache,
                                const struct observer *o, const volatile sig_atomic_t *stop,
                                struct diag *d)
{
    struct evaluator *v = NEW(a, struct evaluator);
    *v = (struct evaluator){.experiment = e,
                            .protocol = {e->evaluate.samples, e->evaluate.splits, 0},
                            .preprocess = "bytes: floor(clamp(127.5 x + 128)) / 127.5 - 1",
                            .taken = NEW_ARRAY(a, struct taken, e->evaluate.n_score + 1),
                            .n_taken = e->evaluate.n_score};
    v->look = (struct look){NULL, &v->protocol, stop, d};
    if (!evaluator_read_all(a, e, v->taken, d) || !open_scorer(a, v, recipe, cache, o) ||
        !open_reference(a, v) || !open_subjects(a, v, slab))
        return NULL;
    for (int i = 0; i < v->n_taken; i++) {
        struct taken *t = &v->taken[i];
        if (!open_data(a, v, t))
            return NULL;
        t->fingerprint = evaluator_fingerprint(a, v, t);
        t->evaluator = evaluator(a, v, t);
    }
    return score_real(v) ? v : NULL;
}

bool evaluator_run(struct evaluator *v)
{
    for (int k = 0; k < v->n_subject; k++)
        if (!subject_look(v->subject[k], &v->look))
            return false;
    for (int i = 0; i < v->n_taken; i++) {
        struct taken *t = &v->taken[i];
        t->scored = t->subject->finite;
        t->sample = t->scored ? evaluator_compute(v, t) : (struct score){NAN, NAN};
    }
    return true;
}

static const char *score_text(struct arena *a, struct score s)
{
    return isnan(s.std) ? arena_printf(a, "%.4g", s.value)
                        : arena_printf(a, "%.3f ± %.3f", s.value, s.std);
}

const char *evaluator_text(struct arena *a, const struct taken *t)
{
    if (!t->scored)
        return arena_printf(a, "%s not scored: what it looks at holds NaN or Inf", t->name);
    const char *is = arena_printf(a, "%s %s", t->name, score_text(a, t->sample));
    return t->has_real ? arena_printf(a, "%s (real data %s)", is, score_text(a, t->real)) : is;
}
