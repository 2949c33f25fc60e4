// Rare records are JSON objects that bind SQL parameters by name: one form serves the live writer,
// the journal and the merge, so that a run that met a full disk ends up with the same rows as one
// that did not. A struct a kind, with its own binding, its own printer and its own parser, would be
// three chances a kind to disagree. Every statement may be applied twice without harm, because a
// batch that a failed transaction took back is applied again.
#include "store/record.h"

#include "base/arena.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LATEST_ATTEMPT "(SELECT id FROM attempt WHERE run_id=:run ORDER BY n DESC LIMIT 1)"

static const struct statement {
    const char *what, *sql;
} statements[] = {
    {"run", "INSERT OR IGNORE INTO experiment(name, created_ms) VALUES(:experiment, :t_ms)"},
    {"run", "INSERT OR IGNORE INTO config(hash, yaml, schema_version) VALUES(:config_hash, "
            ":config_yaml, 1)"},
    {"run", "INSERT OR IGNORE INTO run(uid, experiment_id, name, note, model, dataset, seed, "
            "config_hash, group_hash, status, total_steps, created_ms, dir) SELECT :uid, id, "
            ":name, :note, :model, :dataset, :seed, :config_hash, :group_hash, 'running', "
            ":total_steps, :t_ms, :dir FROM experiment WHERE name=:experiment"},
    {"change", "INSERT OR IGNORE INTO config(hash, yaml, schema_version) VALUES(:config_hash, "
               ":config_yaml, 1)"},
    {"change", "UPDATE run SET config_hash=:config_hash, group_hash=:group_hash, seed=:seed, "
               "model=:model, dataset=:dataset, total_steps=:total_steps WHERE id=:run"},
    {"change", "DELETE FROM param WHERE run_id=:run"},
    {"param", "INSERT OR REPLACE INTO param(run_id, key, type, text, num, origin) VALUES(:run, "
              ":key, :type, :text, :num, :origin)"},
    {"attempt",
     "INSERT OR IGNORE INTO env(hash, ganexp, git_commit, git_branch, git_dirty, host, os, kernel, "
     "cpu, cores, mem_bytes, isa, compiler, cflags, onednn, sqlite, libyaml) VALUES(:hash, "
     ":ganexp, :git_commit, :git_branch, :git_dirty, :host, :os, :kernel, :cpu, :cores, "
     ":mem_bytes, :isa, :compiler, :cflags, :onednn, :sqlite, :libyaml)"},
    {"attempt", "INSERT INTO attempt(run_id, n, env_id, argv_json, cwd, threads, host, pid, "
                "boot_id, proc_start, slurm_job, first_step, started_ms) SELECT :run, (SELECT "
                "coalesce(max(n), 0) + 1 FROM attempt WHERE run_id=:run), (SELECT id FROM env "
                "WHERE hash=:hash), :argv, :cwd, :threads, :host, :pid, :boot_id, :proc_start, "
                ":slurm_job, :step, :t_ms WHERE NOT EXISTS(SELECT 1 FROM attempt WHERE run_id=:run "
                "AND pid=:pid AND started_ms=:t_ms)"},
    {"attempt",
     "UPDATE run SET status='running', reason='', exit_code=NULL, exit_signal=NULL, ended_ms=NULL, "
     "started_ms=coalesce(started_ms, :t_ms) WHERE id=:run"},
    {"evaluation", "INSERT OR IGNORE INTO metric_key(name) VALUES(:metric)"},
    {"evaluation", "UPDATE metric_key SET direction=:direction WHERE name=:metric AND direction='' "
                   "AND :direction<>''"},
    {"evaluation", "INSERT OR IGNORE INTO evaluator(fingerprint, name, extractor, "
                   "extractor_sha256, real_split, real_stats_sha256, n_real, n_fake, preprocess, "
                   "version) VALUES(:fingerprint, :name, :extractor, :extractor_sha256, "
                   ":real_split, :real_stats_sha256, :n_real, :n_fake, :preprocess, :version)"},
    {"evaluation",
     "INSERT OR REPLACE INTO eval(run_id, step, evaluator_id, key_id, value, std, weights, "
     "checkpoint_id, seconds, seed) SELECT :run, :step, e.id, k.id, :value, :std, :weights, "
     "(SELECT id FROM artifact WHERE run_id=:run AND kind='checkpoint' AND step=:step LIMIT 1), "
     ":seconds, :seed FROM evaluator e, metric_key k WHERE e.fingerprint=:fingerprint AND "
     "k.name=:metric"},
    {"artifact", "UPDATE artifact SET role='' WHERE run_id=:run AND kind=:kind AND role=:role"},
    {"artifact", "INSERT INTO artifact(run_id, step, kind, path, format, bytes, sha256, role, "
                 "created_ms) VALUES(:run, :step, :kind, :path, :format, :bytes, :sha256, :role, "
                 ":t_ms) ON CONFLICT(run_id, path) DO UPDATE SET step=:step, kind=:kind, "
                 "format=:format, bytes=:bytes, sha256=:sha256, role=:role, created_ms=:t_ms, "
                 "removed_ms=NULL"},
    {"forget", "UPDATE artifact SET removed_ms=:t_ms WHERE run_id=:run AND kind='checkpoint' AND "
               "step<:step AND removed_ms IS NULL"},
    {"event", "INSERT INTO event(run_id, attempt_n, step, t_ms, level, code, text) SELECT :run, "
              "(SELECT max(n) FROM attempt WHERE run_id=:run), :step, :t_ms, :level, :code, :text "
              "WHERE NOT EXISTS(SELECT 1 FROM event WHERE run_id=:run AND t_ms=:t_ms AND "
              "code=:code AND text=:text)"},
    {"note", "UPDATE run SET note=:note WHERE id=:run"},
    {"rewind",
     "INSERT INTO event(run_id, step, t_ms, level, code, text) SELECT :run, :step, :t_ms, 'info', "
     "'rewind', count(*) || ' points after step ' || :step || ' removed' FROM metric WHERE "
     "run_id=:run AND step>:step HAVING NOT EXISTS(SELECT 1 FROM event WHERE run_id=:run AND "
     "t_ms=:t_ms AND code='rewind')"},
    {"rewind", "DELETE FROM metric WHERE run_id=:run AND step>:step"},
    {"rewind", "DELETE FROM tick WHERE run_id=:run AND step>:step"},
    {"rewind", "DELETE FROM eval WHERE run_id=:run AND step>:step"},
    {"rewind", "UPDATE eval SET checkpoint_id=NULL WHERE run_id=:run AND checkpoint_id IN(SELECT "
               "id FROM artifact WHERE run_id=:run AND step>:step)"},
    {"rewind", "DELETE FROM artifact WHERE run_id=:run AND step>:step"},
    {"rewind", "UPDATE run SET step=min(step, :step), images=coalesce((SELECT images FROM tick "
               "WHERE run_id=:run ORDER BY step DESC LIMIT 1), 0) WHERE id=:run"},
    {"checkpoint", "UPDATE attempt SET last_step=:step WHERE id=" LATEST_ATTEMPT},
    {"end", "UPDATE run SET status=:status, reason=:reason, exit_code=:exit_code, ended_ms=:t_ms "
            "WHERE id=:run"},
    {"end", "UPDATE attempt SET ended_ms=:t_ms, end_status=:status, last_step=(SELECT step FROM "
            "run WHERE id=:run) WHERE id=" LATEST_ATTEMPT},
};

