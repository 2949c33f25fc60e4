#include "base/arena.h"
#include "cli/session.h"
#include "store/weights.h"
#include "cli/tuning.h"
#include "view/annotate.h"

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N",
     "cores to use; all unless told. Results are the same bits for the same number"},
    OPTION_NO_TUNE,
    OPTION_REPLAY,
    {"profile", 0, NULL,
     "print the config back afterwards, with milliseconds beside each line, forward and backward"},
    {"note", 'm', "TEXT", "a remark, kept with the run"},
    {"experiment", 'e', "NAME", "what the run is counted under; `default` unless told"},
    OPTION_END,
};

static void print_profile(struct laboratory *lab)
{
    for (int i = 0; lab->trainer->timed && i < lab->experiment->n_phase; i++) {
        const struct timing *t = trainer_timing(lab->trainer, i);
        if (t)
            annotate(trainer_plan(lab->trainer, i), t, lab->config->root->where.source, stdout);
    }
}

static int cmd_run_run(struct options *o)
{
    struct laboratory lab;
    int threads;
    const int opened = tuning_open(&lab, o, TUNING_MEASURE, &threads);
    if (opened != EXIT_DONE)
        return opened;
    lab.trainer = trainer_new(o->arena, lab.experiment, o->diag);
    tuning_tell(&lab);
    if (!lab.trainer || !weights_load(lab.experiment->network, lab.experiment->n_network,
                                      &lab.experiment->slots, lab.trainer->slab, o->diag))
        return EXIT_USAGE;
    struct run_description description = laboratory_describe(&lab, threads);
    description.note = option_text(o, "note", NULL);
    description.experiment = option_text(o, "experiment", NULL);
    laboratory_catch_signals();
    lab.recorder = recorder_start(o->arena, options_db(o), &description, o->diag);
    if (!lab.recorder)
        return EXIT_FAILED;
    lab.trainer->timed = option_given(o, "profile");
    const int code = laboratory_train(&lab);
    print_profile(&lab);
    return code;
}

const struct command cmd_run = {
    .name = "run",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] CONFIG|--replay RUN [key=value …]",
    .help =
        "train what a config describes\n"
        "Everything that changes a number stands in the config or in an override: "
        "train.steps=300,\n"
        "games.0.loss=wasserstein, data.real.dataset=mnist. Metrics and scores go to the "
        "database, pictures and\n"
        "checkpoints to the run's directory, which is printed first. Ctrl-C finishes the step, "
        "saves and exits 130;\n"
        "`ganexp resume` goes on from there.\n"
        "Where a computation can be done in several ways, the fastest is taken: measured at the "
        "first run that needs it,\n"
        "remembered in $GANEXP_CACHE/choices (else ~/.cache/ganexp/choices), and never measured "
        "again, so that the next\n"
        "run computes the same bits. --no-tune plans by rules instead, on any machine alike. "
        "Either way the plan is\n"
        "recorded with the run: resume and --replay take it from there.\n"
        "What batches and the database cost the iterations is recorded as the event `time`, what "
        "memory it took as\n`memory`; `ganexp show` has both.",
    .options = option,
    .overrides = true,
    .min_words = 0,
    .max_words = 1,
    .run = cmd_run_run,
};
