// A training from its beginning to what is recorded and told at its end.
#include "base/arena.h"
#include "base/printable.h"
#include "base/text.h"
#include "base/workspace.h"
#include "cli/session.h"
#include "cli/session_describe.h"
#include "cli/session_train.h"
#include "cli/signals.h"
#include "store/environment.h"
#include "view/annotate.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Without a name: it goes with the process, however that ends.
static FILE *nameless(struct session *s)
{
    const char *path = arena_printf(s->arena, "%s/past", s->dir);
    FILE *f = fopen(path, "w+b");
    if (f)
        unlink(path);
    return f;
}

static bool make_folders(struct session *s)
{
    const char *const sub[] = {"samples", "checkpoints"};
    for (size_t i = 0; i < LENGTH(sub); i++) {
        const char *path = arena_printf(s->arena, "%s/%s", s->dir, sub[i]);
        if (mkdir(path, 0777) && errno != EEXIST)
            return fail(s->diag, (struct place){0}, "cannot make %s: %s", path, strerror(errno));
    }
    return true;
}

// Pictures are drawn where what is sampled is a picture, points where it is points.
static bool open_pictures(struct training *t)
{
    struct session *s = t->session;
    t->grid = grid_new(s->arena, s->experiment, s->trainer->slab, s->diag);
    t->scatter = scatter_new(s->arena, s->experiment, s->trainer->slab, s->diag);
    return !diag_errors(s->diag);
}

// The first line of what went wrong: "gan.yaml:12:9: error: diverged at step 812: …"
static const char *reason(struct session *s)
{
    struct text all;
    text_init(&all);
    diag_text(s->diag, &all);
    const char *first = arena_strndup(s->arena, all.s, strcspn(all.s, "\n"));
    text_release(&all);
    return first;
}

// Where this process's time went, phase by phase.
static void record_timing(struct training *t)
{
    const struct session *s = t->session;
    for (int i = 0; i < s->experiment->n_phase; i++) {
        const struct timing *timing = trainer_timing(s->trainer, i);
        if (timing)
            recorder_event(t->recorder, EVENT_INFO, "time", s->trainer->step, "%s",
                           timing_text(s->arena, timing));
    }
}

static void record_memory(struct training *t)
{
    const struct experiment *e = t->session->experiment;
    recorder_event(t->recorder, EVENT_INFO, "memory", t->session->trainer->step,
                   "%.1f MB lent to all plans in turn, slots %.1f MB; resident at most %.1f MB",
                   1e-6 * (double)workspace_bytes(e->workspace),
                   1e-6 * (double)(sizeof(float) * e->slots.floats),
                   1e-6 * (double)environment_peak_rss());
}

static int training_end(struct training *t, enum run_status status, const char *why, int code)
{
    recorder_end(t->recorder, status, why, code);
    training_tell_notice(t);
    return code;
}

static int training_finish(struct training *t, enum outcome outcome)
{
    struct session *s = t->session;
    const int signal = stop_signal ? stop_signal : SIGINT;
    int code;
    record_timing(t);
    record_memory(t);
    training_show(t);
    progress_end(t->progress);
    switch (outcome) {
    case OUTCOME_DONE:
        ASSERT(s->trainer->step == s->trainer->steps);
        code = training_end(t, RUN_DONE, "", EXIT_DONE);
        fprintf(stderr, "done: %" PRId64 " steps; %s\n", s->trainer->step,
                printable(s->arena, s->dir));
        return code;
    case OUTCOME_INTERRUPTED:
        code = training_end(t, RUN_INTERRUPTED, strsignal(signal), 128 + signal);
        fprintf(stderr, "interrupted at step %" PRId64 ", saved; go on with: ganexp resume %s\n",
                s->trainer->step, recorder_id(t->recorder));
        return code;
    case OUTCOME_DIVERGED: return training_end(t, RUN_DIVERGED, reason(s), EXIT_DIVERGED);
    default: return training_end(t, RUN_FAILED, reason(s), EXIT_FAILED);
    }
}

// Scores that a kill or an interrupt came before.
static bool catch_up(struct training *t)
{
    struct session *s = t->session;
    struct stored_run now;
    if (!s->stored.uid || !trainer_evaluation_due(s->trainer))
        return true;
    struct diag *quiet = diag_new(s->arena);
    struct reader *r = reader_open_run(s->arena, options_db(s->options), s->dir, quiet);
    if (!r || !reader_find(r, s->stored.uid, &now, quiet) ||
        reader_scores(r, &now, s->trainer->step, s->experiment->evaluate.samples) >=
            evaluator_numbers(s->experiment))
        return true;
    return training_evaluate(t);
}

static enum outcome training_run(struct training *t)
{
    struct trainer *trainer = t->session->trainer;
    const struct observer watch = training_observer(t);
    trainer->past = nameless(t->session);
    enum outcome outcome = OUTCOME_INTERRUPTED;
    if (catch_up(t))
        outcome = trainer_run(trainer, &watch, &stop_signal);
    else if (!stop_signal)
        outcome = OUTCOME_FAILED;
    if (trainer->past)
        fclose(trainer->past);
    return outcome;
}

int session_train(struct session *s, struct recorder *recorder)
{
    ASSERT(s->trainer && recorder);
    struct training t = {.session = s, .recorder = recorder};
    s->dir = recorder_dir(recorder);
    fprintf(stderr, "%s\n", printable(s->arena, s->dir));
    session_tell_data(s, stderr, recorder);
    if (!make_folders(s) || !open_pictures(&t)) {
        recorder_end(recorder, RUN_FAILED, "could not start", EXIT_FAILED);
        return EXIT_FAILED;
    }
    t.progress = progress_new(s->arena, stderr, s->trainer->steps, s->trainer->step);
    t.scoring = (struct scoring){.session = s, .progress = t.progress};
    training_tell_notice(&t);
    return training_finish(&t, training_run(&t));
}
