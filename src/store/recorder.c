// Two buffers and a thread. The training thread fills one; once a second, or when it is half full,
// or when a caller waits, the thread takes it, leaves the other and lets the writer make one batch of
// it. One row a commit would be a thousand times slower and would make training wait for the disk; a
// thread without the batch would only move the wait.
#include "store/recorder.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/describe.h"
#include "store/query.h"
#include "store/rundir.h"
#include "store/run_folders.h"
#include "store/writer.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FRONT_ROOM = 32768, BATCH = 8192 };

struct recorder {
    struct arena *arena;
    int lock;
    bool started, ended;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;

    // Under the mutex.
    struct record *front;
    size_t n_front;
    uint64_t queued, written; // records, ever
    bool urgent, durable, patient, stop;
    int64_t n_logged;
    char notice[NOTICE_ROOM];

    // The training thread's.
    const char **name;
    int n_name;
    char given[NOTICE_ROOM];
    double held; // seconds in enqueue and flush

    struct writer writer; // the thread's, once it runs
};

static const struct place nowhere;

// Takes over what the training thread has gathered. With the mutex held.
static void take_front(struct recorder *r)
{
    writer_take(&r->writer, r->front, r->n_front);
    r->n_front = 0;
}

// What the training thread may know of the writer. With the mutex held.
static void show_writer(struct recorder *r)
{
    r->n_logged = r->writer.lacking;
    if (r->writer.notice[0])
        memcpy(r->notice, r->writer.notice, sizeof r->notice);
    r->writer.notice[0] = '\0';
}

static void wait_a_second(struct recorder *r)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec++;
    int rc = 0;
    while (!r->stop && !r->urgent && r->n_front < BATCH && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&r->wake, &r->mutex, &until);
}

static void *writer_thread(void *context)
{
    struct recorder *r = context;
    bool stop = false;
    while (!stop) {
        pthread_mutex_lock(&r->mutex);
        wait_a_second(r);
        take_front(r);
        const uint64_t upto = r->queued;
        const bool durable = r->durable, patient = r->patient;
        stop = r->stop;
        r->urgent = r->durable = r->patient = false;
        pthread_cond_broadcast(&r->done); // the front is free
        pthread_mutex_unlock(&r->mutex);

        writer_write(&r->writer, durable, patient);

        pthread_mutex_lock(&r->mutex);
        ASSERT(r->written <= upto);
        r->written = upto;
        show_writer(r);
        pthread_cond_broadcast(&r->done);
        pthread_mutex_unlock(&r->mutex);
        if (durable)
            writer_settle(&r->writer);
    }
    return NULL;
}

static void enqueue(struct recorder *r, struct record record)
{
    ASSERT(r->started && !r->ended);
    const double began = clock_now();
    pthread_mutex_lock(&r->mutex);
    while (r->n_front == FRONT_ROOM) {
        r->urgent = true;
        pthread_cond_signal(&r->wake);
        pthread_cond_wait(&r->done, &r->mutex);
    }
    ASSERT(r->n_front < FRONT_ROOM);
    r->front[r->n_front++] = record;
    r->queued++;
    if (r->n_front == BATCH)
        pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
    r->held += clock_now() - began;
}

static void enqueue_other(struct recorder *r, json_t *fields)
{
    enqueue(r, (struct record){.kind = RECORD_OTHER, .other = fields});
}

static void flush(struct recorder *r, bool durable, bool patient)
{
    const double began = clock_now();
    pthread_mutex_lock(&r->mutex);
    const uint64_t upto =
        ++r->queued; // counts as a record, so that the writer goes round once more
    r->urgent = true;
    r->durable |= durable;
    r->patient |= patient;
    pthread_cond_signal(&r->wake);
    while (r->written < upto)
        pthread_cond_wait(&r->done, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
    r->held += clock_now() - began;
}

// Signals are the main thread's business.
static void start_thread(struct recorder *r)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r->started = !pthread_create(&r->thread, NULL, writer_thread, r);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!r->started)
        BUG("cannot start a thread");
}

static void stop_thread(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    r->stop = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
    pthread_join(r->thread, NULL);
    r->started = false;
}

static void recorder_release(void *context)
{
    struct recorder *r = context;
    if (r->started && !r->ended)
        recorder_end(r, RUN_FAILED, "the program ended early", 1);
    writer_release(&r->writer);
    if (r->lock >= 0)
        rundir_unlock(r->lock);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->mutex);
}

static struct recorder *recorder_new(struct arena *a, const char *db_path, int busy_ms)
{
    struct recorder *r = NEW(a, struct recorder);
    r->arena = a;
    r->writer.db_path = arena_strdup(a, db_path);
    r->writer.busy_ms = busy_ms ? busy_ms : DB_BUSY_MS;
    r->writer.journal.fd = -1;
    r->lock = -1;
    r->front = NEW_ARRAY(a, struct record, FRONT_ROOM);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->wake, &monotonic);
    pthread_cond_init(&r->done, NULL);
    pthread_condattr_destroy(&monotonic);
    arena_defer(a, recorder_release, r);
    return r;
}

