#include "base/arena.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "cli/session_score.h"
#include "store/checkpoint.h"
#include "store/late.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N", "cores to use; as many as the run began with unless told"},
    {"checkpoint", 0, "FILE", "score this checkpoint of the run; the newest sound one unless told"},
    OPTION_JSON,
    OPTION_END,
};

static const struct place nowhere;

static json_t *cmd_eval_number(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *json_of(const struct taken *t)
{
    json_t *is = json_pack("{s:s, s:s, s:s, s:o, s:o}", "metric", t->name, "score",
                           t->metric->word.name, "better", t->metric->direction, "value",
                           cmd_eval_number(t->sample.value), "std", cmd_eval_number(t->sample.std));
    if (t->has_real) {
        json_object_set_new(is, "real", cmd_eval_number(t->real.value));
        json_object_set_new(is, "real_std", cmd_eval_number(t->real.std));
    }
    json_object_set_new(is, "fingerprint", json_string(t->fingerprint));
    return is;
}

static void print_json(const struct evaluator *v, int64_t step)
{
    json_t *scores = json_array();
    for (int i = 0; i < v->n_taken; i++)
        json_array_append_new(scores, json_of(&v->taken[i]));
    json_t *scorer = v->scorer ? json_pack("{s:s, s:s, s:o, s:s}", "key", v->scorer->key, "sha256",
                                           v->scorer->sha256, "accuracy",
                                           cmd_eval_number(v->scorer->record.accuracy), "origin",
                                           v->scorer->record.origin)
                               : json_null();
    json_t *all = json_pack("{s:i, s:I, s:o, s:o}", "schema", 1, "step", (json_int_t)step, "scorer",
                            scorer, "scores", scores);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(all);
}

static void print_scores(struct arena *a, const struct evaluator *v)
{
    for (int i = 0; i < v->n_taken; i++) {
        const struct taken *t = &v->taken[i];
        if (!t->scored)
            printf("%s\n", evaluator_text(a, t));
        else
            printf("%s, on the %s split, evaluator %.12s\n", evaluator_text(a, t), t->split,
                   t->fingerprint);
    }
    if (v->scorer)
        printf("%s\n", scorer_text(a, v->scorer));
}

static bool all_scored(const struct evaluator *v)
{
    for (int i = 0; i < v->n_taken; i++)
        if (!v->taken[i].scored)
            return false;
    return true;
}

// What is scored is the run's; only how it is scored may be said anew.
static bool can_score(struct session *s)
{
    return session_same_model(s, "evaluate") &&
           (s->experiment->evaluate.n_score ||
            fail(s->diag, nowhere,
                 "the config asks for no scores\nadd: 'evaluate.scores=[inception_score]'"));
}

static bool cmd_eval_restore(struct session *s)
{
    struct checkpoint c;
    const char *path = option_text(s->options, "checkpoint", NULL);
    if (!path)
        return session_restore_last(s);
    if (!checkpoint_read(s->arena, path, s->experiment, s->trainer->slab, &c, s->diag))
        return false;
    s->trainer->step = c.step;
    return true;
}

static int cmd_eval_run(struct options *o)
{
    struct session s;
    int threads;
    const int opened = session_open_run(&s, o, o->word[0]);
    if (opened != EXIT_DONE)
        return opened;
    if (!session_threads(o, s.stored.threads, &threads))
        return EXIT_USAGE;
    s.trainer = can_score(&s) ? trainer_new(o->arena, s.experiment, TRAINER_TRAINS, o->diag) : NULL;
    if (!s.trainer)
        return EXIT_USAGE;
    struct scoring scoring = {.session = &s, .progress = progress_new(o->arena, stderr, 0, 0)};
    if (!cmd_eval_restore(&s) || !scoring_run(&scoring))
        return EXIT_FAILED;
    const int64_t step = s.trainer->step;
    const bool stored = late_scores(options_db(o), &s.stored, step, scoring.score, scoring.n_score,
                                    o->diag);
    if (option_given(o, "json"))
        print_json(scoring.evaluator, step);
    else
        print_scores(o->arena, scoring.evaluator);
    return !stored ? EXIT_FAILED : all_scored(scoring.evaluator) ? EXIT_DONE : EXIT_DIVERGED;
}

const struct command cmd_eval = {
    .name = "eval",
    .group = GROUP_SAMPLES,
    .usage = "[options] RUN [key=value …]",
    .help = "score a run's checkpoint\nThe scores are kept with the run. evaluate.samples=50k and "
            "the like change the protocol, and with it the\n"
            "evaluator's fingerprint. data.NAME.path=DIR says where the data are now.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_eval_run,
};
