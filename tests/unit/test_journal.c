// A run's journal and what is made of it: half batches, damaged ones, left-overs; databases that are
// deleted, replaced, restored from a backup; a directory as all that is left.
#include "support/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/db_create.h"
#include "store/journal.h"
#include "store/late.h"
#include "store/leftovers.h"
#include "store/run_folders.h"

static void steps(struct recorder *r, int from, int to)
{
    for (int step = from; step <= to; step++) {
        recorder_metric(r, "loss", step, 1.0 / step);
        recorder_tick(r, step, step / 10.0, step * 64);
    }
}

// A run that was stopped, resumed and scored; returns its directory.
static const char *whole_run(struct fixture *f)
{
    struct arena *a = arena_new(f->arena);
    struct recorder *r = start_in(f, a, "ring");
    const char *dir = arena_strdup(f->arena, recorder_dir(r)),
               *picture = arena_printf(a, "%s/80.png", dir);
    const struct evaluation e = fid(20, "f1");
    steps(r, 1, 50);
    recorder_checkpoint(r, 50);
    steps(r, 51, 80);
    recorder_end(r, RUN_INTERRUPTED, "SIGTERM", 143);
    const struct run_description now = description("ring");
    r = recorder_resume(a, f->db, dir, 50, &now, f->diag);
    assert_non_null(r);
    steps(r, 51, 100);
    recorder_metric(r, "odd", 60, INFINITY);
    recorder_metric(r, "odd", 61, NAN);
    recorder_flush(r);
    recorder_evaluation(r, 100, &e);
    assert_true(file_replace(picture, "png", 3));
    recorder_artifact(r, "samples", picture, "png", 80, "");
    recorder_event(r, EVENT_WARN, "collapse", 70, "the critic's loss is %d", 0);
    recorder_end(r, RUN_DONE, "", 0);
    arena_free(a);
    return dir;
}

// All that the database says of its runs, as text.
static const char *all_rows(struct fixture *f)
{
    static const char *const part[] = {
        "SELECT group_concat(uid || name || status || step || images || reason || note || "
        "config_hash || seed || created_ms || dir || coalesce(total_steps, 0) || ended_ms, ';') "
        "FROM run",
        "SELECT group_concat(key || type || text || coalesce(num, 'none') || origin) FROM param",
        "SELECT group_concat(n || argv_json || first_step || coalesce(last_step, 'none') || "
        "end_status || started_ms || ended_ms) FROM attempt",
        "SELECT group_concat(run || metric || step || coalesce(value, 'NaN') || t_ms || epoch) "
        "FROM (SELECT * FROM metrics WHERE metric='loss' ORDER BY step)",
        "SELECT group_concat(metric || n || n_nan || coalesce(last, 'NaN') || coalesce(min, '')) "
        "FROM (SELECT * FROM summary ORDER BY metric)",
        "SELECT group_concat(step || metric || value || weights || fingerprint) FROM evals",
        "SELECT group_concat(kind || path || sha256 || role) FROM (SELECT * FROM artifact ORDER BY "
        "path)",
        "SELECT group_concat(code || level || text || t_ms || coalesce(step, '')) FROM (SELECT * "
        "FROM event ORDER BY t_ms, code)",
    };
    struct arena *outer = f->arena;
    struct text all;
    text_init(&all);
    f->arena = arena_new(NULL); // no reader stays, nor its log
    for (size_t i = 0; i < LENGTH(part); i++)
        text_addf(&all, "%s\n", ask_text(f, part[i]));
    arena_free(f->arena);
    f->arena = outer;
    const char *kept = arena_strdup(f->arena, all.s);
    text_release(&all);
    return kept;
}

static void remove_database(struct fixture *f)
{
    assert_int_equal(unlink(f->db), 0);
    unlink(arena_printf(f->arena, "%s-wal", f->db));
    unlink(arena_printf(f->arena, "%s-shm", f->db));
}

