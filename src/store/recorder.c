// Two buffers and a thread. The training thread fills one; once a second, or when it is half full,
// or when a caller waits, the writer takes it, leaves the other and makes one transaction of it.
// One row a commit would be a thousand times slower and would make training wait for the disk; a
// thread without the batch would only move the wait. What a transaction could not take goes to the
// write-ahead log; what that could not take stays in memory and is tried again.
#include "store/recorder.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "store/describe.h"
#include "store/query.h"
#include "store/record.h"
#include "store/rundir.h"
#include "store/write_ahead_log.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FRONT_ROOM = 32768,
    BATCH = 8192,
    PENDING_MAX = 1 << 22,
    IMPATIENT_MS = 200,
    IDLE_BEAT_MS = 10000
};

struct recorder {
    struct arena *arena;
    const char *db_path, *dir, *uid;
    int lock, busy_ms;
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
    char notice[512];

    // The training thread's.
    const char **name;
    int n_name;
    char given[512];
    double held; // seconds in enqueue and flush

    // The writer's.
    struct db db;
    struct sink sink;
    struct record *pending;
    size_t n_pending, room;
    int64_t beat_ms, lost;
    bool in_trouble;
};

static const struct place nowhere;

static void recorder_tell(struct recorder *r, const char *fmt, const char *what)
{
    pthread_mutex_lock(&r->mutex);
    snprintf(r->notice, sizeof r->notice, fmt, what, r->dir);
    pthread_mutex_unlock(&r->mutex);
}

static bool reopen(struct recorder *r)
{
    struct arena *a = arena_new(NULL);
    const enum db_result result = db_open(&r->db, r->db_path, DB_WRITE, r->busy_ms, diag_new(a));
    arena_free(a);
    if (result == DB_REFUSED)
        snprintf(r->db.why, sizeof r->db.why, "it is no longer this program's");
    return result == DB_OK;
}

static bool has_log(struct recorder *r)
{
    pthread_mutex_lock(&r->mutex);
    const bool has = r->n_logged > 0;
    pthread_mutex_unlock(&r->mutex);
    return has;
}

static bool transaction(struct recorder *r)
{
    if (!db_begin(&r->db))
        return false;
    if (has_log(r))
        wal_apply(r->dir, &r->sink, &r->db);
    for (size_t i = 0; i < r->n_pending; i++)
        record_apply(&r->pending[i], &r->sink, &r->db);
    sink_finish(&r->sink, &r->db, true);
    return db_commit(&r->db);
}

static void wait_for(struct recorder *r, int ms)
{
    if (r->db.handle)
        sqlite3_busy_timeout(r->db.handle, ms);
}

