// What comes before results.db can be opened: making it, and why it cannot be made. For store/ alone.
#ifndef STORE_DB_CREATE_H
#define STORE_DB_CREATE_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

extern const char db_schema[];

// Puts a new database at the path, and its folder, unless another process does first. What is left of
// an older one's log is set aside: SQLite would replay it. False: `why`.
bool db_create(const char *path, char *why, size_t room);
bool db_absent(const char *path);
void db_set_aside_log(const char *path);
// A lock on the folder of a path, which creators of databases and `gc` take turns with; to be closed.
// −1: it cannot be had.
int db_lock_folder(const char *path);
// SQLite's message of its last trouble, or a better one.
const char *sqlite_cause(sqlite3 *handle, int rc);

#endif