static struct db open_database(struct fixture *f)
{
    struct db db;
    assert_int_equal(db_open(&db, f->db, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
    return db;
}

static void same_rows(struct fixture *f, const char *before)
{
    const char *now = all_rows(f);
    if (strcmp(now, before)) {
        size_t at = 0;
        while (now[at] == before[at])
            at++;
        print_error("they differ: …%.60s… was …%.60s…\n", now + (at > 20 ? at - 20 : 0),
                    before + (at > 20 ? at - 20 : 0));
    }
    assert_int_equal(strcmp(now, before), 0);
}

static void a_directory_alone_gives_all_rows_back(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *before = all_rows(f);
    assert_true(strlen(before) > 3000);
    remove_database(f);
    assert_null(reader_open(f->arena, f->db, false, f->diag));
    assert_non_null(strstr(messages(f), "is gone"));
    struct db db = open_database(f);
    assert_true(run_folder_bring_in(&db, dir));
    same_rows(f, before);
    assert_true(run_folder_bring_in(&db, dir)); // twice is once
    same_rows(f, before);
    db_close(&db);
}

static void a_run_is_resumed_from_its_directory(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f);
    remove_database(f);
    const struct run_description now = description("ring");
    struct recorder *r = recorder_resume(f->arena, f->db, dir, 100, &now, f->diag);
    assert_non_null(r);
    steps(r, 101, 110);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 110);
    assert_int_equal(ask(f, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(ask(f, "SELECT count(*) FROM evals"), 1);
}

static int64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : st.st_size;
}

static void append_bytes(const char *path, const char *s)
{
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_true(fd >= 0 && file_write_bytes(fd, s, strlen(s)));
    close(fd);
}

// What a crash left is no record, whatever stands in it, and is cut when the run goes on.
static void a_torn_batch_does_not_count(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *before = all_rows(f),
               *path = arena_printf(f->arena, "%s/" JOURNAL_NAME, dir);
    append_bytes(path, "{\"what\":\"rewind\",\"step\":10,\"t_ms\":1}\n{\"metric\":\"loss\",\"st");
    recorder_end(start_in(f, f->arena, "next"), RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 100);
    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE code='journal' AND text LIKE '%were "
                            "cut%'"),
                     1);
    remove_database(f);
    struct db db = open_database(f);
    assert_true(run_folder_bring_in(&db, dir));
    db_exec(&db, "DELETE FROM event WHERE code='journal'");
    db_close(&db);
    same_rows(f, before);
}

static void a_damaged_batch_is_left_out_and_said(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *path = arena_printf(f->arena, "%s/" JOURNAL_NAME, dir);
    struct db db = open_database(f);
    const int64_t seals = size_of(path);
    const int fd = open(path, O_RDWR);
    char *s = arena_alloc(f->arena, (size_t)seals + 1);
    assert_int_equal(pread(fd, s, (size_t)seals, 0), seals);
    char *point = strstr(s, "\"metric\":\"odd\"");
    assert_non_null(point);
    assert_int_equal(pwrite(fd, "O", 1, point - s + 10), 1);
    close(fd);
    db_close(&db);
    remove_database(f);
    db = open_database(f);
    assert_true(run_folder_bring_in(&db, dir));
    db_close(&db);
    assert_int_equal(ask(f,
                         "SELECT count(*) FROM metric m JOIN metric_key k ON k.id=m.key_id WHERE "
                         "k.name<>'loss'"),
                     0);
    assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE code='journal' AND level='error'"),
                     1);
}

// In a process of its own, whose files may not grow.
static void append_to_full_disk(const char *dir)
{
    struct journal j;
    struct record record[100];
    for (int i = 0; i < 100; i++)
        record[i] = (struct record){.kind = RECORD_METRIC, .step = i, .metric = {"loss", i}};
    signal(SIGXFSZ, SIG_IGN);
    if (!journal_open(&j, dir) || !journal_append(&j, "01jd00000000000000000000aa", record, 1, 0))
        _exit(1);
    const int64_t before = size_of(j.path);
    const struct rlimit limit = {.rlim_cur = (rlim_t)before + 1000, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) ||
        journal_append(&j, "01jd00000000000000000000aa", record, 100, 0))
        _exit(2);
    if (errno != EFBIG || size_of(j.path) != before || j.end != before)
        _exit(3);
    _exit(journal_append(&j, "01jd00000000000000000000aa", record, 1, before) ? 0 : 4);
}

