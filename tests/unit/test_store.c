// results.db under the troubles that break trackers: many processes at once, a held lock, a full or
// read-only disk, a foreign file, numbers that are none, a run that dies and goes on.
#include "support/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "store/db.h"
#include "store/environment.h"
#include "store/query.h"
#include "store/recorder.h"
#include "store/rundir.h"

// Runs fn in n processes; all must exit with 0.
static void in_processes(int n, void (*fn)(struct fixture *f, int i), struct fixture *f)
{
    for (int i = 0; i < n; i++) {
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (!pid) {
            fn(f, i);
            _exit(0);
        }
    }
    for (int i = 0, status; i < n; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
}

static void create(struct fixture *f, int i)
{
    (void)i;
    struct db db;
    if (db_open(&db, f->db, DB_WRITE, DB_BUSY_MS, f->diag) != DB_OK)
        _exit(1);
    if (!db_begin(&db))
        _exit(2);
    db_run(&db, "INSERT INTO metric_key(name) VALUES(?)", "t", arena_printf(f->arena, "key%d", i));
    if (!db_commit(&db))
        _exit(3);
    db_close(&db);
}

static void processes_that_start_at_once_share_one_database(void **state)
{
    struct fixture *f = *state;
    in_processes(32, create, f);
    assert_int_equal(ask(f, "SELECT count(*) FROM metric_key"), 32);
    assert_int_equal(ask(f, "SELECT user_version FROM pragma_user_version"), DB_SCHEMA);
    assert_string_equal(ask_text(f, "SELECT * FROM pragma_integrity_check"), "ok");
}

enum { WRITERS = 8, POINTS = 100000 };

static void write_points(struct fixture *f, int i)
{
    struct arena *a = arena_new(NULL);
    const struct run_description run = description(arena_printf(a, "writer%d", i));
    struct recorder *r = recorder_start(a, f->db, &run, f->diag);
    if (!r)
        _exit(1);
    for (int step = 1; step <= POINTS / 4; step++) {
        recorder_metric(r, "loss/d", step, step);
        recorder_metric(r, "loss/g", step, -step);
        recorder_metric(r, "score/real", step, 0.5);
        recorder_metric(r, "score/fake", step, i);
    }
    recorder_end(r, RUN_DONE, "", 0);
    if (recorder_logged(r) || recorder_notice(r))
        _exit(2);
    arena_free(a);
}

static void writers_at_once_lose_no_point(void **state)
{
    struct fixture *f = *state;
    in_processes(WRITERS, write_points, f);
    assert_int_equal(ask(f, "SELECT count(*) FROM metric"), WRITERS * POINTS);
    assert_int_equal(ask(f, "SELECT sum(n) FROM metric_summary"), WRITERS * POINTS);
    assert_int_equal(ask(f, "SELECT count(*) FROM runs WHERE status='done'"), WRITERS);
    const int64_t n = POINTS / 4;
    assert_int_equal(ask(f, "SELECT sum(sum) FROM metric_summary s JOIN metric_key k ON "
                            "k.id=s.key_id WHERE name='loss/d'"),
                     WRITERS * (n * (n + 1) / 2));
}

static void nan_and_infinities_are_values(void **state)
{
    struct fixture *f = *state;
    struct recorder *r = start(f);
    const double x[] = {1, NAN, INFINITY, -INFINITY, 3};
    for (int i = 0; i < 5; i++)
        recorder_metric(r, "loss", i, x[i]);
    recorder_metric(r, "nothing", 0, NAN);
    recorder_end(r, RUN_DIVERGED, "NaN in loss", 3);
    struct reader *reader = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run;
    assert_true(reader_find(reader, "ring", &run, f->diag));
    int64_t n;
    const struct curve_point *p = query_curve(reader, &run, "loss", &n);
    assert_int_equal(n, 5);
    assert_true(isnan(p[1].value) && p[2].value == INFINITY && p[3].value == -INFINITY &&
                p[4].value == 3);
    assert_int_equal(ask(f, "SELECT n_nan FROM summary WHERE metric='loss'"), 1);
    assert_int_equal(ask(f, "SELECT last FROM summary WHERE metric='loss'"), 3);
    assert_int_equal(ask(f, "SELECT max=9e999 AND min=-9e999 FROM summary WHERE metric='loss'"), 1);
    assert_int_equal(ask(f, "SELECT min IS NULL AND n_nan=1 FROM summary WHERE metric='nothing'"),
                     1);
    assert_string_equal(ask_text(f, "SELECT status || ' ' || reason FROM runs"),
                        "diverged NaN in loss");
}

// A summary grown point by point must be what the points themselves say, in whatever order they
// came.
static const char *const summaries_agree =
    "SELECT count(*) FROM metric_summary s WHERE s.n <> (SELECT count(*) FROM metric m WHERE "
    "m.run_id=s.run_id AND m.key_id=s.key_id) OR s.min IS NOT (SELECT min(value) FROM metric m "
    "WHERE m.run_id=s.run_id AND m.key_id=s.key_id) OR s.max IS NOT (SELECT max(value) FROM metric "
    "m WHERE m.run_id=s.run_id AND m.key_id=s.key_id) OR s.last_step <> (SELECT max(step) FROM "
    "metric m WHERE m.run_id=s.run_id AND m.key_id=s.key_id) OR s.last IS NOT (SELECT value FROM "
    "metric m WHERE m.run_id=s.run_id AND m.key_id=s.key_id ORDER BY step DESC LIMIT 1) OR s.first "
    "IS NOT (SELECT value FROM metric m WHERE m.run_id=s.run_id AND m.key_id=s.key_id ORDER BY "
    "step LIMIT 1) OR abs(s.sum - (SELECT total(value) FROM metric m WHERE m.run_id=s.run_id AND "
    "m.key_id=s.key_id)) > 1e-9";

static void points_in_any_order_have_right_summaries(void **state)
{
    struct fixture *f = *state;
    struct recorder *r = start(f);
    const int step[] = {5, 3, 9, 9, 1, 12, 3};
    for (int i = 0; i < 7; i++) {
        recorder_metric(r, "loss", step[i], 10 - i);
        if (i % 2)
            recorder_flush(r);
    }
    recorder_flush(r);
    assert_int_equal(ask(f, "SELECT count(*) FROM metric"), 5);
    assert_int_equal(ask(f, "SELECT value FROM metrics WHERE step=9"), 7);
    assert_int_equal(ask(f, summaries_agree), 0);
    recorder_end(r, RUN_DONE, "", 0);
}

// Writes a file of the run directory.
static const char *run_file(struct fixture *f, struct recorder *r, const char *name)
{
    const char *path = arena_printf(f->arena, "%s/%s", recorder_dir(r), name);
    assert_true(file_replace(path, name, strlen(name)));
    return path;
}

static void steps(struct recorder *r, int from, int to)
{
    for (int step = from; step <= to; step++) {
        recorder_metric(r, "loss", step, 1.0 / step);
        recorder_tick(r, step, step / 10.0, step * 64);
    }
}

static void a_resumed_run_takes_back_what_came_after(void **state)
{
    struct fixture *f = *state;
    struct arena *first = arena_new(f->arena);
    struct recorder *r = start_in(f, first, "ring");
    const char *id = arena_strdup(f->arena, recorder_id(r));
    steps(r, 1, 50);
    recorder_artifact(r, "checkpoint", run_file(f, r, "50.safetensors"), "safetensors", 50, "last");
    recorder_checkpoint(r, 50);
    steps(r, 51, 80);
    const struct evaluation e = fid(20, "f1");
    recorder_evaluation(r, 50, &e);
    recorder_evaluation(r, 80, &e);
    recorder_artifact(r, "samples", run_file(f, r, "80.png"), "png", 80, "");
    recorder_end(r, RUN_INTERRUPTED, "SIGTERM", 143);
    arena_free(first);
    assert_int_equal(ask(f, "SELECT step FROM runs"), 80);

    struct reader *reader = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run;
    assert_true(reader_find(reader, id, &run, f->diag));
    int64_t step;
    assert_non_null(strstr(reader_checkpoint(reader, &run, &step), "/50.safetensors"));
    const struct run_description now = description("ring");
    r = recorder_resume(f->arena, f->db, id, step, &now, f->diag);
    assert_non_null(r);
    assert_int_equal(ask(f, "SELECT max(step) FROM metric"), 50);
    assert_int_equal(ask(f, "SELECT count(*) FROM evals"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM artifact WHERE kind<>'journal'"), 1);
    assert_int_equal(ask(f, "SELECT step FROM runs"), 50);
    assert_int_equal(ask(f, summaries_agree), 0);
    assert_string_equal(ask_text(f, "SELECT text FROM event WHERE code='rewind'"),
                        "30 points after step 50 removed");
    steps(r, 51, 100);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metric"), 100);
    assert_int_equal(ask(f, "SELECT count(*) FROM tick"), 100);
    assert_int_equal(ask(f, "SELECT count(*) FROM attempt WHERE (n=1 AND end_status='interrupted') "
                            "OR (n=2 AND first_step=50)"),
                     2);
    assert_int_equal(ask(f, summaries_agree), 0);
    assert_int_equal(ask(f, "SELECT images FROM runs"), 6400);
}

static void a_live_run_is_not_resumed(void **state)
{
    struct fixture *f = *state;
    struct recorder *r = start(f);
    const struct run_description now = description("ring");
    assert_null(recorder_resume(arena_new(f->arena), f->db, recorder_id(r), 0, &now, f->diag));
    assert_non_null(strstr(messages(f), "is alive"));
    recorder_end(r, RUN_DONE, "", 0);
}

// Another program holds the write lock for two seconds; the run was told to wait for 100 ms.
static void a_busy_database_holds_up_no_run(void **state)
{
    struct fixture *f = *state;
    struct run_description run = description("ring");
    run.busy_ms = 100;
    struct recorder *r = recorder_start(f->arena, f->db, &run, f->diag);
    assert_non_null(r);
    steps(r, 1, 10);
    recorder_flush(r);
    struct db other;
    assert_int_equal(db_open(&other, f->db, DB_WRITE, 100, f->diag), DB_OK);
    assert_true(db_begin(&other));
    steps(r, 11, 30);
    recorder_metric(r, "odd", 11, INFINITY);
    recorder_metric(r, "odd", 12, NAN);
    const struct evaluation e = fid(20, "f1");
    recorder_evaluation(r, 20, &e);
    recorder_event(r, EVENT_WARN, "collapse", 25, "the critic's loss is %d", 0);
    recorder_checkpoint(r, 30);
    assert_true(recorder_logged(r) >= 42);
    assert_non_null(strstr(recorder_notice(r), "journal.jsonl"));
    sleep(2);
    assert_null(recorder_notice(r));
    assert_true(db_commit(&other));
    db_close(&other);
    steps(r, 31, 40);
    recorder_flush(r);
    assert_int_equal(recorder_logged(r), 0);
    assert_non_null(strstr(recorder_notice(r), "takes records again"));
    recorder_end(r, RUN_DONE, "", 0);
    assert_null(recorder_notice(r));
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 40);
    assert_int_equal(
        ask(f,
            "SELECT count(*) FROM metrics WHERE metric='odd' AND (value=9e999 OR value IS NULL)"),
        2);
    assert_int_equal(ask(f, "SELECT count(*) FROM tick"), 40);
    assert_int_equal(ask(f, "SELECT count(*) FROM evals"), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE text='the critic''s loss is 0'"), 1);
    assert_int_equal(ask(f, summaries_agree), 0);
}

// All of a run goes to its journal alone, its birth included, and the next run brings it in.
static void the_next_run_brings_in_the_journal(void **state)
{
    struct fixture *f = *state;
    struct db other;
    assert_int_equal(db_open(&other, f->db, DB_WRITE, 100, f->diag), DB_OK);
    assert_true(db_begin(&other));
    struct run_description run = description("apart");
    run.busy_ms = 50;
    struct recorder *r = recorder_start(f->arena, f->db, &run, f->diag);
    assert_non_null(r);
    steps(r, 1, 100);
    recorder_end(r, RUN_DONE, "", 0);
    assert_true(recorder_logged(r) >= 200);
    assert_non_null(strstr(recorder_notice(r), "the next run"));
    assert_true(db_commit(&other));
    db_close(&other);
    // a reader takes both; the file itself has nothing of it
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE run='apart'"), 100);
    assert_int_equal(db_open(&other, f->db, DB_READ, 100, f->diag), DB_OK);
    assert_int_equal(db_int(&other, -1, "SELECT count(*) FROM run", ""), 0);
    db_close(&other);

    recorder_end(start(f), RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM runs"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM metric"), 100);
    assert_string_equal(ask_text(f, "SELECT status FROM runs WHERE name='apart'"), "done");
    assert_int_equal(ask(f, "SELECT count(*) FROM param"), 4);
    assert_int_equal(ask(f, summaries_agree), 0);
}

// As somebody who may write the runs' directory but not the database's.
static void logs_on_read_only(struct fixture *f, int i)
{
    (void)i;
    struct arena *a = arena_new(NULL);
    if (!geteuid() && (setegid(65534) || seteuid(65534)))
        _exit(1);
    struct run_description run = description("readonly");
    run.busy_ms = 50;
    run.runs = arena_printf(a, "%s/elsewhere", f->dir);
    struct recorder *r = recorder_start(a, f->db, &run, f->diag);
    if (!r)
        _exit(2);
    steps(r, 1, 20);
    recorder_end(r, RUN_DONE, "", 0);
    _exit(recorder_logged(r) >= 40 ? 0 : 3);
}

static void a_read_only_database_stops_no_run(void **state)
{
    struct fixture *f = *state;
    recorder_end(start(f), RUN_DONE, "", 0);
    const char *elsewhere = arena_printf(f->arena, "%s/elsewhere", f->dir);
    assert_int_equal(mkdir(elsewhere, 0777) | chmod(elsewhere, 0777) | chmod(f->dir, 0555) |
                         chmod(f->db, 0444),
                     0);
    in_processes(1, logs_on_read_only, f);
    assert_int_equal(chmod(f->dir, 0755) | chmod(f->db, 0644), 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM runs"), 1);
    struct run_description run = description("next");
    run.runs = elsewhere;
    struct recorder *r = recorder_start(f->arena, f->db, &run, f->diag);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM runs"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE run='readonly'"), 20);
}

// The disk is full for the database, then there is room again.
static void fill_disk(struct fixture *f, int i)
{
    (void)i;
    struct arena *a = arena_new(NULL);
    signal(SIGXFSZ, SIG_IGN);
    const struct run_description run = description("full");
    struct recorder *r = recorder_start(a, f->db, &run, f->diag);
    if (!r)
        _exit(1);
    struct rlimit old, small;
    getrlimit(RLIMIT_FSIZE, &old);
    small = old;
    small.rlim_cur = 4096; // the journal overflows too: what it could not take waits in memory
    setrlimit(RLIMIT_FSIZE, &small);
    steps(r, 1, 500);
    recorder_checkpoint(r, 500);
    if (!recorder_notice(r))
        _exit(2);
    setrlimit(RLIMIT_FSIZE, &old);
    steps(r, 501, 600);
    recorder_end(r, RUN_DONE, "", 0);
    _exit(recorder_logged(r) == 0 ? 0 : 3);
}

static void a_full_disk_loses_no_record(void **state)
{
    struct fixture *f = *state;
    in_processes(1, fill_disk, f);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 600);
    assert_int_equal(ask(f, summaries_agree), 0);
    assert_string_equal(ask_text(f, "SELECT * FROM pragma_integrity_check"), "ok");
}