int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// JSON knows no infinity: "inf" and "-inf" are texts, NaN is null.
json_t *record_number(double x)
{
    if (isnan(x))
        return json_null();
    return isinf(x) ? json_string(x > 0 ? "inf" : "-inf") : json_real(x);
}

static double record_number_of(const json_t *j)
{
    if (json_is_string(j))
        return strtod(json_string_value(j), NULL);
    return json_is_number(j) ? json_number_value(j) : NAN;
}

static bool is_infinity(const char *s) { return !strcmp(s, "inf") || !strcmp(s, "-inf"); }

static bool is_number_parameter(const char *name)
{
    return !strcmp(name, ":value") || !strcmp(name, ":std") || !strcmp(name, ":num");
}

static void bind_json(sqlite3_stmt *stmt, int i, const char *name, const json_t *j)
{
    if (json_is_string(j) && !(is_number_parameter(name) && is_infinity(json_string_value(j))))
        sqlite3_bind_text(stmt, i, json_string_value(j), (int)json_string_length(j),
                          SQLITE_TRANSIENT);
    else if (json_is_integer(j))
        sqlite3_bind_int64(stmt, i, json_integer_value(j));
    else if (json_is_real(j) || json_is_string(j))
        sqlite3_bind_double(stmt, i, record_number_of(j));
    else
        sqlite3_bind_null(stmt, i);
}

