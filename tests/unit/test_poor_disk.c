// File systems that lack something: hard links, renaming without replacing, locks, shared memory, or
// that several hosts share. This program's own definitions stand before the C library's, for SQLite
// too. Whatever is missing, a run records, is listed, goes on, and is brought in where nothing is.
#include "support/store_fixture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "store/db.h"
#include "store/journal.h"
#include "store/run_folders.h"

static struct {
    bool links, noreplace, flock, fcntl, mmap, network, room_for_journal;
} missing;

#define C_LIBRARY(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

static int error_of(int code)
{
    errno = code;
    return -1;
}

int link(const char *from, const char *to)
{
    return missing.links ? error_of(EPERM) : C_LIBRARY(link)(from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return missing.noreplace ? error_of(EINVAL)
                             : C_LIBRARY(renameat2)(from_dir, from, to_dir, to, flags);
}

int flock(int fd, int operation)
{
    return missing.flock ? error_of(ENOLCK) : C_LIBRARY(flock)(fd, operation);
}

int statfs(const char *path, struct statfs *s)
{
    const int got = C_LIBRARY(statfs)(path, s);
    if (missing.network && !got)
        s->f_type = NFS_SUPER_MAGIC;
    return got;
}

int fcntl64(int fd, int command, ...)
{
    va_list ap;
    va_start(ap, command);
    void *argument = va_arg(ap, void *);
    va_end(ap);
    if (missing.fcntl && (command == F_SETLK || command == F_SETLKW))
        return error_of(ENOLCK);
    return C_LIBRARY(fcntl64)(fd, command, argument);
}

static bool is_of(int fd, const char *name)
{
    char link_path[64], path[4096];
    snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link_path, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, name) != NULL;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (missing.room_for_journal && is_of(fd, JOURNAL_NAME))
        return error_of(ENOSPC);
    return C_LIBRARY(write)(fd, bytes, n);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if (missing.mmap && fd >= 0 && is_of(fd, "-shm")) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return C_LIBRARY(mmap64)(at, n, protection, flags, fd, offset);
}

static void steps(struct recorder *r, int from, int to)
{
    for (int step = from; step <= to; step++) {
        recorder_metric(r, "loss", step, 1.0 / step);
        recorder_tick(r, step, step / 10.0, step * 64);
    }
}

// Trains, is listed, goes on and is listed again; returns what was said first.
static const char *live_through(struct fixture *f)
{
    const struct run_description now = description("ring");
    struct recorder *r = start(f);
    const char *notice = recorder_notice(r), *said = notice ? arena_strdup(f->arena, notice) : "";
    steps(r, 1, 50);
    recorder_checkpoint(r, 50);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics"), 50);
    assert_string_equal(ask_text(f, "SELECT status FROM runs"), "running");
    recorder_end(r, RUN_INTERRUPTED, "", 130);
    r = recorder_resume(f->arena, f->db, "@last", 50, &now, f->diag);
    if (!r)
        print_error("%s", messages(f));
    assert_non_null(r);
    steps(r, 51, 100);
    recorder_end(r, RUN_DONE, "", 0);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics"), 100);
    assert_string_equal(ask_text(f, "SELECT status FROM runs"), "done");
    return said;
}

// Where nothing is missing the next run brings in what is in journals alone.
static void is_brought_in(struct fixture *f)
{
    memset(&missing, 0, sizeof missing);
    recorder_end(start_in(f, f->arena, "next"), RUN_DONE, "", 0);
    struct db db;
    assert_int_equal(db_open(&db, f->db, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), 100);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM run WHERE status='done'", ""), 2);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM attempt", ""), 3);
    db_close(&db);
}

static bool has_database(const struct fixture *f) { return !access(f->db, F_OK); }

static void without_hard_links(void **state)
{
    struct fixture *f = *state;
    missing.links = true;
    assert_string_equal(live_through(f), "");
    assert_true(has_database(f));
    is_brought_in(f);
}

static void with_neither_links_nor_a_careful_rename(void **state)
{
    struct fixture *f = *state;
    missing.links = missing.noreplace = true;
    assert_string_equal(live_through(f), "");
    assert_true(has_database(f));
    is_brought_in(f);
}

static void without_locks_of_whole_files(void **state)
{
    struct fixture *f = *state;
    missing.flock = true;
    assert_non_null(strstr(live_through(f), "without locks"));
    assert_true(has_database(f));
    is_brought_in(f);
}