static bool write_config(struct recorder *r, const char *yaml, struct diag *d)
{
    const char *path = path_join(r->arena, r->writer.dir, "config.yaml");
    return file_replace(path, yaml, strlen(yaml)) ||
           fail(d, nowhere, "cannot write %s: %s", path, strerror(errno));
}

// Another process may have lost it to a power cut.
static bool mend_config(struct recorder *r, const char *yaml, struct diag *d)
{
    if (!file_is_blank(path_join(r->arena, r->writer.dir, "config.yaml")))
        return true;
    recorder_event(r, EVENT_WARN, "config", -1,
                   "config.yaml was empty or gone and is written again");
    return write_config(r, yaml, d);
}

// Whose records these are, and where they go.
static bool open_journal(struct recorder *r, const char *uid, const char *dir, struct diag *d)
{
    struct writer *w = &r->writer;
    w->uid = w->sink.uid = arena_strdup(r->arena, uid);
    w->dir = dir;
    w->stored_dir = path_inside(r->arena, path_parent(r->arena, w->db_path), dir);
    const bool opened = journal_open(&w->journal, dir);
    w->journal.database = journal_database(w->db_path);
    if (opened && w->db.handle && w->behind)
        journal_rewrite(&w->journal, uid, &w->db, false);
    w->first = w->journal.end;
    return opened || fail(d, nowhere, "cannot open %s: %s", w->journal.path, strerror(errno));
}

struct recorder *recorder_start(struct arena *a, const char *db, const struct run_description *run,
                                struct diag *d)
{
    struct recorder *r = recorder_new(a, db, run->busy_ms);
    struct writer *w = &r->writer;
    const enum db_result opened = db_open(&w->db, w->db_path, DB_WRITE, w->busy_ms, d);
    if (opened == DB_REFUSED)
        return NULL;
    const char *home = path_parent(a, w->db_path),
               *runs = run->runs ? run->runs : path_join(a, home, "runs");
    if (opened == DB_OK)
        run_folders_bring_in(&w->db, runs);
    char uid[UID_LENGTH + 1];
    uid_new(uid);
    const char *dir = rundir_make(a, runs, uid, run->name, &r->lock, d);
    if (!dir || !open_journal(r, uid, dir, d) || !write_config(r, run->config_yaml, d))
        return NULL;
    if (!rundir_locked(r->lock))
        snprintf(
            r->notice, sizeof r->notice,
            "%s is on a file system without locks: whether the run is alive is told by the age "
            "of its journal",
            dir);
    start_thread(r);
    enqueue_other(r, describe_run(run, uid, w->stored_dir));
    enqueue_other(r, describe_attempt(run, 0));
    flush(r, false, true);
    return r;
}

// Takes the lock, and knows what an earlier process left that the database has not got.
static bool take_over(struct recorder *r, const struct stored_run *stored, struct diag *d)
{
    r->lock = rundir_lock(stored->dir);
    if (r->lock < 0)
        return fail(d, nowhere,
                    "run %s is alive in another process\nstop it first, or start a new run",
                    uid_short(stored->uid));
    r->writer.behind = true;
    return open_journal(r, stored->uid, stored->dir, d);
}

// The journal and the database may each lack what the other has.
static bool is_known(struct recorder *r, const char *run, struct stored_run *stored, struct diag *d)
{
    struct reader *reader = reader_open_run(r->arena, r->writer.db_path, run, d);
    return reader && reader_find(reader, run, stored, d);
}

struct recorder *recorder_resume(struct arena *a, const char *db, const char *run, int64_t step,
                                 const struct run_description *now, struct diag *d)
{
    struct recorder *r = recorder_new(a, db, now->busy_ms);
    struct writer *w = &r->writer;
    struct stored_run stored;
    if (!is_known(r, run, &stored, d) ||
        db_open(&w->db, w->db_path, DB_WRITE, w->busy_ms, d) == DB_REFUSED ||
        !take_over(r, &stored, d))
        return NULL;
    if (w->journal.torn)
        snprintf(r->notice, sizeof r->notice,
                 "%lld bytes that a crash had torn were cut from the end of %s",
                 (long long)w->journal.torn, w->journal.path);
    start_thread(r);
    if (w->journal.torn)
        recorder_event(r, EVENT_WARN, "journal", -1, "%lld bytes that a crash had torn were cut",
                       (long long)w->journal.torn);
    enqueue_other(r, json_pack("{s:s, s:I, s:I}", "what", "rewind", "step", (json_int_t)step,
                               "t_ms", (json_int_t)now_ms()));
    enqueue_other(r, describe_attempt(now, step));
    if (!mend_config(r, now->config_yaml, d))
        return NULL;
    flush(r, true, true);
    return r;
}