static void live_and_be_killed(struct fixture *f, int i)
{
    (void)i;
    struct arena *a = arena_new(NULL);
    struct recorder *r = start_in(f, a, "killed");
    steps(r, 1, 10);
    recorder_checkpoint(r, 10);
    if (strcmp(ask_text(f, "SELECT status FROM runs WHERE name='killed'"), "running") != 0)
        _exit(1);
    struct stored_run run;
    if (!reader_find(reader_open(a, f->db, false, f->diag), "killed", &run, f->diag) ||
        strcmp(run.status, "running") != 0)
        _exit(2);
    kill(getpid(), SIGKILL);
}

static void a_killed_run_is_shown_as_lost(void **state)
{
    struct fixture *f = *state;
    const pid_t pid = fork();
    if (!pid)
        live_and_be_killed(f, 0);
    int status;
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct reader *reader = reader_open(f->arena, f->db, false, f->diag);
    struct stored_run run;
    assert_true(reader_find(reader, "@last", &run, f->diag));
    assert_string_equal(run.status, "lost");
    const struct table *t = query_runs(reader, &(struct run_filter){.status = "lost"});
    assert_int_equal(table_rows(t), 1);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics"), 10);
    const struct run_description now = description("killed");
    struct recorder *r = recorder_resume(f->arena, f->db, "@last", 10, &now, f->diag);
    assert_non_null(r);
    recorder_end(r, RUN_DONE, "", 0);
}

