// The questions that commands ask. Each is one statement over indexes and summaries; none scans the
// points, so that listing stays instant when the points are many. Scores are never put side by side
// across evaluators: an FID against the training set and one against the test set are two
// quantities with one name.
#include "store/query.h"

#include "base/arena.h"
#include "base/hash_map.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

#include "store/reader.h"
#include "store/recorder.h"
#include "store/rundir.h"

// A column of `ls`: a score by one evaluator.
struct score_column {
    int64_t key, evaluator;
    const char *title;
};

// "fid"; "fid 3f2a" where several evaluators gave it.
static struct score_column *score_columns(struct reader *r, int *n)
{
    struct score_column *column = NULL;
    sqlite3_stmt *stmt = db_prepare(
        &r->db,
        "SELECT v.key_id, v.evaluator_id, k.name, substr(e.fingerprint, 1, 4), count(*) OVER "
        "(PARTITION BY v.key_id) FROM (SELECT DISTINCT key_id, evaluator_id FROM eval) v JOIN "
        "metric_key k ON k.id=v.key_id JOIN evaluator e ON e.id=v.evaluator_id ORDER BY v.key_id, "
        "v.evaluator_id");
    *n = 0;
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        struct score_column c = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                 column_text(r->arena, stmt, 2)};
        if (sqlite3_column_int(stmt, 4) > 1)
            c.title = arena_printf(r->arena, "%s %s", c.title, sqlite3_column_text(stmt, 3));
        APPEND(r->arena, column, *n, c);
    }
    if (stmt)
        sqlite3_reset(stmt);
    return column;
}

// Best values by run: map from the run's number to n cells.
static struct hash_map *best_scores(struct reader *r, const struct score_column *column, int n)
{
    struct hash_map *best = NEW(r->arena, struct hash_map);
    hash_map_init(best, r->arena);
    sqlite3_stmt *stmt = db_prepare(
        &r->db,
        "SELECT v.run_id, v.key_id, v.evaluator_id, CASE k.direction WHEN 'max' THEN max(v.value) "
        "ELSE min(v.value) END FROM eval v JOIN metric_key k ON k.id=v.key_id GROUP BY 1, 2, 3");
    char key[24];
    while (n && stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        snprintf(key, sizeof key, "%lld", (long long)sqlite3_column_int64(stmt, 0));
        struct cell *cells = hash_map_get(best, key);
        if (!cells)
            hash_map_set(best, key, cells = NEW_ARRAY(r->arena, struct cell, n));
        for (int i = 0; i < n; i++)
            if (column[i].key == sqlite3_column_int64(stmt, 1) &&
                column[i].evaluator == sqlite3_column_int64(stmt, 2))
                cells[i] = cell_of(r->arena, stmt, 3);
    }
    if (stmt)
        sqlite3_reset(stmt);
    return best;
}

static const char list_sql[] =
    "SELECT r.id, r.dir, substr(r.uid, -8) AS run, r.name, r.model, r.dataset, r.seed, r.status, "
    "r.step, r.total_steps AS \"of\", datetime(r.started_ms/1000, 'unixepoch') AS started, "
    "(coalesce(r.ended_ms, r.heartbeat_ms)-r.started_ms)/1000.0 AS seconds FROM run r JOIN "
    "experiment e ON e.id=r.experiment_id WHERE r.archived_ms IS NULL AND (?1 IS NULL OR "
    "r.model=?1) AND (?2 IS NULL OR r.dataset=?2) AND (?3 IS NULL OR e.name=?3) ORDER BY "
    "r.created_ms DESC, r.id DESC";
enum { LIST_HIDDEN = 2, LIST_STATUS = 7 };

static void list_row(struct reader *r, struct table *t, sqlite3_stmt *stmt, const char *status,
                     const struct hash_map *best, int n)
{
    char key[24];
    snprintf(key, sizeof key, "%lld", (long long)sqlite3_column_int64(stmt, 0));
    for (int i = LIST_HIDDEN; i < sqlite3_column_count(stmt); i++) {
        if (i == LIST_STATUS)
            table_text(t, status);
        else
            table_cell(t, cell_of(r->arena, stmt, i));
    }
    const struct cell *cells = hash_map_get(best, key);
    for (int i = 0; i < n; i++)
        table_cell(t, cells ? cells[i] : (struct cell){.type = CELL_NULL});
}

