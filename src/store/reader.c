// Whether a run lives is a question to the kernel (its lock) or, on another host, to its promise of
// a heartbeat. The answer is never written back: a tool that marks a silent run as failed will one
// day mark one that was only slow.
#include "store/reader.h"

#include "base/arena.h"
#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/db_create.h"
#include "store/run_folders.h"

static const struct place nowhere;

static void close_reader(void *context) { db_close(&((struct reader *)context)->db); }

// From here on nothing that is done to the connection reaches a file.
static bool go_to_memory(struct reader *r)
{
    return r->in_memory || (r->in_memory = db_to_memory(&r->db));
}

// A live run that writes the database is behind for less than a second.
static bool is_apart(const struct run_folder *f)
{
    return f->state == FOLDER_NEW ||
           (f->state == FOLDER_BEHIND && (f->tail.stored < f->tail.begin || !rundir_alive(f->dir)));
}

static void read_journals(struct reader *r)
{
    const int64_t newer = db_int(&r->db, 0, "SELECT user_version>? FROM pragma_user_version", "i",
                                 (int64_t)DB_SCHEMA);
    int n;
    const struct run_folder *f = run_folders_unstored(r->arena, &r->db,
                                                      path_join(r->arena, r->home, "runs"), &n);
    for (int i = 0; i < n && !newer; i++)
        if (is_apart(&f[i]) && go_to_memory(r))
            run_folder_bring_in(&r->db, f[i].dir);
}

static const char *directory_of_run(struct arena *a, const char *home, const char *run)
{
    if (journal_bytes(run) > 0)
        return run;
    const char *dir = path_join(a, path_join(a, home, "runs"), run);
    return !strchr(run, '/') && journal_bytes(dir) > 0 ? dir : NULL;
}

// Without a database there may still be runs: those that never had one, and what is asked for by its
// directory.
static enum db_result open_without(struct reader *r, const char *run, struct diag *d)
{
    int n, n_lost = 0;
    bool any = run && directory_of_run(r->arena, r->home, run);
    const struct run_folder *f = run_folders_unstored(r->arena, &r->db,
                                                      path_join(r->arena, r->home, "runs"), &n);
    for (int i = 0; i < n; i++) {
        any |= f[i].state == FOLDER_NEW;
        n_lost += f[i].state == FOLDER_LOST;
    }
    if (any)
        return go_to_memory(r) ? DB_OK : DB_UNAVAILABLE;
    if (!n_lost)
        return DB_UNAVAILABLE;
    return fail(d, nowhere,
                "%s does not exist\nthe database of %d runs in %s/runs is gone: restore it, or "
                "`ganexp resume DIRECTORY` brings back one; --db or $GANEXP_DB name another",
                r->db.path, n_lost, r->home),
           DB_REFUSED;
}

static enum db_result open_file(struct reader *r, bool newer, struct diag *d)
{
    const char *path = r->db.path;
    const enum db_result result = db_open(&r->db, path, newer ? DB_READ_NEWER : DB_READ, DB_BUSY_MS,
                                          d);
    if (result == DB_UNAVAILABLE)
        fail(d, nowhere, "cannot read %s: %s", path, r->db.why);
    return result;
}

static struct reader *reader_open_any(struct arena *a, const char *db, const char *run, bool newer,
                                      struct diag *d)
{
    struct reader *r = NEW(a, struct reader);
    r->arena = a;
    const char *path = arena_strdup(a, db);
    r->home = path_parent(a, path);
    r->db.path = path;
    gethostname(r->host, sizeof r->host - 1);
    enum db_result result = db_absent(path) ? open_without(r, run, d) : DB_UNAVAILABLE;
    if (result == DB_UNAVAILABLE)
        result = open_file(r, newer, d);
    if (result != DB_OK)
        return NULL;
    arena_defer(a, close_reader, r);
    read_journals(r);
    return r;
}

struct reader *reader_open(struct arena *a, const char *db, bool newer, struct diag *d)
{
    return reader_open_any(a, db, NULL, newer, d);
}

struct reader *reader_open_run(struct arena *a, const char *db, const char *run, struct diag *d)
{
    return reader_open_any(a, db, run, false, d);
}

const char *column_text(struct arena *a, sqlite3_stmt *stmt, int column)
{
    const char *s = (const char *)sqlite3_column_text(stmt, column);
    return s ? arena_strdup(a, s) : NULL;
}