static void run_json(struct db *db, const char *sql, const json_t *fields, int64_t run)
{
    sqlite3_stmt *stmt = db->error ? NULL : db_prepare(db, sql);
    if (!stmt)
        return;
    for (int i = 1; i <= sqlite3_bind_parameter_count(stmt); i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        if (!strcmp(name, ":run"))
            sqlite3_bind_int64(stmt, i, run);
        else
            bind_json(stmt, i, name, json_object_get(fields, name + 1));
    }
    db_finish(db, stmt);
}

static void apply_statements(struct db *db, const char *what, const json_t *fields, int64_t run)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (!strcmp(statements[i].what, what))
            run_json(db, statements[i].sql, fields, run);
}

static void find_run(struct sink *s, struct db *db)
{
    if (!s->run)
        s->run = db_int(db, 0, "SELECT id FROM run WHERE uid=?", "t", s->uid);
}

// All summaries of the run anew, from its points.
static void summarise_all(struct sink *s, struct db *db)
{
    for (int i = 0; i < s->n_metric; i++)
        s->metric[i].loaded = false;
    db_run(db, "DELETE FROM metric_summary WHERE run_id=?", "i", s->run);
    db_run(db,
           "INSERT INTO metric_summary(run_id, key_id, n, n_nan, first, last, last_step, min, "
           "min_step, max, max_step, sum, sumsq) SELECT ?1, g.key_id, n, n_nan, f.value, l.value, "
           "l.step, min, (SELECT step FROM metric m WHERE m.run_id=?1 AND m.key_id=g.key_id AND "
           "m.value=min ORDER BY step LIMIT 1), max, (SELECT step FROM metric m WHERE m.run_id=?1 "
           "AND m.key_id=g.key_id AND m.value=max ORDER BY step LIMIT 1), total, square FROM "
           "(SELECT key_id, count(*) AS n, count(*)-count(value) AS n_nan, min(step) AS s0, "
           "max(step) AS s1, min(value) AS min, max(value) AS max, total(value) AS total, "
           "total(value*value) AS square FROM metric WHERE run_id=?1 GROUP BY key_id) g JOIN "
           "metric f ON f.run_id=?1 AND f.key_id=g.key_id AND f.step=s0 JOIN metric l ON "
           "l.run_id=?1 AND l.key_id=g.key_id AND l.step=s1",
           "i", s->run);
}

static void save_progress(struct sink *s, struct db *db)
{
    db_run(db, "UPDATE run SET step=max(step, ?), images=max(images, ?) WHERE id=?", "iii", s->step,
           s->images, s->run);
}

static void apply_other(const json_t *fields, struct sink *s, struct db *db)
{
    const char *what = json_string_value(json_object_get(fields, "what"));
    if (!what || (!s->run && strcmp(what, "run") != 0))
        return;
    if (!strcmp(what, "end"))
        save_progress(s, db); // which the attempt notes
    apply_statements(db, what, fields, s->run);
    find_run(s, db);
    const json_t *params = json_object_get(fields, "params");
    for (size_t i = 0; i < json_array_size(params); i++)
        apply_statements(db, "param", json_array_get(params, i), s->run);
    if (!strcmp(what, "rewind")) {
        summarise_all(s, db);
        s->step = s->images = 0;
    }
    if (!strcmp(what, "checkpoint"))
        s->step = json_integer_value(json_object_get(fields, "step"));
}

