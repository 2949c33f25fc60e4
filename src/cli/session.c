#include "cli/session.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/workspace.h"
#include "codegen/plan.h"
#include "store/environment.h"
#include "store/run_params.h"
#include "store/rundir.h"
#include "store/scorers.h"
#include "cli/tuning.h"
#include "view/annotate.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char scorer_recipe[] = {
#include "scorer_recipe.inc"
    0};

static volatile sig_atomic_t stop_signal;

// The first signal asks the loop to finish its step; the second ends the process at once.
static void session_on_signal(int signal)
{
    if (stop_signal)
        _exit(128 + signal);
    stop_signal = signal;
}

// SIGHUP too, unless whoever started us (nohup) has it ignored.
void laboratory_catch_signals(void)
{
    struct sigaction action = {.sa_handler = session_on_signal, .sa_flags = SA_RESTART}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (!sigaction(SIGHUP, NULL, &before) && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

// A step is some hundred short parallel loops. Threads that spin long between them are lost when
// another program wants their core: measured beside a busy compiler, an iteration of 31 ms takes
// seconds. Threads that spin briefly and then sleep cost 2 to 9 % on an idle machine (acgan, two
// AVX-512 cores) and take 0.2 s on that busy one. GNU OpenMP reads its environment before main, so
// the program starts itself again.
static void spin_briefly(const struct options *o)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    setenv("GOMP_SPINCOUNT", "1000", 1);
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    if (n > 0)
        execv(path, o->argv);
}

bool laboratory_threads(struct options *o, int usual, int *threads)
{
    spin_briefly(o);
    int64_t n = usual ? usual : omp_get_num_procs();
    if (!option_int(o, "threads", 1, 1024, &n))
        return false;
    *threads = (int)n;
    omp_set_num_threads((int)n);
    omp_set_dynamic(0);
    return true;
}

// oneDNN can imitate bf16 where the processor lacks it, several times slower than float32.
static bool precise_here(struct laboratory *lab)
{
    if (lab->experiment->precision != PRECISION_BF16 || plan_multiplies(TYPE_BF16))
        return true;
    return fail(lab->diag, node_get(lab->config->root, "precision")->where,
                "bf16 wants the instructions avx512_core_bf16, and %s finds %s here\n"
                "expected f32, which runs anywhere, or another machine",
                plan_library_version(), plan_isa());
}

static bool read_experiment(struct laboratory *lab)
{
    if (lab->config)
        lab->experiment = experiment_read(lab->arena, lab->config, lab->diag);
    return lab->experiment && evaluator_check(lab->experiment, lab->diag) && precise_here(lab);
}

bool laboratory_open(struct laboratory *lab, struct options *o)
{
    *lab = (struct laboratory){.options = o, .arena = o->arena, .diag = o->diag};
    lab->config = config_load(o->arena, o->word[0], o->override, o->n_override, o->diag);
    return read_experiment(lab);
}

int laboratory_open_run(struct laboratory *lab, struct options *o, const char *name)
{
    *lab = (struct laboratory){.options = o, .arena = o->arena, .diag = o->diag};
    struct reader *reader = reader_open(o->arena, options_db(o), false, o->diag);
    if (!reader)
        return EXIT_FAILED;
    if (!reader_find(reader, name, &lab->stored, o->diag))
        return EXIT_NOT_FOUND;
    lab->dir = lab->stored.dir;
    lab->config = config_load(o->arena, arena_printf(o->arena, "%s/config.yaml", lab->dir),
                              o->override, o->n_override, o->diag);
    return read_experiment(lab) ? EXIT_DONE : EXIT_USAGE;
}

bool laboratory_last_checkpoint(struct laboratory *lab, struct last_checkpoint *last)
{
    struct diag *trouble = diag_new(lab->arena);
    struct reader *r = reader_open(lab->arena, options_db(lab->options), false, lab->diag);
    int n;
    const int64_t *step = checkpoints_steps(lab->arena, lab->dir, &n);
    *last = (struct last_checkpoint){0};
    for (int i = n; r && i-- && !last->path;) {
        const char *path = checkpoints_path(lab->arena, lab->dir, step[i]);
        if (checkpoint_sound(lab->arena, path, reader_sha256(r, &lab->stored, path), trouble))
            last->path = path;
        else
            APPEND(lab->arena, last->damaged, last->n_damaged, step[i]);
    }
    diag_print(trouble, stderr);
    if (r && n && !last->path)
        fail(lab->diag, (struct place){0},
             "no checkpoint of run %s can be used\nremove them from %s/checkpoints, and `ganexp "
             "resume` begins again at step 0",
             uid_short(lab->stored.uid), lab->dir);
    return r && (!n || last->path);
}

bool laboratory_restore_last(struct laboratory *lab)
{
    struct last_checkpoint last;
    struct checkpoint c;
    if (!laboratory_last_checkpoint(lab, &last))
        return false;
    if (!last.path)
        return fail(lab->diag, (struct place){0}, "%s has no checkpoint", lab->dir);
    if (!checkpoint_read(lab->arena, last.path, lab->experiment, lab->trainer->slab, &c, lab->diag))
        return false;
    if (last.n_damaged)
        fprintf(stderr, "taking the checkpoint of step %" PRId64 "\n", c.step);
    lab->trainer->step = c.step;
    return true;
}

// --- what a run is -------------------------------------------------------------------------------

static const char nothing[] = "(nothing)";

static const char *param_text(const struct run_param *list, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(list[i].key, key))
            return list[i].text;
    return nothing;
}