struct cell cell_of(struct arena *a, sqlite3_stmt *stmt, int i)
{
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        return (struct cell){.type = CELL_INT, .integer = sqlite3_column_int64(stmt, i)};
    case SQLITE_FLOAT:
        return (struct cell){.type = CELL_REAL, .real = sqlite3_column_double(stmt, i)};
    case SQLITE_TEXT: return (struct cell){.type = CELL_TEXT, .text = column_text(a, stmt, i)};
    case SQLITE_BLOB:
        return (struct cell){.type = CELL_TEXT,
                             .text = arena_printf(a, "(%d bytes)", sqlite3_column_bytes(stmt, i))};
    default: return (struct cell){.type = CELL_NULL};
    }
}

struct table *reader_table(struct reader *r, const char *title, sqlite3_stmt *stmt)
{
    struct table *t = table_new(r->arena, title);
    const int n = sqlite3_column_count(stmt);
    for (int i = 0; i < n; i++)
        table_column(t, sqlite3_column_name(stmt, i));
    while (sqlite3_step(stmt) == SQLITE_ROW)
        for (int i = 0; i < n; i++)
            table_cell(t, cell_of(r->arena, stmt, i));
    sqlite3_finalize(stmt);
    return t;
}

struct table *reader_select(struct reader *r, const char *title, const char *sql, const char *types,
                            ...)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(r->db.handle, sql, -1, &stmt, NULL) != SQLITE_OK)
        BUG("%s in: %s", sqlite3_errmsg(r->db.handle), sql);
    va_list ap;
    va_start(ap, types);
    for (int i = 0; types[i]; i++) {
        if (types[i] == 'i')
            sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
        else
            sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
    }
    va_end(ap);
    return reader_table(r, title, stmt);
}

static bool beat_is_due(struct db *db, int64_t run)
{
    return db_int(db, 0, "SELECT heartbeat_due_ms FROM run WHERE id=?", "i", run) < now_ms();
}

static bool ran_here(struct db *db, int64_t run, const char *host)
{
    return db_int(db, 1,
                  "SELECT host=?2 OR host='' FROM attempt WHERE run_id=?1 ORDER BY n DESC LIMIT 1",
                  "it", run, host);
}

const char *shown_status(struct db *db, int64_t run, const char *status, const char *dir,
                         const char *host)
{
    if (strcmp(status, "running") != 0 || rundir_alive(dir))
        return status;
    return ran_here(db, run, host) || beat_is_due(db, run) ? "lost" : status;
}

static bool load_run(struct db *db, struct arena *a, int64_t id, struct stored_run *out)
{
    sqlite3_stmt *stmt = db_prepare(
        db, "SELECT r.uid, r.name, r.model, r.dataset, r.status, "
            "r.dir, c.yaml, r.config_hash, r.seed, r.step, "
            "coalesce(r.total_steps, 0), (SELECT threads FROM "
            "attempt WHERE run_id=r.id ORDER BY n LIMIT 1) FROM run r JOIN config c ON "
            "c.hash=r.config_hash WHERE r.id=?");
    if (!stmt)
        return false;
    sqlite3_bind_int64(stmt, 1, id);
    const bool found = sqlite3_step(stmt) == SQLITE_ROW;
    if (found) {
        const char **const text[] = {&out->uid,         &out->name,       &out->model,
                                     &out->dataset,     &out->status,     &out->dir,
                                     &out->config_yaml, &out->config_hash};
        for (size_t i = 0; i < LENGTH(text); i++)
            *text[i] = column_text(a, stmt, (int)i);
        out->id = id;
        out->seed = sqlite3_column_int64(stmt, 8);
        out->step = sqlite3_column_int64(stmt, 9);
        out->total_steps = sqlite3_column_int64(stmt, 10);
        out->threads = sqlite3_column_int(stmt, 11);
    }
    sqlite3_reset(stmt);
    if (found) {
        char host[256] = "";
        gethostname(host, sizeof host - 1);
        out->dir = path_join(a, path_parent(a, db->path), out->dir);
        out->status = shown_status(db, id, out->status, out->dir, host);
    }
    return found;
}

#define MATCHES " WHERE uid GLOB ?1 || '*' OR substr(uid, -8) GLOB ?1 || '*'"

