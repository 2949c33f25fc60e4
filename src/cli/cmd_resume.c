// The checkpoint says which config it was trained under; that is what the config now is held
// against, not the file beside it, which may have been edited since.
#include "base/arena.h"
#include "base/text.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "cli/session_elsewhere.h"
#include "cli/session_train.h"
#include "cli/signals.h"
#include "cli/tuning.h"
#include "store/checkpoint.h"
#include "store/checkpoints.h"
#include "store/rundir.h"
#include "store/weights.h"

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
static const char *changes(struct session *s, const char *yaml)
{
    struct text list;
    text_init(&list);
    int n;
    const struct change *c = session_changes(s, yaml, &n);
    for (int i = 0; i < n && i < SHOWN; i++)
        text_addf(&list, "%s%s: %.60s → %.60s", i ? "\n" : "", c[i].key, c[i].before, c[i].after);
    if (n > SHOWN)
        text_addf(&list, "\n… and %d more", n - SHOWN);
    const char *kept = arena_strdup(s->arena, list.s);
    text_release(&list);
    return kept;
}

// What changes between the config of the checkpoint (of the start, where there is none) and now; ""
// for nothing. Data that have moved are the same data where `seen` says so.
static bool compare(struct session *s, const char *hash, const char *yaml, const char *seen,
                    const char **changed)
{
    const char *which;
    *changed = "";
    if (!session_same_data(s, seen, &which) && !option_given(s->options, "change"))
        return fail(s->diag, nowhere,
                    "the data of '%s' are not those this run was trained on\nallow them with "
                    "--change, or say where the others are: data.%s.path=DIR",
                    which, which);
    if (!strcmp(hash, config_hash(s->arena, s->config, false)))
        return true;
    *changed = changes(s, yaml);
    return !**changed || option_given(s->options, "change") ||
           (seen && session_only_moved(s, yaml)) ||
           fail(s->diag, nowhere,
                "the config is not the one this run was trained under\n%s\nallow it with --change, "
                "or leave it as it was",
                *changed);
}

static bool restore_start(struct session *s, const char **changed)
{
    const struct experiment *e = s->experiment;
    return compare(s, s->stored.config_hash, s->stored.config_yaml, NULL, changed) &&
           weights_load(e->network, e->n_network, &e->slots, s->trainer->slab, s->diag);
}

static bool cmd_resume_restore(struct session *s, const char *path, const char **changed)
{
    struct checkpoint c;
    struct trainer *t = s->trainer;
    struct safetensors *file = safetensors_open(s->arena, path, s->diag);
    if (!file ||
        !compare(s, safetensors_metadata(file, "config_hash"), safetensors_metadata(file, "config"),
                 safetensors_metadata(file, "data"), changed) ||
        !checkpoint_read(s->arena, path, s->experiment, t->slab, &c, s->diag))
        return false;
    if (c.step > t->steps)
        return fail(s->diag, nowhere,
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

static bool find_origin(struct session *s, struct origin *o)
{
    *o = (struct origin){.changed = ""};
    return session_last_checkpoint(s, &o->last) &&
           (o->last.path ? cmd_resume_restore(s, o->last.path, &o->changed)
                         : restore_start(s, &o->changed));
}

static void set_aside(struct session *s, struct recorder *recorder, const struct origin *o)
{
    const int64_t from = s->trainer->step;
    for (int i = 0; i < o->last.n_damaged; i++) {
        checkpoints_set_aside(s->dir, o->last.damaged[i]);
        recorder_event(recorder, EVENT_WARN, "damaged", from,
                       "the checkpoint of step %" PRId64 " is damaged and set aside",
                       o->last.damaged[i]);
    }
    if (o->last.n_damaged)
        fprintf(stderr,
                "going on from the checkpoint of step %" PRId64 ": %" PRId64
                " steps are made again\n",
                from, o->last.damaged[0] - from);
}

static int cmd_resume_go_on(struct session *s, int threads, const struct origin *o)
{
    const struct run_description now = session_describe(s, threads);
    const char *elsewhere = session_elsewhere(s, &now);
    signals_catch();
    const char *run = s->stored.apart ? s->dir : s->stored.uid;
    struct recorder *recorder = recorder_resume(s->arena, options_db(s->options), run,
                                                s->trainer->step, &now, s->diag);
    if (!recorder)
        return rundir_alive(s->dir) ? EXIT_REFUSED : EXIT_FAILED;
    session_tell_elsewhere(recorder, s->trainer->step, elsewhere);
    checkpoints_remove_partial(s->dir);
    set_aside(s, recorder, o);
    if (o->last.path) { // a kill may have come between the files and their records
        recorder_artifact(recorder, "checkpoint", o->last.path, "safetensors", s->trainer->step,
                          "last");
        recorder_forget(recorder, checkpoints_forget(s->dir, s->experiment->checkpoint_keep));
    }
    if (*o->changed && !recorder_change(recorder, &now, o->changed, s->diag))
        return EXIT_FAILED;
    return session_train(s, recorder);
}

static bool refuse_alive(struct session *s)
{
    return fail(s->diag, nowhere,
                "run %s is alive in another process\nstop it first, or start a new run",
                uid_short(s->stored.uid));
}

static int cmd_resume_run(struct options *o)
{
    struct session s;
    struct origin origin;
    int threads;
    const int opened = session_open_run(&s, o, o->word[0]);
    if (s.stored.uid && rundir_alive(s.dir))
        return refuse_alive(&s), EXIT_REFUSED;
    if (opened != EXIT_DONE)
        return opened;
    if (!session_threads(o, s.stored.threads, &threads))
        return EXIT_USAGE;
    if (!tuning_replay(&s, &s.stored))
        return EXIT_FAILED;
    s.trainer = trainer_new(o->arena, s.experiment, TRAINER_TRAINS, o->diag);
    if (!s.trainer || !find_origin(&s, &origin))
        return EXIT_USAGE;
    return cmd_resume_go_on(&s, threads, &origin);
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
        "train.steps=20000 --change. So are other data; the same data at another place are not: "
        "data.real.path=DIR.\n"
        "RUN is a short id, the start of one, a name, or @last.",
    .options = option,
    .overrides = true,
    .min_words = 1,
    .max_words = 1,
    .run = cmd_resume_run,
};