// What a text says by itself, defaults left out.
static struct run_param *said(struct laboratory *lab, const char *yaml, int *n)
{
    struct config *c = config_parse(lab->arena, "config", yaml, NULL, 0, diag_new(lab->arena));
    *n = 0;
    return c ? run_params(lab->arena, c->root, n) : NULL;
}

struct change *laboratory_changes(struct laboratory *lab, const char *yaml, int *n)
{
    struct change *change = NULL;
    struct text now;
    int n_old, n_new;
    text_init(&now);
    node_write(lab->config->root, &now);
    struct run_param *old = said(lab, yaml, &n_old), *new = said(lab, now.s, &n_new);
    text_release(&now);
    *n = 0;
    for (int i = 0; i < n_new; i++) {
        const char *was = param_text(old, n_old, new[i].key);
        if (strcmp(was, new[i].text))
            APPEND(lab->arena, change, *n, ((struct change){new[i].key, was, new[i].text}));
    }
    for (int i = 0; i < n_old; i++)
        if (param_text(new, n_new, old[i].key) == nothing)
            APPEND(lab->arena, change, *n, ((struct change){old[i].key, old[i].text, nothing}));
    return change;
}

struct run_description laboratory_describe(struct laboratory *lab, int threads)
{
    struct arena *a = lab->arena;
    const struct experiment *e = lab->experiment;
    struct text yaml;
    text_init(&yaml);
    node_write(lab->config->root, &yaml);
    struct run_description r = {
        .name = e->name,
        .model = e->name,
        .dataset = e->n_data ? e->data[0].dataset->kind->word.name : "none",
        .seed = e->seed,
        .config_yaml = arena_strdup(a, yaml.s),
        .config_hash = config_hash(a, lab->config, false),
        .group_hash = config_hash(a, lab->config, true),
        .total_steps = lab->trainer ? lab->trainer->steps : 0,
        .environment = environment_capture(a, plan_isa(), plan_library_version(),
                                           config_library_version()),
        .argc = lab->options->argc,
        .argv = lab->options->argv,
        .threads = threads,
    };
    text_release(&yaml);
    struct run_param *param = run_params(a, lab->config->root, &r.n_param);
    tuning_params(lab, &param, &r.n_param);
    r.param = param;
    return r;
}

// --- while it runs -------------------------------------------------------------------------------

static void tell_notice(struct laboratory *lab)
{
    const char *notice = lab->recorder ? recorder_notice(lab->recorder) : NULL;
    if (notice)
        progress_note(lab->progress, "%s", notice);
}

static int current(const struct trainer *t, const char **name, double *value, int room)
{
    int n = 0;
    for (int i = 0; i < t->n_measure && n < room; i++) {
        name[n] = t->measure[i].name;
        value[n++] = *t->measure[i].at;
    }
    return n;
}

