// The checkpoint says which config it was trained under; that is what the config now is held
// against, not the file beside it, which anybody may have edited since.
#include "base/arena.h"
#include "base/text.h"
#include "cli/session.h"
#include "store/rundir.h"
#include "store/weights.h"
#include "cli/tuning.h"

#include <inttypes.h>
#include <string.h>

static const struct option_spec option[] = {
    OPTION_DB,
    {"threads", 't', "N", "cores to use; as many as the run began with unless told"},
    {"change", 0, NULL,
     "go on under another config; the result is then not that of an unbroken run"},
    OPTION_END,
};

static const struct place nowhere;

enum { SHOWN = 10 };

// "train.steps: 1000 → 2000", a line each.
static const char *changes(struct laboratory *lab, const char *yaml)
{
    struct text list;
    text_init(&list);
    int n;
    const struct change *c = laboratory_changes(lab, yaml, &n);
    for (int i = 0; i < n && i < SHOWN; i++)
        text_addf(&list, "%s%s: %.60s → %.60s", i ? "\n" : "", c[i].key, c[i].before, c[i].after);
    if (n > SHOWN)
        text_addf(&list, "\n… and %d more", n - SHOWN);
    const char *kept = arena_strdup(lab->arena, list.s);
    text_release(&list);
    return kept;
}

// What changes between the config of the checkpoint (of the start, where there is none) and now; ""
// for nothing.
static bool compare(struct laboratory *lab, const char *hash, const char *yaml,
                    const char **changed)
{
    *changed = "";
    if (!strcmp(hash, config_hash(lab->arena, lab->config, false)))
        return true;
    *changed = changes(lab, yaml);
    return !**changed || option_given(lab->options, "change") ||
           fail(lab->diag, nowhere,
                "the config is not the one this run was trained under\n%s\nallow it with --change, "
                "or leave it as it was",
                *changed);
}

static bool restore_start(struct laboratory *lab, const char **changed)
{
    const struct experiment *e = lab->experiment;
    return compare(lab, lab->stored.config_hash, lab->stored.config_yaml, changed) &&
           weights_load(e->network, e->n_network, &e->slots, lab->trainer->slab, lab->diag);
}

static bool cmd_resume_restore(struct laboratory *lab, const char *path, const char **changed)
{
    struct checkpoint c;
    struct trainer *t = lab->trainer;
    struct safetensors *file = safetensors_open(lab->arena, path, lab->diag);
    if (!file ||
        !compare(lab, safetensors_metadata(file, "config_hash"),
                 safetensors_metadata(file, "config"), changed) ||
        !checkpoint_read(lab->arena, path, lab->experiment, t->slab, &c, lab->diag))
        return false;
    if (c.step > t->steps)
        return fail(lab->diag, nowhere,
                    "%s is of step %" PRId64 ", and the config has %" PRId64 " steps", path, c.step,
                    t->steps);
    t->step = c.step;
    return true;
}

// Where a run is taken up.
struct origin {
    struct last_checkpoint last; // path NULL: the start
    const char *changed;         // "" for nothing
};

static bool find_origin(struct laboratory *lab, struct origin *o)
{
    *o = (struct origin){.changed = ""};
    return laboratory_last_checkpoint(lab, &o->last) &&
           (o->last.path ? cmd_resume_restore(lab, o->last.path, &o->changed)
                         : restore_start(lab, &o->changed));
}

static void set_aside(struct laboratory *lab, const struct origin *o)
{
    const int64_t from = lab->trainer->step;
    for (int i = 0; i < o->last.n_damaged; i++) {
        checkpoints_set_aside(lab->dir, o->last.damaged[i]);
        recorder_event(lab->recorder, EVENT_WARN, "damaged", from,
                       "the checkpoint of step %" PRId64 " is damaged and set aside",
                       o->last.damaged[i]);
    }
    if (o->last.n_damaged)
        fprintf(stderr,
                "going on from the checkpoint of step %" PRId64 ": %" PRId64
                " steps are made again\n",
                from, o->last.damaged[0] - from);
}

static int cmd_resume_go_on(struct laboratory *lab, int threads, const struct origin *o)
{
    const struct run_description now = laboratory_describe(lab, threads);
    laboratory_catch_signals();
    lab->recorder = recorder_resume(lab->arena, options_db(lab->options), lab->stored.uid,
                                    lab->trainer->step, &now, lab->diag);
    if (!lab->recorder)
        return rundir_alive(lab->dir) ? EXIT_REFUSED : EXIT_FAILED;
    checkpoints_remove_partial(lab->dir);
    set_aside(lab, o);
    if (o->last.path) { // a kill may have come between the files and their records
        recorder_artifact(lab->recorder, "checkpoint", o->last.path, "safetensors",
                          lab->trainer->step, "last");
        recorder_forget(lab->recorder,
                        checkpoints_forget(lab->dir, lab->experiment->checkpoint_keep));
    }
    if (*o->changed && !recorder_change(lab->recorder, &now, o->changed, lab->diag))
        return EXIT_FAILED;
    return laboratory_train(lab);
}

static bool refuse_alive(struct laboratory *lab)
{
    return fail(lab->diag, nowhere,
                "run %s is alive in another process\nstop it first, or start a new run",
                uid_short(lab->stored.uid));
}

static int cmd_resume_run(struct options *o)
{
    struct laboratory lab;
    struct origin origin;
    int threads;
    const int opened = laboratory_open_run(&lab, o, o->word[0]);
    if (lab.stored.uid && rundir_alive(lab.dir))
        return refuse_alive(&lab), EXIT_REFUSED;
    if (opened != EXIT_DONE)
        return opened;
    if (!laboratory_threads(o, lab.stored.threads, &threads))
        return EXIT_USAGE;
    if (!tuning_replay(&lab, &lab.stored))
        return EXIT_FAILED;
    lab.trainer = trainer_new(o->arena, lab.experiment, o->diag);
    if (!lab.trainer || !find_origin(&lab, &origin))
        return EXIT_USAGE;
    return cmd_resume_go_on(&lab, threads, &origin);
}

const struct command cmd_resume = {
    .name = "resume",
    .group = GROUP_EXPERIMENT,
    .usage = "[options] RUN [key=value …]",
    .help =
        "go on with a run from its last checkpoint\n"
        "What was recorded after the checkpoint is taken back first, so the run ends with the "
        "numbers, weights and scores\n"
        "of one that was never interrupted, to the bit. A checkpoint that is damaged is set "
        "aside, and the one before it\n"
        "taken. A run without a checkpoint begins again at step 0, in its own directory. A config "
        "that says something\n"
        "else than the checkpoint's is refused, with the difference, unless --change allows it: "
        "ganexp resume @last\n"
        "train.steps=20000 --change. RUN is a short id, the start of one, a name, or @last.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_resume_run,
};
