// A folder whose run a database had once, and this one has not, was taken out of it by somebody or
// belongs to another: it is left alone until it is asked for. One that no database ever had is
// brought in by the next run.
#include "store/run_folders.h"

#include "base/arena.h"
#include "base/hash_map.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/describe.h"

// The rows: directory → how much of the journal is stored.
static void stored_folders(struct arena *a, struct db *db, struct hash_map *map)
{
    const char *home = path_parent(a, db->path);
    hash_map_init(map, a);
    sqlite3_stmt *stmt = NULL;
    if (!db->handle ||
        sqlite3_prepare_v2(db->handle,
                           "SELECT r.dir, coalesce(f.bytes, 0) FROM run r LEFT JOIN artifact f ON "
                           "f.run_id=r.id AND f.path='" JOURNAL_NAME "'",
                           -1, &stmt, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *dir = arena_strdup(a, (const char *)sqlite3_column_text(stmt, 0));
        int64_t *bytes = NEW(a, int64_t);
        *bytes = sqlite3_column_int64(stmt, 1);
        hash_map_set(map, path_join(a, home, dir), bytes);
    }
    sqlite3_finalize(stmt);
}

// Under which directory the database has a run; NULL for none.
static const char *stored_dir(struct arena *a, struct db *db, const char *uid)
{
    sqlite3_stmt *stmt = db->handle ? db_prepare(db, "SELECT dir FROM run WHERE uid=?") : NULL;
    if (!stmt)
        return NULL;
    const char *dir = NULL;
    sqlite3_bind_text(stmt, 1, uid, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        dir = path_join(a, path_parent(a, db->path),
                        arena_strdup(a, (const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_reset(stmt);
    return dir;
}

// "k3v9x0qa-acgan", with something of a run in it, or nothing yet.
static bool is_run_folder(struct arena *a, const char *runs, const char *name)
{
    static const char *const part[] = {"lock", JOURNAL_NAME, "config.yaml"};
    struct stat st;
    if (strspn(name, "0123456789abcdefghjkmnpqrstvwxyz") != SHORT_LENGTH ||
        name[SHORT_LENGTH] != '-')
        return false;
    const char *dir = arena_printf(a, "%s/%s", runs, name);
    if (lstat(dir, &st) || !S_ISDIR(st.st_mode))
        return false;
    for (size_t i = 0; i < LENGTH(part); i++)
        if (!access(arena_printf(a, "%s/%s", dir, part[i]), F_OK))
            return true;
    DIR *folder = opendir(dir);
    int n = 0;
    while (folder && readdir(folder))
        n++;
    if (folder)
        closedir(folder);
    return n == 2;
}

// A checkpoint or a picture is of a run that was there before there were journals.
static bool is_bare(struct arena *a, const char *dir)
{
    static const char *const part[] = {"checkpoints", "samples"};
    int n = 0;
    for (size_t i = 0; i < LENGTH(part); i++) {
        DIR *folder = opendir(arena_printf(a, "%s/%s", dir, part[i]));
        for (struct dirent *e; folder && (e = readdir(folder));)
            n += e->d_name[0] != '.' && !strstr(e->d_name, ".tmp");
        if (folder)
            closedir(folder);
    }
    return n == 0;
}

// False where the database has it all, or it is another's.
static bool folder_judge(struct arena *a, struct db *db, struct run_folder *f,
                         const int64_t *stored)
{
    const int64_t bytes = journal_bytes(f->dir);
    if (stored && bytes <= *stored)
        return false;
    if (bytes <= 0 || !journal_tail(f->dir, &f->tail)) {
        f->state = FOLDER_BARE;
        return !stored && is_bare(a, f->dir);
    }
    if (!stored && f->tail.database != journal_database(db->path))
        return false;
    const char *dir = stored ? f->dir : stored_dir(a, db, f->tail.uid);
    f->state = dir ? FOLDER_BEHIND : f->tail.stored ? FOLDER_LOST : FOLDER_NEW;
    // a copy, beside the folder itself, is nothing of its own
    return stored || !dir || access(dir, F_OK);
}

struct run_folder *run_folders_unstored(struct arena *a, struct db *db, const char *runs, int *n)
{
    struct run_folder *list = NULL;
    struct hash_map stored;
    DIR *folder = opendir(runs);
    *n = 0;
    if (!folder)
        return NULL;
    stored_folders(a, db, &stored);
    for (struct dirent *e; (e = readdir(folder));) {
        struct run_folder f = {.dir = path_join(a, runs, e->d_name)};
        const int64_t *bytes = hash_map_get(&stored, f.dir);
        if ((bytes || is_run_folder(a, runs, e->d_name)) && folder_judge(a, db, &f, bytes))
            APPEND(a, list, *n, f);
    }
    closedir(folder);
    return list;
}

static void bring(struct db *db, const char *dir, const char *stored, struct sink *sink,
                  const struct journal_tail *tail)
{
    sink->run = db_int(db, 0, "SELECT id FROM run WHERE uid=?", "t", sink->uid);
    const int64_t end = journal_apply(dir, sink->run ? journal_position(db, sink->run) : 0, sink,
                                      db);
    if (!sink->run)
        return;
    sink_finish(sink, db, false);
    journal_set_position(db, sink->run, end);
    db_run(db, "UPDATE run SET dir=? WHERE id=? AND dir<>?1", "ti", stored, sink->run);
    db_run(db,
           "UPDATE run SET heartbeat_ms=?1, heartbeat_due_ms=?1+?2 WHERE id=?3 AND "
           "status='running' AND coalesce(heartbeat_ms, 0)<?1",
           "iii", tail->touched_ms, (int64_t)BEAT_MS, sink->run);
}

bool run_folder_bring_in(struct db *db, const char *dir)
{
    struct journal_tail tail;
    struct arena *a = arena_new(NULL);
    bool ok = journal_tail(dir, &tail) && db_begin(db);
    if (ok) {
        struct sink sink = {.uid = tail.uid};
        bring(db, dir, path_inside(a, path_parent(a, db->path), dir), &sink, &tail);
        ok = sink.run != 0;
        sink_release(&sink);
        ok = db_commit(db) && ok;
    }
    arena_free(a);
    return ok;
}

// What a crash tore is cut, and said, so that it is met once.
static void cut_and_say(struct db *db, const char *dir, const char *uid)
{
    struct journal j;
    if (journal_open(&j, dir) && j.torn) {
        char text[160];
        snprintf(text, sizeof text,
                 "%lld bytes that a crash had torn were cut from the end of " JOURNAL_NAME,
                 (long long)j.torn);
        struct record said = {.kind = RECORD_OTHER,
                              .other = describe_event(EVENT_WARN, "journal", -1, text)};
        if (journal_append(&j, uid, &said, 1, j.end))
            run_folder_bring_in(db, dir);
        record_release(&said);
    }
    journal_close(&j);
}

static void bring_in_if_dead(struct db *db, const struct run_folder *f)
{
    const int lock = rundir_lock(f->dir);
    if (lock < 0)
        return;
    if (run_folder_bring_in(db, f->dir))
        cut_and_say(db, f->dir, f->tail.uid);
    close(lock);
}

void run_folders_bring_in(struct db *db, const char *runs)
{
    struct arena *a = arena_new(NULL);
    int n;
    const struct run_folder *f = run_folders_unstored(a, db, runs, &n);
    for (int i = 0; i < n; i++)
        if (f[i].state == FOLDER_BEHIND || f[i].state == FOLDER_NEW)
            bring_in_if_dead(db, &f[i]);
    arena_free(a);
}