static void show(struct laboratory *lab, const struct trainer *t)
{
    const char *name[8];
    double value[8];
    int n = 0;
    for (int i = 0; i < t->n_measure && n < 8; i++) { // totals only: "loss/generator"
        const char *slash = strchr(t->measure[i].name, '/');
        if (!slash || strchr(slash + 1, '/'))
            continue;
        name[n] = slash + 1;
        value[n++] = *t->measure[i].at;
    }
    progress_update(lab->progress, t->step, name, value, n);
    tell_notice(lab);
}

static void session_on_progress(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    if (progress_due(lab->progress))
        show(lab, t);
}

static void on_metrics(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    const char *name[64];
    double value[64];
    const int n = current(t, name, value, 64);
    for (int i = 0; i < n; i++)
        recorder_metric(lab->recorder, name[i], t->step, value[i]);
    const int64_t images = t->step * lab->images;
    recorder_tick(lab->recorder, t->step,
                  (double)t->step / (double)experiment_epoch(lab->experiment), images);
}

static void keep_picture(struct laboratory *lab, bool drawn, const char *path, int64_t step)
{
    if (drawn)
        recorder_artifact(lab->recorder, "samples", path, "png", step, "");
    else if (!lab->undrawn)
        progress_note(lab->progress, "%s could not be written (%s); the run goes on without it",
                      path, strerror(errno));
    lab->undrawn = !drawn;
}

static void on_samples(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    struct arena *a = arena_new(NULL);
    const char *grid = arena_printf(a, "%s/samples/step-%08" PRId64 ".png", lab->dir, t->step),
               *points = arena_printf(a, "%s/samples/points-%08" PRId64 ".png", lab->dir, t->step);
    if (lab->grid)
        keep_picture(lab, grid_write(lab->grid, grid, a), grid, t->step);
    if (lab->scatter)
        keep_picture(lab, scatter_write(lab->scatter, points, a, lab->diag), points, t->step);
    arena_free(a);
}

// The scorer's own training, shown on the bar it borrows.
static void on_scorer_progress(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    if (t->step % 200 == 0)
        progress_note(lab->progress, "training the scorer: step %" PRId64 " of %" PRId64, t->step,
                      t->steps);
}

static void note(void *context, const char *text)
{
    struct laboratory *lab = context;
    progress_note(lab->progress, "%s", text);
}

// $GANEXP_CACHE, else beside the database.
static const char *cache_dir(struct laboratory *lab)
{
    const char *home = getenv("GANEXP_CACHE");
    if (home)
        return home;
    const char *db = options_db(lab->options), *slash = strrchr(db, '/');
    return arena_printf(lab->arena, "%.*scache", slash ? (int)(slash - db + 1) : 0, db);
}

static bool open_judge(struct laboratory *lab)
{
    struct scorers kept = {.arena = lab->arena,
                           .dir = cache_dir(lab),
                           .stop = &stop_signal,
                           .context = lab,
                           .note = note,
                           .diag = lab->diag};
    const struct scorer_cache cache = scorers_cache(&kept);
    const struct observer watch = {.context = lab, .progress = on_scorer_progress};
    if (!lab->evaluator)
        lab->evaluator = evaluator_new(lab->arena, lab->experiment, lab->trainer->slab,
                                       scorer_recipe, &cache, &watch, &stop_signal, lab->diag);
    scorers_end(&kept);
    return lab->evaluator != NULL;
}

static void add_score(struct laboratory *lab, const struct taken *t, double seconds)
{
    const struct evaluator *v = lab->evaluator;
    struct arena *a = lab->arena;
    const bool asks = asks_scorer(t->metric);
    struct evaluation e = {
        .name = t->name,
        .direction = t->metric->direction,
        .value = t->sample.value,
        .std = t->sample.std,
        .weights = lab->experiment->ema_decay > 0 ? "ema" : "live",
        .seconds = seconds,
        .seed = lab->experiment->seed,
        .evaluator =
            {
                .fingerprint = t->fingerprint,
                .name = t->evaluator,
                .extractor = asks ? arena_printf(a, "configs/scorer.yaml, test accuracy %.4f",
                                                 v->scorer->accuracy)
                                  : "none",
                .extractor_sha256 = asks ? v->scorer->sha256 : "",
                .real_split = t->split,
                .real_stats_sha256 = t->data->fingerprint,
                .n_real = t->n_real,
                .n_fake = t->n_fake,
                .preprocess = asks ? v->preprocess : "none",
                .version = t->metric->version,
            },
    };
    APPEND(a, lab->score, lab->n_score, e);
    if (!t->has_real)
        return;
    e.name = arena_printf(a, "%s_real", t->name);
    e.value = t->real.value;
    e.std = t->real.std;
    APPEND(a, lab->score, lab->n_score, e);
}