// What lies at the path stays byte for byte as it was.
static void refused(struct fixture *f, const void *bytes, size_t n, const char *says)
{
    char *after = arena_alloc(f->arena, n + 1);
    int fd = open(f->db, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(write(fd, bytes, n) == (ssize_t)n);
    close(fd);
    diag_clear(f->diag);
    const struct run_description run = description("ring");
    assert_null(recorder_start(arena_new(f->arena), f->db, &run, f->diag));
    if (!strstr(messages(f), says))
        print_error("expected \"%s\" in:\n%s", says, messages(f));
    assert_non_null(strstr(messages(f), says));
    assert_null(reader_open(f->arena, f->db, false, f->diag));
    fd = open(f->db, O_RDONLY);
    assert_true(read(fd, after, n + 1) == (ssize_t)n);
    close(fd);
    assert_memory_equal(bytes, after, n);
}

static void a_foreign_or_damaged_file_is_left_as_it_was(void **state)
{
    struct fixture *f = *state;
    static uint8_t good[1 << 20], bad[1 << 20];
    recorder_end(start(f), RUN_DONE, "", 0);
    const int fd = open(f->db, O_RDONLY);
    const ssize_t n = read(fd, good, sizeof good);
    close(fd);
    assert_true(n > 4096);
    refused(f, "", 0, "is empty");
    refused(f, "name: acgan\n", 12, "is not a database");
    refused(f, good, (size_t)n - 4096, "its end is missing");
    memcpy(bad, good, (size_t)n);
    bad[71] ^= 1;
    refused(f, bad, (size_t)n, "another program");
    memcpy(bad, good, (size_t)n);
    bad[63] = DB_SCHEMA + 1;
    refused(f, bad, (size_t)n, "a newer ganexp");
    bad[63] = 0;
    refused(f, bad, (size_t)n, "has schema 0");
    memcpy(bad, good, (size_t)n);
    memset(bad + 100, 0x5a, 3996);
    refused(f, bad, (size_t)n, "damaged");
    struct stat st;
    assert_true(stat(arena_printf(f->arena, "%s/none.db", f->dir), &st) && errno == ENOENT);
    assert_null(
        reader_open(f->arena, arena_printf(f->arena, "%s/none.db", f->dir), false, f->diag));
    assert_true(stat(arena_printf(f->arena, "%s/none.db", f->dir), &st) && errno == ENOENT);
}

static void the_environment_is_recorded_once(void **state)
{
    struct fixture *f = *state;
    const struct environment *e = environment_capture(f->arena, "avx2", "oneDNN", NULL);
    assert_true(e->cores > 0 && e->mem_bytes > 0 && *e->host && *e->kernel && *e->compiler);
    struct run_description run = description("ring");
    run.environment = e;
    recorder_end(recorder_start(f->arena, f->db, &run, f->diag), RUN_DONE, "", 0);
    recorder_end(recorder_start(f->arena, f->db, &run, f->diag), RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM env"), 1);
    assert_string_equal(ask_text(f, "SELECT isa FROM env"), "avx2");
    assert_string_equal(ask_text(f, "SELECT argv_json FROM attempt"),
                        "[\"ganexp\",\"run\",\"configs/ring.yaml\"]");
}

// What another process sees of our lock on the bytes that SQLite holds shared while it is connected
// (https://sqlite.org/src/file/src/os.h: SHARED_FIRST).
static void see_lock(struct fixture *f, int i)
{
    (void)i;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510};
    const int fd = open(f->db, O_RDWR);
    _exit(fd < 0 || fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK);
}

// A second connection of the same process must not cost the first one its locks.
static void a_second_connection_leaves_the_locks(void **state)
{
    struct fixture *f = *state;
    struct db first, second;
    create(f, 0);
    assert_int_equal(db_open(&first, f->db, DB_READ, DB_BUSY_MS, f->diag), DB_OK);
    in_processes(1, see_lock, f);
    assert_int_equal(db_open(&second, f->db, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
    in_processes(1, see_lock, f);
    db_close(&second);
    db_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(processes_that_start_at_once_share_one_database),
        TEST(writers_at_once_lose_no_point),
        TEST(a_second_connection_leaves_the_locks),
        TEST(nan_and_infinities_are_values),
        TEST(points_in_any_order_have_right_summaries),
        TEST(a_resumed_run_takes_back_what_came_after),
        TEST(a_live_run_is_not_resumed),
        TEST(a_busy_database_holds_up_no_run),
        TEST(the_next_run_brings_in_the_journal),
        TEST(a_read_only_database_stops_no_run),
        TEST(a_full_disk_loses_no_record),
        TEST(a_killed_run_is_shown_as_lost),
        TEST(a_foreign_or_damaged_file_is_left_as_it_was),
        TEST(the_environment_is_recorded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