const char *recorder_id(const struct recorder *r) { return uid_short(r->writer.uid); }

const char *recorder_dir(const struct recorder *r) { return r->writer.dir; }

static const char *recorder_intern(struct recorder *r, const char *name)
{
    for (int i = 0; i < r->n_name; i++)
        if (r->name[i] == name || !strcmp(r->name[i], name))
            return r->name[i];
    const char *kept = arena_strdup(r->arena, name);
    APPEND(r->arena, r->name, r->n_name, kept);
    return kept;
}

void recorder_metric(struct recorder *r, const char *name, int64_t step, double value)
{
    ASSERT(name && step >= 0);
    enqueue(r, (struct record){.kind = RECORD_METRIC,
                               .step = step,
                               .metric = {recorder_intern(r, name), value}});
}

void recorder_tick(struct recorder *r, int64_t step, double epoch, int64_t images)
{
    enqueue(r,
            (struct record){.kind = RECORD_TICK, .step = step, .tick = {now_ms(), images, epoch}});
}

void recorder_evaluation(struct recorder *r, int64_t step, const struct evaluation *e)
{
    ASSERT(e->name && e->evaluator.fingerprint);
    enqueue_other(r, describe_evaluation(e, step));
}

void recorder_artifact(struct recorder *r, const char *kind, const char *path, const char *format,
                       int64_t step, const char *role)
{
    struct arena *a = arena_new(NULL);
    json_t *fields = describe_artifact(path, path_inside(a, r->writer.dir, path), kind, format,
                                       step, role);
    arena_free(a);
    if (fields)
        enqueue_other(r, fields);
    else
        recorder_event(r, EVENT_WARN, "artifact", step, "%s cannot be read: %s", path,
                       strerror(errno));
}

void recorder_forget(struct recorder *r, int64_t step)
{
    enqueue_other(r, json_pack("{s:s, s:I, s:I}", "what", "forget", "step", (json_int_t)step,
                               "t_ms", (json_int_t)now_ms()));
}

void recorder_event(struct recorder *r, enum event_level level, const char *code, int64_t step,
                    const char *fmt, ...)
{
    struct arena *a = arena_new(NULL);
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    enqueue_other(r, describe_event(level, code, step, text));
    arena_free(a);
}

bool recorder_change(struct recorder *r, const struct run_description *now, const char *what,
                     struct diag *d)
{
    json_t *change = describe_run(now, r->writer.uid, "");
    json_object_set_new(change, "what", json_string("change"));
    enqueue_other(r, change);
    recorder_event(r, EVENT_WARN, "change", -1, "%s", what);
    flush(r, true, true);
    return write_config(r, now->config_yaml, d);
}

void recorder_checkpoint(struct recorder *r, int64_t step)
{
    enqueue_other(r, json_pack("{s:s, s:I}", "what", "checkpoint", "step", (json_int_t)step));
    flush(r, true, false);
}

void recorder_flush(struct recorder *r) { flush(r, false, false); }

static void last_notice(struct recorder *r)
{
    const struct writer *w = &r->writer;
    const long long nowhere_else = (long long)w->n_pending + w->lost;
    if (w->lacking)
        snprintf(
            r->notice, sizeof r->notice,
            "%lld records are in %s and not in %s (%s): `ls`, `show` and `query` read both, and "
            "the next run that can write it brings them in",
            (long long)w->lacking, w->journal.path, w->db_path, w->db.why);
    else if (w->in_trouble && nowhere_else)
        snprintf(r->notice, sizeof r->notice, "%lld records could be written nowhere and are lost",
                 nowhere_else);
    else if (w->unkept || w->n_pending)
        snprintf(r->notice, sizeof r->notice,
                 "%lld records are in %s alone, since %s could not be written",
                 (long long)w->unkept + (long long)w->n_pending, w->db_path, w->journal.path);
}

void recorder_end(struct recorder *r, enum run_status status, const char *reason, int exit_code)
{
    if (r->ended)
        return;
    enqueue_other(r, describe_end(status, reason, exit_code));
    flush(r, true, true);
    stop_thread(r);
    r->ended = true;
    writer_make_whole(&r->writer);
    last_notice(r);
    db_settle(&r->writer.db);
    db_close(&r->writer.db);
    rundir_unlock(r->lock);
    r->lock = -1;
}

double recorder_held(const struct recorder *r) { return r->held; }

double recorder_seconds(const struct recorder *r)
{
    return r->started ? clock_of_thread(r->thread) : 0;
}

const char *recorder_notice(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    memcpy(r->given, r->notice, sizeof r->given);
    r->notice[0] = '\0';
    pthread_mutex_unlock(&r->mutex);
    return r->given[0] ? r->given : NULL;
}

int64_t recorder_logged(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    const int64_t n = r->n_logged;
    pthread_mutex_unlock(&r->mutex);
    return n;
}
