// results.db as a handle: opened with care, written in BEGIN IMMEDIATE transactions only. For
// store/ alone.
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>
#include <sys/types.h>

#include "base/diag.h"

enum { DB_SCHEMA = 1, DB_BUSY_MS = 10000 };
enum db_mode {
    DB_WRITE, // created when absent
    DB_READ,
    DB_READ_NEWER // also of a newer schema: the views are a contract
};
enum db_result {
    DB_OK,
    DB_REFUSED,    // damaged, foreign, another schema, or (to read) absent: reported
    DB_UNAVAILABLE // busy, full, read-only, out of reach, on a network: db->why; not reported
};

struct db {
    sqlite3 *handle;
    const char *path; // the caller's, outlives the handle
    int error; // SQLite's code of the first trouble since db_begin; later calls then do nothing
    char why[256];
    bool lockless; // its file system has no locks: SQLite would wait for one in vain
    // The file that is open, and its log.
    dev_t device;
    ino_t inode, log_inode;
    struct {
        const char *sql;
        sqlite3_stmt *stmt;
    } cached[64];
    int n_cached;
};

enum db_result db_open(struct db *db, const char *path, enum db_mode mode, int busy_ms,
                       struct diag *d);
void db_close(struct db *db); // safe on a handle that did not open
// Empties the log into the file, unless somebody reads: a log that stays could be replayed into
// another file that is put at the path.
void db_settle(struct db *db);
// Whether what is open is no longer what lies at its path: it was deleted or emptied, or another file was
// put there. What is written then is lost with the handle.
bool db_moved(const struct db *db);
// Opens the path anew after it moved. The log that is left of the old file is set aside first:
// SQLite would replay it into the new one.
enum db_result db_reopen(struct db *db, int busy_ms, struct diag *d);
// Goes on with a copy in memory, of no rows where nothing is open: what is written then changes no
// file. False: db->why.
bool db_to_memory(struct db *db);
bool db_begin(struct db *db);
bool db_commit(struct db *db); // false: rolled back; db->why says why
void db_exec(struct db *db, const char *sql);
// The statement for a text that lives as long as the handle, made once.
sqlite3_stmt *db_prepare(struct db *db, const char *sql);
// Binds and runs. types: i int64_t, d double (NaN: NULL), t text (NULL: NULL); one letter an
// argument.
void db_run(struct db *db, const char *sql, const char *types, ...);
// The first column of the first row as a number; `otherwise` without a row.
int64_t db_int(struct db *db, int64_t otherwise, const char *sql, const char *types, ...);
// Notes the first error of a statement that the caller stepped.
void db_trouble(struct db *db, int rc);
// Steps a bound statement to its end and resets it.
void db_finish(struct db *db, sqlite3_stmt *stmt);

#endif