// After the first trouble no call waits long for the database again, until it is well or the run
// ends.
static bool to_database(struct recorder *r, bool durable, bool patient)
{
    if (!r->db.handle && !reopen(r))
        return false;
    wait_for(r, r->in_trouble && !patient && r->busy_ms > IMPATIENT_MS ? IMPATIENT_MS : r->busy_ms);
    if (durable)
        sqlite3_exec(r->db.handle, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    const bool ok = transaction(r);
    if (durable)
        sqlite3_exec(r->db.handle, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    if (!ok)
        sink_forget(&r->sink);
    return ok;
}

static void drop_pending(struct recorder *r)
{
    for (size_t i = 0; i < r->n_pending; i++)
        record_release(&r->pending[i]);
    r->n_pending = 0;
}

static void count_logged(struct recorder *r, int64_t n)
{
    pthread_mutex_lock(&r->mutex);
    r->n_logged = n ? r->n_logged + n : 0;
    pthread_mutex_unlock(&r->mutex);
}

static void well_again(struct recorder *r)
{
    if (has_log(r)) {
        wal_remove(r->dir);
        count_logged(r, 0);
    }
    if (r->in_trouble)
        recorder_tell(r, "%s takes records again; what waited in %s/spool.jsonl is in it",
                      r->db_path);
    r->in_trouble = false;
    r->beat_ms = now_ms();
    drop_pending(r);
}

static void to_log(struct recorder *r)
{
    char what[400];
    snprintf(what, sizeof what, "%s cannot be written (%s); the run goes on", r->db_path,
             r->db.why);
    if (r->n_pending && wal_append(r->dir, r->uid, r->pending, r->n_pending)) {
        count_logged(r, (int64_t)r->n_pending);
        drop_pending(r);
        if (!r->in_trouble)
            recorder_tell(
                r, "%s: records go to %s/spool.jsonl and join the database at the next write",
                what);
    } else if (r->n_pending && !r->in_trouble) {
        snprintf(what + strlen(what), sizeof what - strlen(what), ", nor the log (%s)",
                 strerror(errno));
        recorder_tell(r, "%s: records wait in memory (%s)", what);
    }
    r->in_trouble = true;
}

static void write_pending(struct recorder *r, bool durable, bool patient)
{
    const bool beat = now_ms() - r->beat_ms > IDLE_BEAT_MS;
    if (!r->n_pending && !durable && !beat && !has_log(r))
        return;
    if (to_database(r, durable, patient))
        well_again(r);
    else
        to_log(r);
}

// Takes over what the training thread has gathered. With the mutex held.
static void take_front(struct recorder *r)
{
    if (r->n_pending + r->n_front > r->room) {
        r->room = 2 * (r->n_pending + r->n_front);
        r->pending = realloc(r->pending, r->room * sizeof *r->pending);
        if (!r->pending)
            BUG("out of memory");
    }
    for (size_t i = 0; i < r->n_front; i++) {
        if (r->n_pending < PENDING_MAX || r->front[i].kind == RECORD_OTHER)
            r->pending[r->n_pending++] = r->front[i];
        else
            r->lost++;
    }
    ASSERT(r->n_pending <= r->room);
    r->n_front = 0;
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

static void *writer(void *context)
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

        write_pending(r, durable, patient);

        pthread_mutex_lock(&r->mutex);
        ASSERT(r->written <= upto);
        r->written = upto;
        pthread_cond_broadcast(&r->done);
        pthread_mutex_unlock(&r->mutex);
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
    r->started = !pthread_create(&r->thread, NULL, writer, r);
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
    drop_pending(r);
    db_close(&r->db);
    sink_release(&r->sink);
    free(r->pending);
    if (r->lock >= 0)
        close(r->lock);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->mutex);
}

static struct recorder *recorder_new(struct arena *a, const char *db_path, int busy_ms)
{
    struct recorder *r = NEW(a, struct recorder);
    r->arena = a;
    r->db_path = arena_strdup(a, db_path);
    r->busy_ms = busy_ms ? busy_ms : DB_BUSY_MS;
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
    const char *path = path_join(r->arena, r->dir, "config.yaml");
    return file_replace(path, yaml, strlen(yaml)) ||
           fail(d, nowhere, "cannot write %s: %s", path, strerror(errno));
}

struct recorder *recorder_start(struct arena *a, const char *db, const struct run_description *run,
                                struct diag *d)
{
    struct recorder *r = recorder_new(a, db, run->busy_ms);
    const enum db_result opened = db_open(&r->db, r->db_path, DB_WRITE, r->busy_ms, d);
    if (opened == DB_REFUSED)
        return NULL;
    const char *home = path_parent(a, r->db_path),
               *runs = run->runs ? run->runs : path_join(a, home, "runs");
    if (opened == DB_OK)
        wal_merge_all(runs, &r->db);
    char uid[UID_LENGTH + 1];
    uid_new(uid);
    r->uid = r->sink.uid = arena_strdup(a, uid);
    r->dir = rundir_make(a, runs, uid, run->name, &r->lock, d);
    if (!r->dir || !write_config(r, run->config_yaml, d))
        return NULL;
    start_thread(r);
    enqueue_other(r, describe_run(run, uid, path_inside(a, home, r->dir)));
    enqueue_other(r, describe_attempt(run, 0));
    flush(r, false, true);
    return r;
}

// Takes the lock and what an earlier process left in the log.
static bool take_over(struct recorder *r, const struct stored_run *stored, struct diag *d)
{
    r->uid = r->sink.uid = stored->uid;
    r->dir = stored->dir;
    r->lock = rundir_lock(r->dir);
    if (r->lock < 0)
        return fail(d, nowhere,
                    "run %s is alive in another process\nstop it first, or start a new run",
                    uid_short(r->uid));
    return wal_merge(r->dir, &r->db) || fail(d, nowhere, "cannot bring %s/spool.jsonl into %s: %s",
                                             r->dir, r->db_path, r->db.why);
}

struct recorder *recorder_resume(struct arena *a, const char *db, const char *run, int64_t step,
                                 const struct run_description *now, struct diag *d)
{
    struct recorder *r = recorder_new(a, db, now->busy_ms);
    const enum db_result opened = db_open(&r->db, r->db_path, DB_WRITE, r->busy_ms, d);
    if (opened == DB_UNAVAILABLE)
        fail(d, nowhere, "cannot open %s: %s", db, r->db.why);
    if (opened != DB_OK)
        return NULL;
    struct stored_run stored;
    if (!db_find_run(&r->db, a, run, &stored, d) || !take_over(r, &stored, d))
        return NULL;
    start_thread(r);
    enqueue_other(r, json_pack("{s:s, s:I, s:I}", "what", "rewind", "step", (json_int_t)step,
                               "t_ms", (json_int_t)now_ms()));
    enqueue_other(r, describe_attempt(now, step));
    flush(r, true, true);
    return r;
}

const char *recorder_id(const struct recorder *r) { return uid_short(r->uid); }

const char *recorder_dir(const struct recorder *r) { return r->dir; }

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
    json_t *fields = describe_artifact(path, path_inside(a, r->dir, path), kind, format, step,
                                       role);
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
    json_t *change = describe_run(now, r->uid, "");
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
    if (r->n_logged)
        snprintf(r->notice, sizeof r->notice,
                 "%lld records are in %s/spool.jsonl; the next run that writes %s brings them in",
                 (long long)r->n_logged, r->dir, r->db_path);
    else if (r->n_pending || r->lost)
        snprintf(r->notice, sizeof r->notice, "%lld records could be written nowhere and are lost",
                 (long long)r->n_pending + r->lost);
}

