#include "base/arena.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "cli/session_train.h"
#include "cli/signals.h"
#include "cli/tuning.h"
#include "store/weights.h"
#include "view/annotate.h"

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N",
     "cores to use; all unless told. Results are the same bits for the same number"},
    OPTION_NO_TUNE,
    OPTION_REPLAY,
    {"profile", 0, NULL,
     "print the config back afterwards, with milliseconds beside each line, forward and backward"},
    OPTION_WARN,
    {"note", 'm', "TEXT", "a remark, kept with the run"},
    {"experiment", 'e', "NAME", "what the run is counted under; `default` unless told"},
    OPTION_END,
};

static void print_profile(struct session *s)
{
    for (int i = 0; s->trainer->timed && i < s->experiment->n_phase; i++) {
        const struct timing *t = trainer_timing(s->trainer, i);
        if (t)
            annotate(trainer_plan(s->trainer, i), t, s->config->root->where.source, stdout);
    }
}

// Warnings are told before the training, and kept with the run: events whose code is the warning's name.
static void record_warnings(struct session *s, struct recorder *recorder)
{
    int n;
    const struct diag_message *m = diag_messages(s->diag, &n);
    for (int i = 0; i < n; i++)
        recorder_event(recorder, EVENT_WARN, m[i].warning, 0, "%s:%d: %s",
                       m[i].where.source ? m[i].where.source->name : "ganexp", m[i].where.line,
                       m[i].text);
    diag_print(s->diag, stderr);
    diag_clear(s->diag);
}

static int cmd_run_run(struct options *o)
{
    struct session s;
    int threads;
    const int opened = tuning_open(&s, o, TUNING_MEASURE, &threads);
    if (opened != EXIT_DONE)
        return opened;
    s.trainer = trainer_new(o->arena, s.experiment, TRAINER_TRAINS, o->diag);
    tuning_tell(&s);
    if (!s.trainer || !weights_load(s.experiment->network, s.experiment->n_network,
                                    &s.experiment->slots, s.trainer->slab, o->diag))
        return EXIT_USAGE;
    struct run_description description = session_describe(&s, threads);
    description.note = option_text(o, "note", NULL);
    description.experiment = option_text(o, "experiment", NULL);
    signals_catch();
    struct recorder *recorder = recorder_start(o->arena, options_db(o), &description, o->diag);
    if (!recorder)
        return EXIT_FAILED;
    record_warnings(&s, recorder);
    s.trainer->timed = option_given(o, "profile");
    const int code = session_train(&s, recorder);
    print_profile(&s);
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
