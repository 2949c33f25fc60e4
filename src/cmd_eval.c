#include "base/arena.h"
#include "laboratory.h"

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N", "cores to use; all unless told"},
    {"checkpoint", 0, "FILE", "score this checkpoint of the run; the newest unless told"},
    OPTION_JSON,
    OPTION_END,
};

static void print_scores(const struct laboratory *lab, int64_t step, bool json)
{
    const struct judge *v = lab->judge;
    if (json)
        printf("{\"schema\": 1, \"step\": %lld, \"scorer\": {\"sha256\": \"%s\", \"accuracy\": %.6f}, \"scores\": [", (long long)step, v->scorer->sha256, v->scorer->accuracy);
    for (int i = 0; i < v->n_taken; i++) {
        const struct taken *t = &v->taken[i];
        if (json)
            printf("%s{\"metric\": \"%s\", \"value\": %.9g, \"std\": %.9g, \"real\": %.9g, \"fingerprint\": \"%s\"}", i ? ", " : "", t->metric->name,
                   t->sample.value, t->sample.std, t->real.value, t->fingerprint);
        else
            printf("%s %.4f ± %.4f   real data (%s) %.4f ± %.4f   evaluator %.12s\n", t->metric->name, t->sample.value, t->sample.std,
                   v->real_split, t->real.value, t->real.std, t->fingerprint);
    }
    if (json)
        printf("]}\n");
    else
        printf("scorer %.12s, %.2f %% of the test split right\n", v->scorer->sha256, 100 * v->scorer->accuracy);
}

static int run(struct options *o)
{
    struct laboratory lab;
    struct checkpoint c;
    int threads;
    if (!laboratory_threads(o, &threads) || !laboratory_open_run(&lab, o, o->word[0], options_db(o)))
        return EXIT_USAGE;
    lab.trainer = trainer_new(o->arena, lab.experiment, o->diag);
    lab.progress = progress_new(o->arena, stderr, 0, 0);
    const char *path = option_text(o, "checkpoint", laboratory_checkpoint(o->arena, lab.dir));
    if (!lab.trainer)
        return EXIT_USAGE;
    if (!path) {
        fail(o->diag, (struct place){0}, "%s has no checkpoint to score", lab.dir);
        return EXIT_FAILED;
    }
    if (!lab.experiment->evaluate.n_score) {
        fail(o->diag, (struct place){0}, "the config asks for no scores\nadd: 'evaluate.scores=[inception_score]'");
        return EXIT_USAGE;
    }
    if (!checkpoint_read(o->arena, path, lab.experiment, lab.trainer->slab, &c, o->diag) || !laboratory_evaluate(&lab, c.step))
        return EXIT_FAILED;
    print_scores(&lab, c.step, option_given(o, "json"));
    return EXIT_DONE;
}

const struct command cmd_eval = {
    .name = "eval",
    .group = GROUP_SAMPLES,
    .usage = "[options] RUN [key=value …]",
    .help = "score a run's checkpoint\nevaluate.samples=50k and the like change the protocol, and with it the evaluator's fingerprint.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