bool laboratory_evaluate(struct laboratory *lab)
{
    const double began = clock_now();
    if (!open_judge(lab) || !evaluator_run(lab->evaluator))
        return false;
    lab->n_score = 0;
    for (int i = 0; i < lab->evaluator->n_taken; i++)
        add_score(lab, &lab->evaluator->taken[i], clock_now() - began);
    return true;
}

static bool on_evaluate(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    if (!lab->experiment->evaluate.n_score)
        return true;
    if (!laboratory_evaluate(lab))
        return false;
    for (int i = 0; i < lab->n_score; i++)
        recorder_evaluation(lab->recorder, t->step, &lab->score[i]);
    struct arena *scratch = arena_new(NULL);
    for (int i = 0; i < lab->evaluator->n_taken; i++)
        progress_note(lab->progress, "step %" PRId64 ": %s", t->step,
                      evaluator_text(scratch, &lab->evaluator->taken[i]));
    arena_free(scratch);
    return true;
}

// Points first: a run killed between the two is resumed from the checkpoint before and makes them
// again, while points after the newest checkpoint's would never be made. A disk that is full now
// may not be at the next checkpoint: only the last one has to succeed.
static bool on_checkpoint(void *context, struct trainer *t)
{
    struct laboratory *lab = context;
    const bool must = t->step == t->steps || stop_signal;
    struct arena *a = arena_new(NULL);
    const char *path = checkpoints_path(a, lab->dir, t->step);
    struct diag *d = must ? lab->diag : diag_new(a);
    recorder_checkpoint(lab->recorder, t->step);
    const bool written = checkpoint_write(path, lab->experiment, t->slab, t->step, NULL, 0, d);
    if (written) {
        recorder_artifact(lab->recorder, "checkpoint", path, "safetensors", t->step, "last");
        recorder_forget(lab->recorder,
                        checkpoints_forget(lab->dir, lab->experiment->checkpoint_keep));
    } else if (!must && !lab->unsaved) {
        progress_note(lab->progress, "%s cannot be written (%s); the run goes on without it", path,
                      strerror(errno));
    }
    lab->unsaved = !written;
    arena_free(a);
    tell_notice(lab);
    return written || !must;
}

static struct cost on_recording(void *context)
{
    const struct laboratory *lab = context;
    return (struct cost){recorder_held(lab->recorder), recorder_seconds(lab->recorder)};
}

static void on_replay(void *context, struct trainer *t, int64_t diverged)
{
    struct laboratory *lab = context;
    progress_note(lab->progress,
                  "step %" PRId64 " gives NaN or Inf; from step %" PRId64
                  " on they are made again to find where that begins",
                  diverged + 1, t->step + 1);
}

// Without a name: it goes with the process, however that ends.
static FILE *nameless(struct laboratory *lab)
{
    const char *path = arena_printf(lab->arena, "%s/past", lab->dir);
    FILE *f = fopen(path, "w+b");
    if (f)
        unlink(path);
    return f;
}

static bool make_folders(struct laboratory *lab)
{
    const char *const sub[] = {"samples", "checkpoints"};
    for (size_t i = 0; i < LENGTH(sub); i++) {
        const char *path = arena_printf(lab->arena, "%s/%s", lab->dir, sub[i]);
        if (mkdir(path, 0777) && errno != EEXIST)
            return fail(lab->diag, (struct place){0}, "cannot make %s: %s", path, strerror(errno));
    }
    return true;
}

// Pictures are drawn where what is sampled is a picture, points where it is points.
static bool open_pictures(struct laboratory *lab)
{
    lab->grid = grid_new(lab->arena, lab->experiment, lab->trainer->slab, lab->diag);
    lab->scatter = scatter_new(lab->arena, lab->experiment, lab->trainer->slab, lab->diag);
    return !diag_errors(lab->diag);
}