void recorder_end(struct recorder *r, enum run_status status, const char *reason, int exit_code)
{
    if (r->ended)
        return;
    enqueue_other(r, describe_end(status, reason, exit_code));
    flush(r, true, true);
    stop_thread(r);
    r->ended = true;
    last_notice(r);
    db_close(&r->db);
    close(r->lock);
    r->lock = -1;
}

bool recorder_late_scores(const char *path, const char *uid, int64_t step,
                          const struct evaluation *e, int n, struct diag *d)
{
    struct db db;
    const enum db_result opened = db_open(&db, path, DB_WRITE, DB_BUSY_MS, d);
    if (opened == DB_REFUSED)
        return false;
    bool ok = opened == DB_OK && db_begin(&db);
    struct sink sink = {.uid = uid,
                        .run = ok ? db_int(&db, 0, "SELECT id FROM run WHERE uid=?", "t", uid) : 0};
    for (int i = 0; ok && i < n; i++) {
        struct record record = {.kind = RECORD_OTHER, .other = describe_evaluation(&e[i], step)};
        record_apply(&record, &sink, &db);
        record_release(&record);
    }
    ok = ok && db_commit(&db);
    if (!ok)
        fail(d, nowhere, "the scores could not be stored in %s: %s", path, db.why);
    sink_release(&sink);
    db_close(&db);
    return ok;
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