struct table *query_runs(struct reader *r, const struct run_filter *filter)
{
    int n;
    const struct score_column *column = score_columns(r, &n);
    const struct hash_map *best = best_scores(r, column, n);
    sqlite3_stmt *stmt = db_prepare(&r->db, list_sql);
    if (!stmt)
        BUG("%s", r->db.why);
    const char *const wanted[] = {filter->model, filter->dataset, filter->experiment};
    for (int i = 0; i < 3; i++)
        sqlite3_bind_text(stmt, i + 1, wanted[i], -1, SQLITE_TRANSIENT);
    struct table *t = table_new(r->arena, "runs");
    for (int i = LIST_HIDDEN; i < sqlite3_column_count(stmt); i++)
        table_column(t, sqlite3_column_name(stmt, i));
    for (int i = 0; i < n; i++)
        table_column(t, column[i].title);
    while (sqlite3_step(stmt) == SQLITE_ROW && (!filter->limit || table_rows(t) < filter->limit)) {
        const char *dir = path_join(r->arena, r->home, column_text(r->arena, stmt, 1)),
                   *status = column_text(r->arena, stmt, LIST_STATUS);
        status = shown_status(&r->db, sqlite3_column_int64(stmt, 0), status, dir, r->host);
        if (!filter->status || !strcmp(filter->status, status))
            list_row(r, t, stmt, status, best, n);
    }
    sqlite3_reset(stmt);
    return t;
}

static struct table *about_run(struct reader *r, const struct stored_run *run)
{
    struct table *t = reader_select(
        r, "run",
        "SELECT substr(r.uid, -8) AS run, r.uid, r.name, e.name AS experiment, "
        "r.model, r.dataset, r.seed, r.status, r.reason, r.exit_code, r.step, "
        "r.total_steps AS \"of\", r.images, datetime(r.created_ms/1000, 'unixepoch') "
        "AS created, datetime(r.started_ms/1000, 'unixepoch') AS started, "
        "datetime(r.ended_ms/1000, 'unixepoch') AS ended, (coalesce(r.ended_ms, "
        "r.heartbeat_ms)-r.started_ms)/1000.0 AS seconds, r.note, r.config_hash, "
        "r.group_hash, r.dir FROM run r JOIN experiment e ON e.id=r.experiment_id "
        "WHERE r.id=?",
        "i", run->id);
    if (table_rows(t)) {
        table_at(t, 0, table_find(t, "status"))->text = run->status;
        table_at(t, 0, table_find(t, "dir"))->text = run->dir;
    }
    return t;
}

void query_run(struct reader *r, const struct stored_run *run, struct table *out[RUN_TABLES])
{
    static const struct {
        const char *title, *sql;
    } part[RUN_TABLES] = {
        {"run", NULL},
        {"environment", "SELECT ganexp, git_commit, git_branch, git_dirty, e.host, os, kernel, "
                        "cpu, cores, mem_bytes, isa, onednn, compiler, cflags, sqlite, libyaml "
                        "FROM env e JOIN attempt a ON a.env_id=e.id WHERE a.run_id=? ORDER BY a.n "
                        "DESC LIMIT 1"},
        {"params", "SELECT key, text AS value, origin FROM param WHERE run_id=? ORDER BY key"},
        {"metrics", "SELECT metric, n, n_nan AS nan, last, last_step AS step, min, min_step, max, "
                    "max_step, mean FROM summary WHERE run_id=? ORDER BY metric"},
        {"evaluations", "SELECT step, metric, value, std, weights, evaluator, substr(fingerprint, "
                        "1, 8) AS fingerprint, n_fake FROM evals WHERE run_id=? ORDER BY metric, "
                        "fingerprint, weights, step"},
        {"artifacts", "SELECT kind, step, path, format, bytes, role, substr(sha256, 1, 12) AS "
                      "sha256 FROM artifact WHERE run_id=? AND removed_ms IS NULL ORDER BY kind, "
                      "step"},
        {"attempts", "SELECT n, host, pid, threads, first_step, last_step, "
                     "datetime(started_ms/1000, 'unixepoch') AS started, "
                     "(ended_ms-started_ms)/1000.0 AS seconds, end_status AS status, argv_json AS "
                     "command FROM attempt WHERE run_id=? ORDER BY n"},
        {"events", "SELECT datetime(t_ms/1000, 'unixepoch') AS time, level, code, step, text FROM "
                   "event WHERE run_id=? ORDER BY t_ms, id"},
    };
    for (int i = 0; i < RUN_TABLES; i++)
        out[i] = part[i].sql ? reader_select(r, part[i].title, part[i].sql, "i", run->id)
                             : about_run(r, run);
}