static struct sink_metric *find_metric(struct sink *s, const char *name)
{
    for (int i = 0; i < s->n_metric; i++)
        if (!strcmp(s->metric[i].name, name))
            return &s->metric[i];
    const size_t bytes = sizeof *s->metric * (size_t)(s->n_metric + 1);
    s->metric = must_have(realloc(s->metric, bytes), bytes);
    s->metric[s->n_metric] = (struct sink_metric){.name = must_have(strdup(name), strlen(name))};
    return &s->metric[s->n_metric++];
}

static double column_double(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_type(stmt, i) == SQLITE_NULL ? NAN : sqlite3_column_double(stmt, i);
}

static void load_summary(struct sink_metric *m, struct sink *s, struct db *db)
{
    m->loaded = true;
    m->changed = m->disordered = false;
    m->summary = (struct summary){.first = NAN, .last = NAN, .min = NAN, .max = NAN};
    sqlite3_stmt *stmt = db_prepare(
        db, "SELECT n, n_nan, last_step, min_step, max_step, first, last, min, max, sum, sumsq "
            "FROM metric_summary WHERE run_id=? AND key_id=?");
    if (!stmt)
        return;
    sqlite3_bind_int64(stmt, 1, s->run);
    sqlite3_bind_int64(stmt, 2, m->key);
    const int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        db_trouble(db, rc);
    if (rc == SQLITE_ROW) {
        int64_t *const whole[] = {&m->summary.n, &m->summary.n_nan, &m->summary.last_step,
                                  &m->summary.min_step, &m->summary.max_step};
        double *const real[] = {&m->summary.first, &m->summary.last, &m->summary.min,
                                &m->summary.max,   &m->summary.sum,  &m->summary.sumsq};
        for (int i = 0; i < 5; i++)
            *whole[i] = sqlite3_column_int64(stmt, i);
        for (int i = 0; i < 6; i++)
            *real[i] = column_double(stmt, 5 + i);
    }
    sqlite3_reset(stmt);
}

// Points come in order of step, nearly always; then a summary grows by its new point alone.
static void summarise_point(struct sink_metric *m, int64_t step, double x)
{
    struct summary *y = &m->summary;
    ASSERT(m->loaded || !y->n);
    m->changed = true;
    if (y->n && step <= y->last_step) {
        m->disordered = true;
        return;
    }
    if (!y->n++)
        y->first = x;
    y->last = x;
    y->last_step = step;
    if (isnan(x)) {
        y->n_nan++;
        return;
    }
    y->sum += x;
    y->sumsq += x * x;
    if (!(x >= y->min)) {
        y->min = x;
        y->min_step = step;
    }
    if (!(x <= y->max)) {
        y->max = x;
        y->max_step = step;
    }
}

static void apply_metric(const struct record *r, struct sink *s, struct db *db)
{
    struct sink_metric *m = find_metric(s, r->metric.name);
    if (!m->key) {
        db_run(db, "INSERT OR IGNORE INTO metric_key(name) VALUES(?)", "t", m->name);
        m->key = db_int(db, 0, "SELECT id FROM metric_key WHERE name=?", "t", m->name);
    }
    if (!m->loaded && !db->error)
        load_summary(m, s, db);
    if (db->error)
        return; // what is remembered then is forgotten with the transaction
    db_run(db, "INSERT OR REPLACE INTO metric(run_id, key_id, step, value) VALUES(?, ?, ?, ?)",
           "iiid", s->run, m->key, r->step, r->metric.value);
    summarise_point(m, r->step, r->metric.value);
}

static void apply_tick(const struct record *r, struct sink *s, struct db *db)
{
    db_run(db,
           "INSERT OR REPLACE INTO tick(run_id, step, t_ms, epoch, images) VALUES(?, ?, ?, ?, ?)",
           "iiidi", s->run, r->step, r->tick.t_ms, r->tick.epoch, r->tick.images);
    s->step = r->step;
    s->images = r->tick.images;
}

void record_apply(struct record *r, struct sink *s, struct db *db)
{
    ASSERT(s->uid || s->run);
    ASSERT(r->kind == RECORD_OTHER || r->kind == RECORD_METRIC || r->kind == RECORD_TICK);
    find_run(s, db);
    if (db->error || (!s->run && r->kind != RECORD_OTHER))
        return;
    if (r->kind == RECORD_OTHER)
        apply_other(r->other, s, db);
    else if (r->kind == RECORD_METRIC)
        apply_metric(r, s, db);
    else
        apply_tick(r, s, db);
}

