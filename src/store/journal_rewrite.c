// The other way round: a journal from the rows of its run, where there is none (the run began before
// there were journals) or where it lost what the database has. What the statements of record.c take is
// selected under the names that they bind, so that this and a live run make the same lines.
#include "store/journal.h"

#include "base/arena.h"
#include "base/file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rewriting {
    struct arena *arena;
    struct db *db;
    int64_t run;
    struct record *record;
    int n;
};

static json_t *column_json(sqlite3_stmt *stmt, int i)
{
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER: return json_integer(sqlite3_column_int64(stmt, i));
    case SQLITE_FLOAT: return record_number(sqlite3_column_double(stmt, i));
    case SQLITE_TEXT: return json_string((const char *)sqlite3_column_text(stmt, i));
    default: return json_null();
    }
}

static json_t *row_json(sqlite3_stmt *stmt)
{
    json_t *j = json_object();
    for (int i = 0; i < sqlite3_column_count(stmt); i++)
        json_object_set_new(j, sqlite3_column_name(stmt, i), column_json(stmt, i));
    return j;
}

static sqlite3_stmt *rows_of(struct rewriting *w, const char *sql, int64_t n)
{
    sqlite3_stmt *stmt = db_prepare(w->db, sql);
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, w->run);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        sqlite3_bind_int64(stmt, 2, n);
    return stmt;
}

static void rewrite_add(struct rewriting *w, struct record r)
{
    APPEND(w->arena, w->record, w->n, r);
}

// Each row is a record.
static void add_rows(struct rewriting *w, const char *sql, int64_t n)
{
    sqlite3_stmt *stmt = rows_of(w, sql, n);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        rewrite_add(w, (struct record){.kind = RECORD_OTHER, .other = row_json(stmt)});
    if (stmt)
        sqlite3_reset(stmt);
}

static void add_birth(struct rewriting *w)
{
    add_rows(w,
             "SELECT 'run' AS what, r.uid, r.dir, e.name AS experiment, r.name, r.note, r.model, "
             "r.dataset, r.seed, c.yaml AS config_yaml, r.config_hash, r.group_hash, "
             "r.total_steps, r.created_ms AS t_ms FROM run r JOIN experiment e ON "
             "e.id=r.experiment_id JOIN config c ON c.hash=r.config_hash WHERE r.id=?",
             0);
    sqlite3_stmt *stmt = rows_of(
        w, "SELECT key, type, text, num, origin FROM param WHERE run_id=? ORDER BY key", 0);
    json_t *params = json_array();
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        json_array_append_new(params, row_json(stmt));
    if (stmt)
        sqlite3_reset(stmt);
    if (w->n)
        json_object_set_new(w->record[0].other, "params", params);
    else
        json_decref(params);
}

// An event belongs to the attempt that is the latest when it comes; 0: to none.
static void add_events(struct rewriting *w, int64_t attempt)
{
    add_rows(w,
             "SELECT 'event' AS what, step, t_ms, level, code, text FROM event WHERE run_id=?1 AND "
             "coalesce(attempt_n, 0)=?2 ORDER BY t_ms, id",
             attempt);
}

static void add_attempt(struct rewriting *w, int64_t n)
{
    add_rows(w,
             "SELECT 'attempt' AS what, e.hash, e.ganexp, e.git_commit, e.git_branch, e.git_dirty, "
             "e.os, e.kernel, e.cpu, e.cores, e.mem_bytes, e.isa, e.compiler, e.cflags, e.onednn, "
             "e.sqlite, e.libyaml, a.argv_json AS argv, a.cwd, a.threads, a.host, a.pid, "
             "a.boot_id, a.proc_start, a.slurm_job, a.first_step AS step, a.started_ms AS t_ms "
             "FROM attempt a LEFT JOIN env e ON e.id=a.env_id WHERE a.run_id=?1 AND a.n=?2",
             n);
    add_events(w, n);
    add_rows(w,
             "SELECT 'end' AS what, a.end_status AS status, CASE WHEN r.ended_ms=a.ended_ms THEN "
             "r.reason ELSE '' END AS reason, CASE WHEN r.ended_ms=a.ended_ms THEN r.exit_code END "
             "AS exit_code, a.ended_ms AS t_ms FROM attempt a JOIN run r ON r.id=a.run_id WHERE "
             "a.run_id=?1 AND a.n=?2 AND a.end_status IS NOT NULL",
             n);
    add_rows(w,
             "SELECT 'checkpoint' AS what, last_step AS step FROM attempt WHERE run_id=?1 AND n=?2 "
             "AND last_step IS NOT NULL",
             n);
}