static bool fail_ambiguous(struct db *db, struct arena *a, const char *run, const char *prefix,
                           struct diag *d)
{
    struct text some;
    text_init(&some);
    sqlite3_stmt *stmt = db_prepare(db, "SELECT substr(uid, -8), name FROM run" MATCHES
                                        " ORDER BY id DESC LIMIT 5");
    sqlite3_bind_text(stmt, 1, prefix, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        text_addf(&some, "%s%s (%s)", some.n ? ", " : "", column_text(a, stmt, 0),
                  column_text(a, stmt, 1));
    sqlite3_reset(stmt);
    fail(d, nowhere, "several runs begin with '%s'\n%s", run, some.s);
    text_release(&some);
    return false;
}

static bool reader_fail_missing(struct db *db, struct arena *a, const char *run, struct diag *d)
{
    const char **names = NULL;
    int n = 0;
    sqlite3_stmt *stmt = db_prepare(db, "SELECT DISTINCT name FROM run");
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        APPEND(a, names, n, column_text(a, stmt, 0));
    if (stmt)
        sqlite3_reset(stmt);
    const char *near = nearest_word(run, names, (size_t)n);
    if (near)
        return fail(d, nowhere, "no run '%s'\ndid you mean '%s'?", run, near);
    return fail(d, nowhere,
                "no run '%s'\n`ganexp ls` lists the runs; a run is named by the beginning of its "
                "id, its name, @last or @last~N",
                run);
}

// @last, @last~2
static bool read_last(const char *run, int64_t *back)
{
    *back = 0;
    if (!strcmp(run, "@last"))
        return true;
    char *end;
    if (strncmp(run, "@last~", 6) != 0 || !isdigit((unsigned char)run[6]))
        return false;
    *back = strtoll(run + 6, &end, 10);
    return !*end;
}

static bool prefix_of(const char *run, char prefix[UID_LENGTH + 1])
{
    const size_t n = strlen(run);
    for (size_t i = 0; i < n && n <= UID_LENGTH; i++) {
        if (!isalnum((unsigned char)run[i]))
            return false;
        prefix[i] = (char)tolower((unsigned char)run[i]);
        prefix[i + 1] = '\0';
    }
    return n > 0 && n <= UID_LENGTH;
}

static bool find_named(struct db *db, struct arena *a, const char *run, struct stored_run *out,
                       struct diag *d)
{
    int64_t id = 0, back;
    char prefix[UID_LENGTH + 1] = "";
    db->error = 0;
    if (read_last(run, &back))
        id = db_int(db, 0, "SELECT id FROM run ORDER BY created_ms DESC, id DESC LIMIT 1 OFFSET ?",
                    "i", back);
    else
        id = db_int(db, 0,
                    "SELECT id FROM run WHERE name=? ORDER BY created_ms DESC, id DESC LIMIT 1",
                    "t", run);
    if (!id && prefix_of(run, prefix)) {
        const int64_t n = db_int(db, 0, "SELECT count(*) FROM run" MATCHES, "t", prefix);
        if (n > 1)
            return fail_ambiguous(db, a, run, prefix, d);
        id = db_int(db, 0, "SELECT id FROM run" MATCHES, "t", prefix);
    }
    return (id && load_run(db, a, id, out)) || reader_fail_missing(db, a, run, d);
}

// Its row, where the database has one, is made complete in memory; else all of it comes from there.
static bool find_directory(struct reader *r, const char *dir, struct stored_run *out,
                           struct diag *d)
{
    struct journal_tail tail;
    if (!journal_tail(dir, &tail))
        return fail(d, nowhere, "%s/" JOURNAL_NAME " has no whole batch of records", dir);
    r->db.error = 0;
    const int64_t id = db_int(&r->db, 0, "SELECT id FROM run WHERE uid=?", "t", tail.uid);
    char here[PATH_MAX], there[PATH_MAX];
    if (id && load_run(&r->db, r->arena, id, out) && realpath(out->dir, there)) {
        if (realpath(dir, here) && strcmp(here, there) != 0)
            return fail(d, nowhere,
                        "%s is a copy: %s has run %s in %s\nname that one, or move it away first",
                        dir, r->db.path, uid_short(tail.uid), out->dir);
        return true;
    }
    if (!go_to_memory(r) || !run_folder_bring_in(&r->db, dir))
        return fail(d, nowhere, "%s/" JOURNAL_NAME " does not say how its run began", dir);
    return find_named(&r->db, r->arena, arena_strdup(r->arena, tail.uid), out, d);
}

bool reader_find(struct reader *r, const char *run, struct stored_run *out, struct diag *d)
{
    const char *dir = directory_of_run(r->arena, r->home, run);
    const bool found = dir ? find_directory(r, dir, out, d)
                           : find_named(&r->db, r->arena, run, out, d);
    out->apart = r->in_memory;
    return found;
}

const char *reader_checkpoint(struct reader *r, const struct stored_run *run, int64_t *step)
{
    sqlite3_stmt *stmt = db_prepare(&r->db, "SELECT path, step FROM artifact WHERE run_id=? AND "
                                            "kind='checkpoint' AND removed_ms IS NULL ORDER BY "
                                            "step DESC, id DESC");
    const char *found = NULL;
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, run->id);
    while (!found && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *path = path_join(r->arena, run->dir, column_text(r->arena, stmt, 0));
        *step = sqlite3_column_int64(stmt, 1);
        found = access(path, R_OK) ? NULL : path;
    }
    sqlite3_reset(stmt);
    return found;
}

