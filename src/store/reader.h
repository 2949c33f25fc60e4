// What the query files share. For store/ alone.
#ifndef STORE_READER_H
#define STORE_READER_H

#include "store/db.h"
#include "store/query.h"

struct reader {
    struct arena *arena;
    struct db db;
    const char *home; // the database's directory: run directories are named from there
    char host[256];   // this one
    bool in_memory;   // a copy, with what journals have more
};

// The statement's columns and rows as a table; the statement is finalised.
struct table *reader_table(struct reader *r, const char *title, sqlite3_stmt *stmt);
// The same from SQL with arguments as db_run has them; sql must be right.
struct table *reader_select(struct reader *r, const char *title, const char *sql, const char *types,
                            ...);
struct cell cell_of(struct arena *a, sqlite3_stmt *stmt, int column);
const char *column_text(struct arena *a, sqlite3_stmt *stmt, int column); // copied; NULL for NULL
// "running" becomes "lost" when no process works on the run.
const char *shown_status(struct db *db, int64_t run, const char *status, const char *dir,
                         const char *host);

#endif