// ", max(CASE run_id WHEN 7 THEN text END) AS "k3v9x0qa""
static void add_run_columns(struct text *sql, const char *value, const struct stored_run *run,
                            int n)
{
    for (int i = 0; i < n; i++)
        text_addf(sql, ", %s(CASE run_id WHEN %lld THEN %s END) AS \"%s\"", "max",
                  (long long)run[i].id, value, uid_short(run[i].uid));
}

static void add_run_list(struct text *sql, const struct stored_run *run, int n)
{
    text_add(sql, " WHERE run_id IN (");
    for (int i = 0; i < n; i++)
        text_addf(sql, "%s%lld", i ? "," : "", (long long)run[i].id);
    text_add(sql, ")");
}

static struct table *select_text(struct reader *r, const char *title, struct text *sql)
{
    struct table *t = reader_select(r, title, sql->s, "");
    text_release(sql);
    return t;
}

static struct table *compare_params(struct reader *r, const struct stored_run *run, int n, bool all)
{
    struct text sql;
    text_init(&sql);
    text_add(&sql, "SELECT key");
    add_run_columns(&sql, "text", run, n);
    text_add(&sql, " FROM param");
    add_run_list(&sql, run, n);
    text_add(&sql, " GROUP BY key");
    if (!all)
        text_addf(&sql,
                  " HAVING count(DISTINCT text)>1 OR (count(*)<%d AND key NOT LIKE 'plan.%%')", n);
    text_add(&sql, " ORDER BY key");
    return select_text(r, "params", &sql);
}

// One row a score, evaluator and kind of weights: what stands in a row may be compared, and nothing
// else.
static struct table *compare_scores(struct reader *r, const struct stored_run *run, int n)
{
    struct text sql;
    text_init(&sql);
    text_add(&sql, "SELECT metric, direction AS better, evaluator, substr(fingerprint, 1, 8) AS "
                   "fingerprint, weights");
    add_run_columns(&sql, "best", run, n);
    text_add(&sql, ", CASE WHEN (SELECT count(DISTINCT b.fingerprint) FROM best_evals b");
    text_add(&sql, " WHERE b.metric=a.metric AND b.run_id IN (");
    for (int i = 0; i < n; i++)
        text_addf(&sql, "%s%lld", i ? "," : "", (long long)run[i].id);
    text_add(&sql, "))>1 THEN 'evaluators differ: compare within the row only' ELSE '' END AS note "
                   "FROM best_evals a");
    add_run_list(&sql, run, n);
    text_add(&sql, " GROUP BY metric, direction, evaluator, fingerprint, weights ORDER BY metric, "
                   "fingerprint, weights");
    return select_text(r, "scores", &sql);
}

static struct table *compare_metrics(struct reader *r, const struct stored_run *run, int n)
{
    struct text sql;
    text_init(&sql);
    text_add(&sql, "SELECT metric");
    add_run_columns(&sql, "last", run, n);
    text_add(&sql, " FROM summary");
    add_run_list(&sql, run, n);
    text_add(&sql, " GROUP BY metric ORDER BY metric");
    return select_text(r, "metrics", &sql);
}