static void save_summary(const struct sink_metric *m, int64_t run, struct db *db)
{
    const struct summary *y = &m->summary;
    db_run(db,
           "INSERT OR REPLACE INTO metric_summary(run_id, key_id, n, n_nan, first, last, "
           "last_step, min, min_step, max, max_step, sum, sumsq) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, "
           "?, ?, ?, ?)",
           "iiiiddidididd", run, m->key, y->n, y->n_nan, y->first, y->last, y->last_step, y->min,
           y->min_step, y->max, y->max_step, y->sum, y->sumsq);
}

static void beat(struct sink *s, struct db *db)
{
    const int64_t now = now_ms();
    db_run(db, "UPDATE run SET heartbeat_ms=?, heartbeat_due_ms=? WHERE id=?", "iii", now,
           now + BEAT_MS, s->run);
}

void sink_finish(struct sink *s, struct db *db, bool alive)
{
    bool disordered = false;
    for (int i = 0; i < s->n_metric; i++) {
        struct sink_metric *m = &s->metric[i];
        disordered |= m->disordered;
        if (m->changed && !m->disordered)
            save_summary(m, s->run, db);
        m->changed = m->disordered = false;
    }
    if (disordered)
        summarise_all(s, db);
    save_progress(s, db);
    if (alive)
        beat(s, db);
}

void sink_forget(struct sink *s)
{
    s->run = 0;
    for (int i = 0; i < s->n_metric; i++) {
        s->metric[i].key = 0;
        s->metric[i].loaded = s->metric[i].changed = s->metric[i].disordered = false;
    }
}

void sink_release(struct sink *s)
{
    for (int i = 0; i < s->n_metric; i++)
        free(s->metric[i].name);
    free(s->metric);
    s->metric = NULL;
    s->n_metric = 0;
}

void record_write(const struct record *r, struct text *out)
{
    json_t *line = r->kind == RECORD_OTHER ? json_incref(r->other) : json_object();
    if (r->kind != RECORD_OTHER)
        json_object_set_new(line, "step", json_integer(r->step));
    if (r->kind == RECORD_METRIC) {
        json_object_set_new(line, "metric", json_string(r->metric.name));
        json_object_set_new(line, "value", record_number(r->metric.value));
    } else if (r->kind == RECORD_TICK) {
        json_object_set_new(line, "tick", json_integer(r->tick.t_ms));
        json_object_set_new(line, "epoch", record_number(r->tick.epoch));
        json_object_set_new(line, "images", json_integer(r->tick.images));
    }
    char *s = json_dumps(line, JSON_COMPACT);
    text_add(out, s ? s : "{}");
    free(s);
    json_decref(line);
}

bool record_read(const char *line, struct record *r, char **name)
{
    json_t *j = json_loads(line, 0, NULL), *metric = json_object_get(j, "metric"),
           *tick = json_object_get(j, "tick");
    *name = NULL;
    *r = (struct record){
        .kind = RECORD_OTHER, .step = json_integer_value(json_object_get(j, "step")), .other = j};
    if (!json_is_object(j) ||
        (!json_object_get(j, "what") && !json_is_string(metric) && !json_is_integer(tick))) {
        json_decref(j);
        return false;
    }
    if (json_object_get(j, "what"))
        return true;
    if (json_is_string(metric)) {
        r->kind = RECORD_METRIC;
        const char *is = json_string_value(metric);
        r->metric.name = *name = must_have(strdup(is), strlen(is));
        r->metric.value = record_number_of(json_object_get(j, "value"));
    } else {
        r->kind = RECORD_TICK;
        r->tick.t_ms = json_integer_value(tick);
        r->tick.images = json_integer_value(json_object_get(j, "images"));
        r->tick.epoch = record_number_of(json_object_get(j, "epoch"));
    }
    json_decref(j);
    return true;
}

void record_release(struct record *r)
{
    if (r->kind == RECORD_OTHER)
        json_decref(r->other);
    r->kind = RECORD_TICK;
}
