#include "cli/session_score.h"

#include "base/arena.h"
#include "base/clock.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "store/scorers.h"

#include <inttypes.h>
#include <string.h>

// The scorer's recipe, configs/scorer.yaml, as built into the program.
static const char scorer_recipe[] = {
#include "scorer_recipe.inc"
    0};

enum { SCORER_TOLD_EVERY = 200 }; // steps

// The scorer's own training.
static void on_scorer_progress(void *context, struct trainer *t)
{
    struct scoring *scoring = context;
    if (t->step % SCORER_TOLD_EVERY == 0)
        progress_note(scoring->progress, "training the scorer: step %" PRId64 " of %" PRId64,
                      t->step, t->steps);
}

static void scoring_note(void *context, const char *text)
{
    struct scoring *scoring = context;
    progress_note(scoring->progress, "%s", text);
}

// $GANEXP_CACHE, else beside the database.
static const char *scorers_dir(struct session *s)
{
    const char *home = getenv("GANEXP_CACHE");
    if (home)
        return home;
    const char *db = options_db(s->options), *slash = strrchr(db, '/');
    return arena_printf(s->arena, "%.*scache", slash ? (int)(slash - db + 1) : 0, db);
}

static bool scoring_open(struct scoring *scoring)
{
    struct session *s = scoring->session;
    if (scoring->evaluator)
        return true;
    struct scorers kept = {.arena = s->arena,
                           .dir = scorers_dir(s),
                           .stop = &stop_signal,
                           .context = scoring,
                           .note = scoring_note,
                           .diag = s->diag};
    const struct scorer_cache cache = scorers_cache(&kept);
    const struct observer watch = {.context = scoring, .progress = on_scorer_progress};
    scoring->evaluator = evaluator_new(s->arena, s->experiment, s->trainer->slab, scorer_recipe,
                                       &cache, &watch, &stop_signal, s->diag);
    scorers_end(&kept);
    return scoring->evaluator != NULL;
}

// What makes the number comparable.
static struct evaluator_record evaluator_record_of(const struct evaluator *v, const struct taken *t)
{
    const bool asks = asks_scorer(t->metric);
    ASSERT(!asks || v->scorer);
    return (struct evaluator_record){
        .fingerprint = t->fingerprint,
        .name = t->evaluator,
        .extractor = asks ? "configs/scorer.yaml" : "none",
        .extractor_sha256 = asks ? v->scorer->key : "", // of recipe and data, not of one training
        .real_split = t->split,
        .real_stats_sha256 = t->data->fingerprint,
        .n_real = t->n_real,
        .n_fake = t->n_fake,
        .preprocess = asks ? v->preprocess : "none",
        .version = t->metric->version,
    };
}

static void scoring_add(struct scoring *scoring, const struct taken *t, double seconds)
{
    const struct session *s = scoring->session;
    struct evaluation e = {
        .name = t->name,
        .direction = t->metric->direction,
        .value = t->sample.value,
        .std = t->sample.std,
        .weights = s->experiment->ema_decay > 0 ? "ema" : "live",
        .seconds = seconds,
        .seed = s->experiment->seed,
        .evaluator = evaluator_record_of(scoring->evaluator, t),
    };
    APPEND(s->arena, scoring->score, scoring->n_score, e);
    if (!t->has_real)
        return;
    e.name = arena_printf(s->arena, "%s_real", t->name);
    e.value = t->real.value;
    e.std = t->real.std;
    APPEND(s->arena, scoring->score, scoring->n_score, e);
}

const char *scorer_text(struct arena *a, const struct scorer *s)
{
    return arena_printf(a, "scorer %.12s, %.2f %% of the test split right, trained with %s",
                        s->sha256, 100 * s->record.accuracy, s->record.origin);
}

bool scoring_run(struct scoring *scoring)
{
    ASSERT(scoring->session && scoring->session->trainer && scoring->progress);
    const double began = clock_now();
    if (!scoring_open(scoring) || !evaluator_run(scoring->evaluator))
        return false;
    scoring->n_score = 0;
    for (int i = 0; i < scoring->evaluator->n_taken; i++)
        if (scoring->evaluator->taken[i].scored)
            scoring_add(scoring, &scoring->evaluator->taken[i], clock_now() - began);
    ASSERT(scoring->n_score <= evaluator_numbers(scoring->session->experiment));
    return true;
}