static void a_failed_append_is_cut_back(void **state)
{
    struct fixture *f = *state;
    struct journal_tail tail;
    int status;
    if (!fork())
        append_to_full_disk(f->dir);
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    assert_true(journal_tail(f->dir, &tail));
    assert_int_equal(tail.begin, tail.stored);
    assert_int_equal(tail.end, journal_bytes(f->dir));
}

// A file of the name that was once a log, and an empty journal, are no obstacle.
static void leftovers_do_no_harm(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *before = all_rows(f);
    const char *line = "\n{\"spool\":\"x\"}\n{\"what\":\"rewind\",\"step\":40,\"t_ms\":5}\n";
    assert_true(file_replace(arena_printf(f->arena, "%s/spool.jsonl", dir), line, strlen(line)));
    struct db db = open_database(f);
    run_folders_bring_in(&db, arena_printf(f->arena, "%s/runs", f->dir));
    db_close(&db);
    same_rows(f, before);
    assert_int_equal(truncate(arena_printf(f->arena, "%s/" JOURNAL_NAME, dir), 0), 0);
    const struct run_description now = description("ring");
    struct recorder *r = recorder_resume(f->arena, f->db, "@last", 100, &now, f->diag);
    assert_non_null(r);
    steps(r, 101, 110);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 110);
}

// How a database that is written to can go: by its name, with its log or without, or by another.
static void go(struct fixture *f, int how)
{
    const char *other = arena_printf(f->arena, "%s/other.db", f->dir);
    struct db db;
    if (how == 0)
        remove_database(f);
    else if (how == 1)
        assert_int_equal(unlink(f->db), 0); // its log stays
    else {
        assert_int_equal(db_open(&db, other, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
        db_close(&db);
        assert_int_equal(rename(other, f->db), 0);
    }
}

static void a_database_that_goes_is_noticed_and_made_whole(void **state)
{
    struct fixture *f = *state;
    for (int how = 0; how < 3; how++) {
        struct recorder *r = start_in(f, f->arena, arena_printf(f->arena, "gone%d", how));
        steps(r, 1, 50);
        recorder_flush(r);
        go(f, how);
        steps(r, 51, 100);
        recorder_flush(r);
        assert_non_null(strstr(recorder_notice(r), how < 2 ? "was deleted" : "was replaced"));
        recorder_end(r, RUN_DONE, "", 0);
        assert_null(recorder_notice(r));
        assert_int_equal(ask(f, "SELECT count(*) FROM runs"), 1);
        assert_int_equal(ask(f, "SELECT count(*) FROM metrics"), 100);
        assert_int_equal(ask(f, "SELECT count(*) FROM param"), 2);
        assert_int_equal(ask(f, "SELECT count(*) FROM event WHERE code='database'"), 1);
        assert_string_equal(ask_text(f, "SELECT * FROM pragma_integrity_check"), "ok");
    }
    int n;
    struct leftover *l = leftovers(reader_open(f->arena, f->db, false, f->diag), true, &n);
    assert_true(n >= 3); // two runs without a row, and the log of the second database
    int lost = 0;
    for (int i = 0; i < n; i++) {
        lost += l[i].records;
        assert_true(leftover_remove(&l[i]));
        assert_true(access(l[i].path, F_OK) && errno == ENOENT);
    }
    assert_int_equal(lost, 2);
    leftovers(reader_open(f->arena, f->db, false, f->diag), true, &n);
    assert_int_equal(n, 0);
}

// Written over in place, it is no longer a database. The run goes on, and its directory has it all.
static void a_database_that_is_cut_short_stops_no_run(void **state)
{
    struct fixture *f = *state;
    static const off_t left[] = {8192, 0};
    for (size_t i = 0; i < LENGTH(left); i++) {
        struct recorder *r = start_in(f, f->arena, "cut");
        const char *dir = recorder_dir(r);
        for (int k = 0; k < 10; k++) {
            if (k == 3)
                assert_int_equal(truncate(f->db, left[i]), 0);
            steps(r, 100 * k + 1, 100 * k + 100);
            recorder_checkpoint(r, 100 * k + 100);
        }
        recorder_end(r, RUN_DONE, "", 0);
        assert_true(left[i] || recorder_notice(r)); // the log may have made it whole
        remove_database(f);
        struct db db = open_database(f);
        assert_true(run_folder_bring_in(&db, dir));
        assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), 1000);
        db_close(&db);
        remove_database(f);
    }
}