static void add_points(struct rewriting *w)
{
    sqlite3_stmt *stmt = rows_of(
        w,
        "SELECT k.name, m.step, m.value FROM metric m JOIN metric_key k ON "
        "k.id=m.key_id WHERE m.run_id=? ORDER BY m.step",
        0);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *name = arena_strdup(w->arena, (const char *)sqlite3_column_text(stmt, 0));
        const bool nan = sqlite3_column_type(stmt, 2) == SQLITE_NULL;
        rewrite_add(w,
                    (struct record){.kind = RECORD_METRIC,
                                    .step = sqlite3_column_int64(stmt, 1),
                                    .metric = {name, nan ? NAN : sqlite3_column_double(stmt, 2)}});
    }
    if (stmt)
        sqlite3_reset(stmt);
    stmt = rows_of(w, "SELECT step, t_ms, epoch, images FROM tick WHERE run_id=? ORDER BY step", 0);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        rewrite_add(w, (struct record){.kind = RECORD_TICK,
                                       .step = sqlite3_column_int64(stmt, 0),
                                       .tick = {sqlite3_column_int64(stmt, 1),
                                                sqlite3_column_int64(stmt, 3),
                                                sqlite3_column_double(stmt, 2)}});
    if (stmt)
        sqlite3_reset(stmt);
}

static void add_all(struct rewriting *w)
{
    const int64_t attempts = db_int(w->db, 0,
                                    "SELECT coalesce(max(n), 0) FROM attempt WHERE "
                                    "run_id=?",
                                    "i", w->run);
    add_birth(w);
    add_events(w, 0);
    add_points(w);
    add_rows(w,
             "SELECT 'artifact' AS what, step, kind, path, format, bytes, sha256, role, created_ms "
             "AS t_ms FROM artifact WHERE run_id=? AND kind<>'journal' AND removed_ms IS NULL "
             "ORDER BY id",
             0);
    add_rows(w,
             "SELECT 'evaluation' AS what, v.step, v.value, v.std, v.weights, v.seconds, v.seed, "
             "k.name AS metric, k.direction, e.fingerprint, e.name, e.extractor, "
             "e.extractor_sha256, e.real_split, e.real_stats_sha256, e.n_real, e.n_fake, "
             "e.preprocess, e.version FROM eval v JOIN evaluator e ON e.id=v.evaluator_id JOIN "
             "metric_key k ON k.id=v.key_id WHERE v.run_id=? ORDER BY v.step",
             0);
    for (int64_t n = 1; n <= attempts; n++)
        add_attempt(w, n);
}

// Beside its place, then into it.
static bool rewrite_file(struct journal *j, const char *uid, const struct rewriting *w)
{
    struct journal fresh = {.fd = -1, .path = temporary_beside(j->path), .database = j->database};
    bool ok = fresh.path && journal_append(&fresh, uid, w->record, (size_t)w->n, 0) &&
              journal_sync(&fresh) && !rename(fresh.path, j->path);
    const int why = errno;
    if (ok) {
        file_sync_folder(j->path);
        close(j->fd);
        j->fd = fresh.fd;
        j->end = fresh.end;
        fresh.fd = -1;
    } else if (fresh.path)
        unlink(fresh.path);
    journal_close(&fresh);
    errno = why;
    return ok;
}

static bool rewrite_from(struct rewriting *w, struct journal *j, const char *uid)
{
    if (!db_begin(w->db))
        return false;
    add_all(w);
    const bool ok = !w->db->error && w->n && rewrite_file(j, uid, w);
    if (ok)
        journal_set_position(w->db, w->run, j->end);
    return db_commit(w->db) && ok;
}

bool journal_rewrite(struct journal *j, const char *uid, struct db *db, bool lacks)
{
    const int64_t run = db_int(db, 0, "SELECT id FROM run WHERE uid=?", "t", uid);
    if (!run || (!lacks && j->end && journal_position(db, run) <= j->end))
        return true;
    struct rewriting w = {.arena = arena_new(NULL), .db = db, .run = run};
    const bool ok = rewrite_from(&w, j, uid);
    for (int i = 0; i < w.n; i++)
        record_release(&w.record[i]);
    arena_free(w.arena);
    return ok;
}