const char *reader_sha256(struct reader *r, const struct stored_run *run, const char *path)
{
    sqlite3_stmt *stmt = db_prepare(&r->db,
                                    "SELECT sha256 FROM artifact WHERE run_id=? AND path=?");
    const char *found = NULL;
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, run->id);
    sqlite3_bind_text(stmt, 2, path_inside(r->arena, run->dir, path), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        found = column_text(r->arena, stmt, 0);
    sqlite3_reset(stmt);
    return found;
}

const char *reader_began_in(struct reader *r, const struct stored_run *run)
{
    sqlite3_stmt *stmt = db_prepare(&r->db,
                                    "SELECT cwd FROM attempt WHERE run_id=? ORDER BY n LIMIT 1");
    const char *found = NULL;
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, run->id);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        found = column_text(r->arena, stmt, 0);
    sqlite3_reset(stmt);
    return found;
}

// Where in the SQL the trouble is: SQLite's offset, else the first occurrence of the name that ends
// "no such table: rns".
static int sql_offset(struct reader *r, const char *sql, const char *message)
{
    const int offset = sqlite3_error_offset(r->db.handle);
    const char *name = strrchr(message, ':'),
               *at = name && name[1] && name[2] ? strstr(sql, name + 2) : NULL;
    return offset >= 0 ? offset : at ? (int)(at - sql) : 0;
}

static struct place sql_place(struct reader *r, const char *sql)
{
    struct source *source = NEW(r->arena, struct source);
    *source = (struct source){"SQL", arena_strdup(r->arena, sql)};
    struct place at = {.source = source, .line = 1, .col = 1};
    const int offset = sql_offset(r, sql, sqlite3_errmsg(r->db.handle));
    at.length = (int)strspn(sql + offset,
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    at.length = at.length ? at.length : 1;
    for (int i = 0; i < offset; i++) {
        at.col = sql[i] == '\n' ? 1 : at.col + 1;
        at.line += sql[i] == '\n';
    }
    return at;
}

static bool blank(const char *s) { return s[strspn(s, " \t\r\n;")] == '\0'; }

struct table *query_sql(struct reader *r, const char *sql, struct diag *d)
{
    sqlite3_stmt *stmt = NULL;
    const char *rest = "";
    if (sqlite3_prepare_v2(r->db.handle, sql, -1, &stmt, &rest) != SQLITE_OK)
        return fail(d, sql_place(r, sql),
                    "%s\nthe tables and views: runs, metrics, summary, evals, leaderboard, "
                    "param_variants, …; see"
                    " results/schema/1.sql",
                    sqlite3_errmsg(r->db.handle)),
               NULL;
    if (!stmt || !sqlite3_stmt_readonly(stmt) || sqlite3_column_count(stmt) == 0 || !blank(rest)) {
        sqlite3_finalize(stmt);
        return fail(d, nowhere,
                    "`query` runs one statement that reads\nexpected SELECT … (the database is "
                    "opened read-only)"),
               NULL;
    }
    struct table *t = reader_table(r, "rows", stmt);
    const int rc = sqlite3_errcode(r->db.handle) & 0xff;
    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
        return fail(d, nowhere, "%s", sqlite3_errmsg(r->db.handle)), NULL;
    return t;
}
