#include "base/arena.h"
#include "laboratory.h"
#include "store/weights.h"

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N",
     "cores to use; all unless told. Results are the same bits for the same number"},
    {"note", 'm', "TEXT", "a remark, kept with the run"},
    {"experiment", 'e', "NAME", "what the run is counted under; `default` unless told"},
    OPTION_END,
};

static int run(struct options *o)
{
    struct laboratory lab;
    int threads;
    if (!laboratory_threads(o, 0, &threads) || !laboratory_open(&lab, o))
        return EXIT_USAGE;
    lab.trainer = trainer_new(o->arena, lab.experiment, o->diag);
    if (!lab.trainer || !weights_load(lab.experiment->network, lab.experiment->n_network,
                                      &lab.experiment->slots, lab.trainer->slab, o->diag))
        return EXIT_USAGE;
    struct run_description description = laboratory_describe(&lab, threads);
    description.note = option_text(o, "note", NULL);
    description.experiment = option_text(o, "experiment", NULL);
    laboratory_catch_signals();
    lab.recorder = recorder_start(o->arena, options_db(o), &description, o->diag);
    return lab.recorder ? laboratory_train(&lab) : EXIT_FAILED;
}

const struct command cmd_run = {
    .name = "run",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] CONFIG [key=value …]",
    .help = "train what a config describes\n"
            "Everything that changes a number stands in the config or in an override: "
            "train.steps=300,\n"
            "games.0.loss=wasserstein, data.real.dataset=mnist. Metrics and scores go to the "
            "database, pictures and\n"
            "checkpoints to the run's directory, which is printed first. Ctrl-C finishes the step, "
            "saves and exits 130;\n"
            "`ganexp resume` goes on from there.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = run,
};