void query_compare(struct reader *r, const struct stored_run *run, int n, bool all,
                   struct table *out[COMPARE_TABLES])
{
    out[0] = compare_params(r, run, n, all);
    out[1] = compare_scores(r, run, n);
    out[2] = compare_metrics(r, run, n);
}

struct table *query_leaderboard(struct reader *r, const char *metric, const char *dataset)
{
    return reader_select(r, "leaderboard",
                         "SELECT l.dataset, l.metric, k.direction AS better, l.evaluator, "
                         "substr(l.fingerprint, 1, 8) AS "
                         "fingerprint, l.model, substr(l.group_hash, 1, 8) AS config, l.weights, "
                         "l.seeds, l.runs, l.mean, l.std, l.min, l.max FROM leaderboard l JOIN "
                         "metric_key k ON k.name=l.metric WHERE (?1 IS NULL OR l.metric=?1) AND "
                         "(?2 IS NULL OR l.dataset=?2) ORDER BY l.dataset, l.metric, "
                         "l.fingerprint, CASE k.direction WHEN 'max' THEN -l.mean ELSE l.mean END",
                         "tt", metric, dataset);
}

int64_t reader_scores(struct reader *r, const struct stored_run *run, int64_t step, int64_t n_fake)
{
    return db_int(&r->db, 0,
                  "SELECT count(*) FROM eval v JOIN evaluator e ON e.id=v.evaluator_id "
                  "WHERE v.run_id=? AND v.step=? AND e.n_fake IN (?, 0)",
                  "iii", run->id, step, n_fake);
}

struct run_param *reader_params(struct reader *r, const struct stored_run *run, const char *prefix,
                                int *n)
{
    struct run_param *list = NULL;
    *n = 0;
    sqlite3_stmt *stmt = db_prepare(&r->db, "SELECT key, type, text, num, origin FROM param WHERE "
                                            "run_id=?1 AND substr(key, 1, length(?2))=?2 ORDER BY "
                                            "key");
    if (!stmt)
        return NULL;
    sqlite3_bind_int64(stmt, 1, run->id);
    sqlite3_bind_text(stmt, 2, prefix, -1, SQLITE_TRANSIENT);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const struct run_param p = {.key = column_text(r->arena, stmt, 0),
                                    .type = column_text(r->arena, stmt, 1),
                                    .text = column_text(r->arena, stmt, 2),
                                    .num = sqlite3_column_type(stmt, 3) == SQLITE_NULL
                                               ? NAN
                                               : sqlite3_column_double(stmt, 3),
                                    .origin = column_text(r->arena, stmt, 4)};
        APPEND(r->arena, list, *n, p);
    }
    sqlite3_reset(stmt);
    return list;
}

struct curve_point *query_curve(struct reader *r, const struct stored_run *run, const char *metric,
                                int64_t *n)
{
    *n = 0;
    const int64_t key = db_int(&r->db, 0, "SELECT id FROM metric_key WHERE name=?", "t", metric);
    const int64_t count = db_int(
        &r->db, 0, "SELECT count(*) FROM metric WHERE run_id=? AND key_id=?", "ii", run->id, key);
    struct curve_point *point = NEW_ARRAY(r->arena, struct curve_point, count + 1);
    sqlite3_stmt *stmt = db_prepare(
        &r->db, "SELECT step, value FROM metric WHERE run_id=? AND key_id=? ORDER BY step LIMIT ?");
    if (!stmt)
        return point;
    sqlite3_bind_int64(stmt, 1, run->id);
    sqlite3_bind_int64(stmt, 2, key);
    sqlite3_bind_int64(stmt, 3, count);
    for (; sqlite3_step(stmt) == SQLITE_ROW; ++*n) {
        point[*n].step = sqlite3_column_int64(stmt, 0);
        point[*n].value = sqlite3_column_type(stmt, 1) == SQLITE_NULL
                              ? NAN
                              : sqlite3_column_double(stmt, 1);
    }
    sqlite3_reset(stmt);
    return point;
}