// The first line of what went wrong: "gan.yaml:12:9: error: diverged at step 812: …"
static const char *reason(struct laboratory *lab)
{
    struct text all;
    text_init(&all);
    diag_text(lab->diag, &all);
    const char *first = arena_strndup(lab->arena, all.s, strcspn(all.s, "\n"));
    text_release(&all);
    return first;
}

static int session_end(struct laboratory *lab, enum run_status status, const char *why, int code)
{
    recorder_end(lab->recorder, status, why, code);
    tell_notice(lab);
    return code;
}

// Where this process's time went, phase by phase.
static void record_timing(struct laboratory *lab)
{
    for (int i = 0; i < lab->experiment->n_phase; i++) {
        const struct timing *t = trainer_timing(lab->trainer, i);
        if (t)
            recorder_event(lab->recorder, EVENT_INFO, "time", lab->trainer->step, "%s",
                           timing_text(lab->arena, t));
    }
}

static void record_memory(struct laboratory *lab)
{
    const struct experiment *e = lab->experiment;
    recorder_event(lab->recorder, EVENT_INFO, "memory", lab->trainer->step,
                   "%.1f MB lent to all plans in turn, slots %.1f MB; resident at most %.1f MB",
                   1e-6 * (double)workspace_bytes(e->workspace),
                   1e-6 * (double)(sizeof(float) * e->slots.floats),
                   1e-6 * (double)environment_peak_rss());
}

static int session_finish(struct laboratory *lab, enum outcome outcome)
{
    const int signal = stop_signal ? stop_signal : SIGINT;
    int code;
    record_timing(lab);
    record_memory(lab);
    show(lab, lab->trainer);
    progress_end(lab->progress);
    switch (outcome) {
    case OUTCOME_DONE:
        code = session_end(lab, RUN_DONE, "", EXIT_DONE);
        fprintf(stderr, "done: %" PRId64 " steps; %s\n", lab->trainer->step, lab->dir);
        return code;
    case OUTCOME_INTERRUPTED:
        code = session_end(lab, RUN_INTERRUPTED, strsignal(signal), 128 + signal);
        fprintf(stderr, "interrupted at step %" PRId64 ", saved; go on with: ganexp resume %s\n",
                lab->trainer->step, recorder_id(lab->recorder));
        return code;
    case OUTCOME_DIVERGED: return session_end(lab, RUN_DIVERGED, reason(lab), EXIT_DIVERGED);
    default: return session_end(lab, RUN_FAILED, reason(lab), EXIT_FAILED);
    }
}

// Scores that a kill or an interrupt came before.
static bool catch_up(struct laboratory *lab)
{
    struct reader *r = lab->stored.uid ? reader_open(lab->arena, options_db(lab->options), false,
                                                     diag_new(lab->arena))
                                       : NULL;
    if (!r || !trainer_evaluation_due(lab->trainer) ||
        reader_scores(r, &lab->stored, lab->trainer->step, lab->experiment->evaluate.samples) >=
            evaluator_numbers(lab->experiment))
        return true;
    return on_evaluate(lab, lab->trainer);
}

int laboratory_train(struct laboratory *lab)
{
    const struct experiment *e = lab->experiment;
    const struct observer o = {lab,           session_on_progress, on_metrics, on_samples,
                               on_checkpoint, on_evaluate,         on_replay,  on_recording};
    lab->images = e->batch;
    lab->dir = recorder_dir(lab->recorder);
    fprintf(stderr, "%s\n", lab->dir);
    if (!make_folders(lab) || !open_pictures(lab)) {
        recorder_end(lab->recorder, RUN_FAILED, "could not start", EXIT_FAILED);
        return EXIT_FAILED;
    }
    lab->progress = progress_new(lab->arena, stderr, lab->trainer->steps, lab->trainer->step);
    tell_notice(lab);
    lab->trainer->past = nameless(lab);
    enum outcome outcome = OUTCOME_INTERRUPTED;
    if (catch_up(lab))
        outcome = trainer_run(lab->trainer, &o, &stop_signal);
    else if (!stop_signal)
        outcome = OUTCOME_FAILED;
    if (lab->trainer->past)
        fclose(lab->trainer->past);
    return session_finish(lab, outcome);
}
