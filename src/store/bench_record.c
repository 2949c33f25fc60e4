// Not a run: nothing was trained, so nothing of it should show in lists of runs or on the
// leaderboard. The table is made with the first row; databases of before have none, and to readers
// that know nothing of it it is no obstacle.
#include "store/bench_record.h"

#include "store/db.h"
#include "store/environment.h"
#include "store/record.h"

static const char table[] =
    "CREATE TABLE IF NOT EXISTS bench(id INTEGER PRIMARY KEY, t_ms INTEGER NOT NULL, "
    "name TEXT NOT NULL, config_hash TEXT NOT NULL, precision TEXT NOT NULL, "
    "threads INTEGER NOT NULL, steps_per_second REAL NOT NULL, iteration_ms REAL NOT NULL, "
    "floor_ms REAL NOT NULL, gflop REAL NOT NULL, peak_gflops REAL NOT NULL, "
    "bandwidth_gb REAL NOT NULL, activation_bytes INTEGER NOT NULL, slot_bytes INTEGER NOT NULL, "
    "rss_bytes INTEGER NOT NULL, isa TEXT, onednn TEXT, cpu TEXT, host TEXT, git_commit TEXT, "
    "git_dirty INTEGER, cflags TEXT)";
static const char row[] =
    "INSERT INTO bench(t_ms, name, config_hash, precision, threads, steps_per_second, "
    "iteration_ms, floor_ms, gflop, peak_gflops, bandwidth_gb, activation_bytes, slot_bytes, "
    "rss_bytes, isa, onednn, cpu, host, git_commit, git_dirty, cflags) "
    "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

static void write_row(struct db *db, const struct bench *b)
{
    const struct environment *e = b->environment;
    db_run(db, row, "itttiddddddiiitttttit", now_ms(), b->name, b->config_hash, b->precision,
           (int64_t)b->threads, 1e3 / b->iteration_ms, b->iteration_ms, b->floor_ms, b->gflop,
           b->peak_gflops, b->bandwidth_gb, b->activation_bytes, b->slot_bytes, b->rss_bytes,
           e->isa, e->onednn, e->cpu, e->host, e->git_commit, (int64_t)e->git_dirty, e->cflags);
}

bool bench_record(const char *path, const struct bench *b, struct diag *d)
{
    struct db db;
    const enum db_result opened = db_open(&db, path, DB_WRITE, DB_BUSY_MS, d);
    if (opened == DB_REFUSED)
        return false;
    bool written = opened == DB_OK && db_begin(&db);
    if (written) {
        db_exec(&db, table);
        write_row(&db, b);
        written = db_commit(&db);
    }
    if (!written)
        fail(d, (struct place){0}, "%s: %s\nthe figures were not recorded", path, db.why);
    if (opened == DB_OK)
        db_close(&db);
    return written;
}