// A log that lies where a new database is made is of an older one.
static void a_foreign_log_is_not_replayed(void **state)
{
    struct fixture *f = *state;
    const char *wal = arena_printf(f->arena, "%s-wal", f->db),
               *copy = arena_printf(f->arena, "%s/copy", f->dir);
    struct db db = open_database(f);
    assert_true(db_begin(&db));
    db_exec(&db, "INSERT INTO metric_key(name) VALUES('of the old one')");
    assert_true(db_commit(&db));
    assert_int_equal(link(wal, copy), 0);
    db_close(&db);
    remove_database(f);
    assert_int_equal(rename(copy, wal), 0);
    db = open_database(f);
    assert_int_equal(db_int(&db, -1, "SELECT count(*) FROM metric_key", ""), 0);
    db_close(&db);
}

static void copy_file(struct fixture *f, const char *from, const char *to)
{
    assert_int_equal(system(arena_printf(f->arena, "cp %s %s", from, to)), 0);
}

static void a_restored_backup_gets_what_came_after_it(void **state)
{
    struct fixture *f = *state;
    const char *backup = arena_printf(f->arena, "%s/backup.db", f->dir);
    struct arena *a = arena_new(f->arena);
    const struct run_description now = description("ring");
    struct recorder *r = start_in(f, a, "ring");
    steps(r, 1, 50);
    recorder_end(r, RUN_INTERRUPTED, "", 130);
    copy_file(f, f->db, backup);
    r = recorder_resume(a, f->db, "@last", 50, &now, f->diag);
    steps(r, 51, 100);
    recorder_end(r, RUN_DONE, "", 0);
    arena_free(a);
    const char *before = all_rows(f);
    assert_int_equal(rename(backup, f->db), 0);
    same_rows(f, before); // readers take both
    struct db db = open_database(f);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), 50);
    run_folders_bring_in(&db, arena_printf(f->arena, "%s/runs", f->dir));
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), 100);
    db_close(&db);
    same_rows(f, before);
}

static void a_moved_directory_is_followed_and_a_copy_refused(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *moved = arena_printf(f->arena, "%s/moved", f->dir);
    assert_int_equal(rename(dir, moved), 0);
    const struct run_description now = description("ring");
    struct arena *a = arena_new(f->arena);
    struct recorder *r = recorder_resume(a, f->db, moved, 100, &now, f->diag);
    assert_non_null(r);
    recorder_end(r, RUN_DONE, "", 0);
    assert_string_equal(ask_text(f, "SELECT dir FROM run"), "moved");
    copy_file(f, arena_printf(f->arena, "-r %s", moved), dir);
    assert_null(recorder_resume(a, f->db, dir, 100, &now, f->diag));
    assert_non_null(strstr(messages(f), "is a copy"));
    arena_free(a);
}

// Scores and notes that come later are in the journal too, also of a run that lives.
static void what_comes_late_is_kept(void **state)
{
    struct fixture *f = *state;
    struct recorder *r = start(f);
    struct stored_run run;
    const struct evaluation e[] = {fid(20, "f1"), fid(30, "f2")};
    steps(r, 1, 10);
    recorder_flush(r);
    assert_true(reader_find(reader_open(f->arena, f->db, false, f->diag), "@last", &run, f->diag));
    assert_true(late_scores(f->db, &run, 10, e, 2, f->diag));
    steps(r, 11, 20);
    recorder_end(r, RUN_DONE, "", 0);
    assert_true(late_note(f->db, &run, "the good one", f->diag));
    const char *before = all_rows(f);
    assert_non_null(strstr(before, "the good one"));
    assert_int_equal(ask(f, "SELECT count(*) FROM evals"), 2);
    assert_int_equal(ask(f, "SELECT bytes FROM artifact WHERE kind='journal'"),
                     journal_bytes(run.dir));
    remove_database(f);
    struct db db = open_database(f);
    assert_true(run_folder_bring_in(&db, run.dir));
    db_close(&db);
    same_rows(f, before);
}

