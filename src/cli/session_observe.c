// What happens between the steps of a training: losses on the bar and in the database, pictures,
// checkpoints, scores.
#include "cli/session_train.h"

#include "base/arena.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "store/checkpoint.h"
#include "store/checkpoints.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { SHOWN_LOSSES = 8 };

void training_tell_notice(struct training *t)
{
    const char *notice = recorder_notice(t->recorder);
    if (notice)
        progress_note(t->progress, "%s", notice);
}

void training_show(struct training *t)
{
    const struct trainer *trainer = t->session->trainer;
    const char *name[SHOWN_LOSSES];
    double value[SHOWN_LOSSES];
    int n = 0;
    for (int i = 0; i < trainer->n_measure && n < SHOWN_LOSSES; i++) { // totals: "loss/generator"
        const char *slash = strchr(trainer->measure[i].name, '/');
        if (!slash || strchr(slash + 1, '/'))
            continue;
        name[n] = slash + 1;
        value[n++] = *trainer->measure[i].at;
    }
    progress_update(t->progress, trainer->step, name, value, n);
    training_tell_notice(t);
}

static void on_progress(void *context, struct trainer *trainer)
{
    struct training *t = context;
    ASSERT(trainer == t->session->trainer);
    if (progress_due(t->progress))
        training_show(t);
}

static void on_metrics(void *context, struct trainer *trainer)
{
    struct training *t = context;
    const struct experiment *e = t->session->experiment;
    for (int i = 0; i < trainer->n_measure; i++)
        recorder_metric(t->recorder, trainer->measure[i].name, trainer->step,
                        *trainer->measure[i].at);
    recorder_tick(t->recorder, trainer->step, (double)trainer->step / (double)experiment_epoch(e),
                  trainer->step * e->batch);
}

static void keep_picture(struct training *t, bool drawn, const char *path, int64_t step)
{
    if (drawn)
        recorder_artifact(t->recorder, "samples", path, "png", step, "");
    else if (!t->undrawn)
        progress_note(t->progress, "%s could not be written (%s); the run goes on without it", path,
                      strerror(errno));
    t->undrawn = !drawn;
}

static void on_samples(void *context, struct trainer *trainer)
{
    struct training *t = context;
    const char *dir = t->session->dir;
    const int64_t step = trainer->step;
    struct arena *a = arena_new(NULL);
    const char *grid = arena_printf(a, "%s/samples/step-%08" PRId64 ".png", dir, step),
               *points = arena_printf(a, "%s/samples/points-%08" PRId64 ".png", dir, step);
    if (t->grid)
        keep_picture(t, grid_write(t->grid, grid, a), grid, step);
    if (t->scatter)
        keep_picture(t, scatter_write(t->scatter, points, a, t->session->diag), points, step);
    arena_free(a);
}

bool training_evaluate(struct training *t)
{
    const struct session *s = t->session;
    if (!s->experiment->evaluate.n_score)
        return true;
    if (!scoring_run(&t->scoring))
        return false;
    for (int i = 0; i < t->scoring.n_score; i++)
        recorder_evaluation(t->recorder, s->trainer->step, &t->scoring.score[i]);
    struct arena *scratch = arena_new(NULL);
    const struct evaluator *v = t->scoring.evaluator;
    if (v->scorer && !t->scorer_told)
        recorder_event(t->recorder, EVENT_INFO, "scorer", s->trainer->step, "%s",
                       scorer_text(scratch, v->scorer));
    t->scorer_told = true;
    for (int i = 0; i < v->n_taken; i++) {
        const char *is = evaluator_text(scratch, &v->taken[i]);
        progress_note(t->progress, "step %" PRId64 ": %s", s->trainer->step, is);
        if (!v->taken[i].scored)
            recorder_event(t->recorder, EVENT_WARN, "unscored", s->trainer->step, "%s", is);
    }
    arena_free(scratch);
    return true;
}

static bool on_evaluate(void *context, struct trainer *trainer)
{
    struct training *t = context;
    ASSERT(trainer == t->session->trainer);
    return training_evaluate(t);
}

// The slab of the past is as large as a checkpoint and, without a name, what no `du` shows. Where
// there is room for one of them, it is the checkpoint's.
static void past_gives_way(struct training *t, const char *path)
{
    struct trainer *trainer = t->session->trainer;
    if (errno != ENOSPC && errno != EDQUOT)
        return;
    fclose(trainer->past);
    trainer->past = NULL;
    progress_note(t->progress,
                  "the disk is too full for %s beside the weights of before, which a divergence is "
                  "looked for with: those are given up",
                  path);
}

static bool write_checkpoint(struct training *t, const char *path, struct diag *d)
{
    const struct trainer *trainer = t->session->trainer;
    const struct experiment *e = t->session->experiment;
    if (trainer->past) {
        struct arena *a = arena_new(NULL);
        const bool written = checkpoint_write(path, e, trainer->slab, trainer->step, NULL, 0,
                                              diag_new(a));
        if (!written)
            past_gives_way(t, path);
        arena_free(a);
        if (written)
            return true;
    }
    return checkpoint_write(path, e, trainer->slab, trainer->step, NULL, 0, d);
}

// Points first: a run killed between the two is resumed from the checkpoint before and makes them
// again, while points after the newest checkpoint's would never be made. A disk that is full now
// may not be at the next checkpoint: only the last one has to succeed.
static bool on_checkpoint(void *context, struct trainer *trainer)
{
    struct training *t = context;
    const struct session *s = t->session;
    const int64_t step = trainer->step;
    const bool must = step == trainer->steps || stop_signal;
    struct arena *a = arena_new(NULL);
    const char *path = checkpoints_path(a, s->dir, step);
    struct diag *d = must ? s->diag : diag_new(a);
    recorder_checkpoint(t->recorder, step);
    const bool written = write_checkpoint(t, path, d);
    if (written) {
        recorder_artifact(t->recorder, "checkpoint", path, "safetensors", step, "last");
        recorder_forget(t->recorder, checkpoints_forget(s->dir, s->experiment->checkpoint_keep));
    } else if (!must && !t->unsaved) {
        progress_note(t->progress, "%s cannot be written (%s); the run goes on without it", path,
                      strerror(errno));
    }
    t->unsaved = !written;
    arena_free(a);
    training_tell_notice(t);
    return written || !must;
}

static struct cost on_recording(void *context)
{
    const struct training *t = context;
    return (struct cost){recorder_held(t->recorder), recorder_seconds(t->recorder)};
}

static void on_replay(void *context, struct trainer *trainer, int64_t diverged)
{
    const struct training *t = context;
    ASSERT(diverged >= trainer->step);
    progress_note(t->progress,
                  "step %" PRId64 " gives NaN or Inf; from step %" PRId64
                  " on they are made again to find where that begins",
                  diverged + 1, trainer->step + 1);
}

struct observer training_observer(struct training *t)
{
    return (struct observer){
        .context = t,
        .progress = on_progress,
        .metrics = on_metrics,
        .samples = on_samples,
        .checkpoint = on_checkpoint,
        .evaluate = on_evaluate,
        .replay = on_replay,
        .recording = on_recording,
    };
}
