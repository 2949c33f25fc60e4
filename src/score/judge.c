#include "score/judge.h"

#include "base/arena.h"

#include <sha256.h>
#include <inttypes.h>
#include <string.h>

// The generator's noise for scores: apart from training's and the grids'.
enum { SCORE_SEED = 0x15C0 };

static const struct metric *read_metric(const struct word *w, struct diag *d)
{
    const struct metric *m = metric_find(w->name);
    const char *known[32];
    size_t n = 0;
    for (; metrics[n] && n < LENGTH(known); n++)
        known[n] = metrics[n]->name;
    if (!m)
        fail_unknown(d, w->where, "score", w->name, known, n);
    else if (w->params)
        fail(d, w->params->where,
             "'%s' takes no parameters of its own\nsamples and splits stand in `evaluate:`",
             m->name);
    return m;
}

static const char *fingerprint(struct arena *a, const struct judge *v, const struct metric *m)
{
    char *hex = arena_alloc(a, SHA256_DIGEST_STRING_LENGTH);
    const char *all = arena_printf(a,
                                   "%s %s scorer=%s n=%" PRId64 " splits=%" PRId64
                                   " shuffle=%" PRIu64 " real=%s:%s preprocess=%s",
                                   m->name, m->version, v->scorer->sha256, v->protocol.samples,
                                   v->protocol.splits, v->protocol.shuffle_seed,
                                   v->real->fingerprint, v->real_split, v->preprocess);
    return SHA256Data((const uint8_t *)all, strlen(all), hex);
}

static bool stopped(const struct judge *v)
{
    return v->stop && *v->stop;
}

// Real data under the same protocol: N images of the split, in order, the split repeated where it
// is smaller.
static bool score_real(struct judge *v, struct diag *d)
{
    const struct dataset *s = v->real;
    const int64_t size = s->channels * s->height * s->width, N = v->protocol.samples,
                  batch = v->sampler->batch;
    for (int64_t from = 0; from < N; from += batch) {
        const int64_t n = N - from < batch ? N - from : batch;
        int32_t label;
        if (stopped(v))
            return false;
        for (int64_t i = 0; i < n; i++)
            if (!s->kind->get(s, (from + i) % s->count, v->image + i * size, &label))
                return fail(d, v->scorer->source->where, "example %" PRId64 " could not be read",
                            from + i);
        scorer_predict(v->scorer, v->image, n, v->log_p + from * v->scorer->classes);
    }
    const struct predictions p = {N, v->scorer->classes, v->log_p};
    for (int i = 0; i < v->n_taken; i++)
        v->taken[i].real = v->taken[i].metric->compute(&p, &v->protocol);
    return true;
}

bool judge_run(struct judge *v)
{
    const int64_t N = v->protocol.samples, batch = v->sampler->batch;
    for (int64_t from = 0; from < N; from += batch) {
        if (stopped(v))
            return false;
        sampler_noise(v->sampler, SCORE_SEED ^ (uint64_t)v->experiment->seed,
                      (uint64_t)(from / batch));
        scorer_predict(v->scorer, sampler_draw(v->sampler), N - from < batch ? N - from : batch,
                       v->log_p + from * v->scorer->classes);
    }
    const struct predictions p = {N, v->scorer->classes, v->log_p};
    for (int i = 0; i < v->n_taken; i++)
        v->taken[i].sample = v->taken[i].metric->compute(&p, &v->protocol);
    return true;
}

static const struct data_source *real_source(const struct experiment *e)
{
    if (e->n_game && e->game[0].real[0]->kind == EXPR_FIELD) {
        const struct expression *field = e->game[0].real[0];
        for (int i = 0; field->n_arg == 1 && i < e->n_data; i++)
            if (field->arg[0]->kind == EXPR_NAME && !strcmp(field->arg[0]->name, e->data[i].name))
                return &e->data[i];
    }
    return e->n_data ? &e->data[0] : NULL;
}

bool judge_check(const struct experiment *e, struct diag *d)
{
    const int before = diag_errors(d);
    const struct data_source *source = real_source(e);
    for (int i = 0; i < e->evaluate.n_score; i++)
        read_metric(&e->evaluate.score[i], d);
    if (e->evaluate.n_score && (!source || source->dataset->classes < 2))
        fail(d, e->evaluate.score[0].where,
             "this score needs data with labels, which '%s' has not\n"
             "its scorer is a classifier of the data; leave the score out with evaluate.scores=[]",
             source ? source->name : "the experiment");
    return diag_errors(d) == before;
}

static bool fits(const struct judge *v, const struct data_source *source, struct diag *d)
{
    const struct shape is = v->sampler->is.shape;
    const struct dataset *s = source->dataset;
    if (is.rank == 3 && is.dim[0] == s->channels && is.dim[1] == s->height && is.dim[2] == s->width)
        return true;
    return fail(d, v->experiment->evaluate.where,
                "what is sampled has not the shape of the data, so it cannot be scored against it");
}

struct judge *judge_new(struct arena *a, struct experiment *e, float *slab, const char *recipe,
                        const struct scorer_cache *cache, const struct observer *o,
                        const volatile sig_atomic_t *stop, struct diag *d)
{
    const struct data_source *source = real_source(e);
    struct judge *v = NEW(a, struct judge);
    *v = (struct judge){.experiment = e,
                        .stop = stop,
                        .protocol = {e->evaluate.samples, e->evaluate.splits, 0},
                        .preprocess = "bytes: floor(clamp(127.5 x + 128)) / 127.5 - 1"};
    if (!judge_check(e, d))
        return NULL;
    v->taken = NEW_ARRAY(a, struct taken, e->evaluate.n_score);
    for (int i = 0; i < e->evaluate.n_score; i++)
        v->taken[v->n_taken++] = (struct taken){.metric = metric_find(e->evaluate.score[i].name)};
    v->sampler = sampler_new(a, e, slab, e->evaluate.batch, NULL, e->ema_decay > 0, d);
    if (!v->sampler || !fits(v, source, d))
        return NULL;
    v->scorer = scorer_open(a, recipe, source, cache, o, stop, d);
    if (!v->scorer)
        return NULL;
    const bool test = v->scorer->test->count >= v->protocol.samples;
    v->real = test ? v->scorer->test : v->scorer->source->dataset;
    v->real_split = test ? "test" : "train";
    v->image = NEW_ARRAY(a, float,
                         v->sampler->batch * v->real->channels * v->real->height * v->real->width);
    v->log_p = NEW_ARRAY(a, double, v->protocol.samples * v->scorer->classes);
    for (int i = 0; i < v->n_taken; i++)
        v->taken[i].fingerprint = fingerprint(a, v, v->taken[i].metric);
    return score_real(v, d) ? v : NULL;
}