// A run of before there were journals, or one whose journal is gone: its rows give it one.
static void a_journal_is_made_again_from_the_rows(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *path = arena_printf(f->arena, "%s/" JOURNAL_NAME, dir);
    struct db db = open_database(f);
    struct journal j;
    for (int emptied = 0; emptied < 2; emptied++) {
        const char *before = all_rows(f);
        assert_int_equal(emptied ? truncate(path, 0) : unlink(path), 0);
        assert_true(journal_open(&j, dir));
        j.database = journal_database(f->db);
        const int64_t run = db_int(&db, 0, "SELECT id FROM run", "");
        const char *uid = ask_text(f, "SELECT uid FROM run");
        assert_true(journal_rewrite(&j, uid, &db, false));
        assert_true(j.end > 10000 && j.end == size_of(path));
        assert_int_equal(journal_position(&db, run), j.end);
        assert_true(journal_rewrite(&j, uid, &db, false)); // now there is nothing to do
        assert_int_equal(j.end, size_of(path));
        journal_close(&j);
        same_rows(f, before);
        db_close(&db);
        remove_database(f);
        db = open_database(f);
        assert_true(run_folder_bring_in(&db, dir));
        same_rows(f, before);
    }
    db_close(&db);
}

// Two databases may share runs/: what is one's is nothing that the other misses.
static void another_databases_runs_are_left_alone(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f), *other = arena_printf(f->arena, "%s/other.db", f->dir);
    const struct run_description run = description("other");
    recorder_end(recorder_start(f->arena, other, &run, f->diag), RUN_DONE, "", 0);
    int n;
    leftovers(reader_open(f->arena, other, false, f->diag), true, &n);
    assert_int_equal(n, 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM runs"), 1);
    struct stored_run found; // asked for by its directory it is there
    assert_true(reader_find(reader_open(f->arena, other, false, f->diag), dir, &found, f->diag));
    assert_string_equal(found.name, "ring");
}

// The journal is gone and the database busy: what comes now is not taken for what it had before.
static void a_lost_journal_begins_anew(void **state)
{
    struct fixture *f = *state;
    const char *dir = whole_run(f);
    struct db other = open_database(f);
    assert_int_equal(unlink(arena_printf(f->arena, "%s/" JOURNAL_NAME, dir)), 0);
    assert_true(db_begin(&other));
    struct run_description now = description("ring");
    now.busy_ms = 50;
    struct recorder *r = recorder_resume(f->arena, f->db, "@last", 100, &now, f->diag);
    assert_non_null(r);
    steps(r, 101, 110);
    recorder_flush(r);
    assert_true(recorder_logged(r) > 0);
    assert_true(db_commit(&other));
    db_close(&other);
    steps(r, 111, 120);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics WHERE metric='loss'"), 120);
    assert_int_equal(ask(f, "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(ask(f, "SELECT bytes FROM artifact WHERE kind='journal'"), journal_bytes(dir));
}

static void names_of_temporaries_are_random(void **state)
{
    (void)state;
    char *a = temporary_beside("dir/results.db"), *b = temporary_beside("dir/results.db");
    assert_string_not_equal(a, b);
    assert_memory_equal(a, "dir/results.db.", 15);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_directory_alone_gives_all_rows_back),
        TEST(a_run_is_resumed_from_its_directory),
        TEST(a_torn_batch_does_not_count),
        TEST(a_damaged_batch_is_left_out_and_said),
        TEST(a_failed_append_is_cut_back),
        TEST(leftovers_do_no_harm),
        TEST(a_database_that_goes_is_noticed_and_made_whole),
        TEST(a_database_that_is_cut_short_stops_no_run),
        TEST(a_foreign_log_is_not_replayed),
        TEST(a_restored_backup_gets_what_came_after_it),
        TEST(a_moved_directory_is_followed_and_a_copy_refused),
        TEST(what_comes_late_is_kept),
        TEST(a_journal_is_made_again_from_the_rows),
        TEST(another_databases_runs_are_left_alone),
        TEST(a_lost_journal_begins_anew),
        cmocka_unit_test(names_of_temporaries_are_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