// A run that was killed there a moment ago may still live; one that has ended does not.
static void without_locks_a_live_run_is_left_alone(void **state)
{
    struct fixture *f = *state;
    missing.flock = true;
    struct recorder *r = start(f);
    const struct run_description now = description("ring");
    assert_true(rundir_alive(recorder_dir(r)));
    assert_null(recorder_resume(arena_new(f->arena), f->db, "@last", 0, &now, f->diag));
    assert_non_null(strstr(messages(f), "alive"));
    recorder_end(r, RUN_DONE, "", 0);
    assert_false(rundir_alive(recorder_dir(r)));
    memset(&missing, 0, sizeof missing);
}

static void without_locks_of_bytes(void **state)
{
    struct fixture *f = *state;
    missing.fcntl = true;
    assert_non_null(strstr(live_through(f), "has no locks"));
    assert_false(has_database(f));
    is_brought_in(f);
}

static void without_shared_memory(void **state)
{
    struct fixture *f = *state;
    missing.mmap = true;
    assert_non_null(strstr(live_through(f), "mmap"));
    assert_false(has_database(f));
    is_brought_in(f);
}

static void with_nothing_at_all(void **state)
{
    struct fixture *f = *state;
    missing.links = missing.noreplace = missing.flock = missing.fcntl = missing.mmap = true;
    assert_non_null(strstr(live_through(f), "has no locks"));
    is_brought_in(f);
}

static void on_a_network_a_run_keeps_to_its_journal(void **state)
{
    struct fixture *f = *state;
    recorder_end(start_in(f, f->arena, "before"), RUN_DONE, "", 0);
    missing.network = true;
    struct run_description run = description("ring");
    struct recorder *r = recorder_start(f->arena, f->db, &run, f->diag);
    assert_non_null(strstr(recorder_notice(r), "network file system, NFS"));
    steps(r, 1, 100);
    recorder_end(r, RUN_DONE, "", 0);
    assert_non_null(strstr(recorder_notice(r), "read both"));
    assert_int_equal(ask(f, "SELECT count(*) FROM runs WHERE status='done'"), 2);
    assert_int_equal(ask(f, "SELECT count(*) FROM metrics"), 100);
    memset(&missing, 0, sizeof missing);
    recorder_end(start_in(f, f->arena, "next"), RUN_DONE, "", 0);
    struct db db;
    assert_int_equal(db_open(&db, f->db, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM run WHERE status='done'", ""), 3);
    assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), 100);
    db_close(&db);
}

static void on_a_network_there_need_be_no_database(void **state)
{
    struct fixture *f = *state;
    missing.network = true;
    assert_non_null(strstr(live_through(f), "network"));
    assert_false(has_database(f));
    is_brought_in(f);
}

// The database takes all; what the journal missed it gets from there, at the latest when the run ends.
static void without_room_for_the_journal(void **state)
{
    struct fixture *f = *state;
    for (int points = 1000; points <= 100000; points *= 100) {
        struct recorder *r = start_in(f, f->arena, arena_printf(f->arena, "run%d", points));
        steps(r, 1, 10);
        recorder_flush(r);
        missing.room_for_journal = true;
        for (int step = 11; step <= points; step++)
            recorder_metric(r, "loss", step, step);
        recorder_flush(r);
        missing.room_for_journal = false;
        steps(r, points + 1, points + 10);
        recorder_end(r, RUN_DONE, "", 0);
        assert_null(recorder_notice(r));
        assert_int_equal(ask(f, "SELECT count(*) FROM metric"), points + 10);
        assert_int_equal(unlink(f->db), 0);
        unlink(arena_printf(f->arena, "%s-wal", f->db));
        unlink(arena_printf(f->arena, "%s-shm", f->db));
        struct db db;
        assert_int_equal(db_open(&db, f->db, DB_WRITE, DB_BUSY_MS, f->diag), DB_OK);
        assert_true(run_folder_bring_in(&db, recorder_dir(r)));
        assert_int_equal(db_int(&db, 0, "SELECT count(*) FROM metric", ""), points + 10);
        db_close(&db);
        assert_int_equal(unlink(f->db), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_hard_links),
        TEST(without_room_for_the_journal),
        TEST(with_neither_links_nor_a_careful_rename),
        TEST(without_locks_of_whole_files),
        TEST(without_locks_a_live_run_is_left_alone),
        TEST(without_locks_of_bytes),
        TEST(without_shared_memory),
        TEST(with_nothing_at_all),
        TEST(on_a_network_a_run_keeps_to_its_journal),
        TEST(on_a_network_there_need_be_no_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
