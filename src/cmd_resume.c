#include "base/arena.h"
#include "laboratory.h"

#include <string.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N", "cores to use; all unless told"},
    {"change", 0, NULL, "allow the overrides to change the experiment; the result is then not that of an unbroken run"},
    OPTION_END,
};

static bool restore(struct laboratory *lab, struct checkpoint *c)
{
    struct options *o = lab->options;
    const char *path = laboratory_checkpoint(o->arena, lab->dir);
    if (!path)
        return fail(o->diag, (struct place){0}, "%s has no checkpoint\nstart again with: ganexp run %s/config.yaml", lab->dir, lab->dir);
    if (!checkpoint_read(o->arena, path, lab->experiment, lab->trainer->slab, c, o->diag))
        return false;
    if (strcmp(c->config_hash, config_hash(o->arena, lab->config, false)) && !option_given(o, "change"))
        return fail(o->diag, (struct place){0}, "the overrides change the experiment that the checkpoint is of\nleave them out, or allow it with --change");
    lab->trainer->step = c->step;
    return true;
}

static int run(struct options *o)
{
    struct laboratory lab;
    struct checkpoint c;
    int threads;
    if (!laboratory_threads(o, &threads) || !laboratory_open_run(&lab, o, o->word[0], options_db(o)))
        return EXIT_USAGE;
    lab.trainer = trainer_new(o->arena, lab.experiment, o->diag);
    if (!lab.trainer || !restore(&lab, &c))
        return EXIT_USAGE;
    const struct run_description description = laboratory_describe(&lab, threads);
    lab.recorder = recorder_resume(o->arena, options_db(o), o->word[0], c.step, &description, o->diag);
    return lab.recorder ? laboratory_train(&lab) : EXIT_REFUSED;
}

const struct command cmd_resume = {
    .name = "resume",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] RUN [key=value …]",
    .help = "go on with a run from its last checkpoint\n"
            "What was recorded after the checkpoint is taken back first, so the run ends with the numbers, weights and scores\n"
            "of one that was never interrupted, to the bit. RUN is a short id, the start of one, a name, or @last.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
