// RUNDIR/spool.jsonl: what could not be written into the database, a record a line. For store/
// alone.
#ifndef STORE_WRITE_AHEAD_LOG_H
#define STORE_WRITE_AHEAD_LOG_H

#include "store/record.h"

// Appends and syncs. False with errno; nothing of these records counts then, though some may be
// there: records can be applied twice.
bool wal_append(const char *dir, const char *uid, const struct record *record, size_t n);
// Applies all of it to the open transaction; returns how many records that were.
int64_t wal_apply(const char *dir, struct sink *s, struct db *db);
// After the commit.
void wal_remove(const char *dir);
bool wal_exists(const char *dir);
// Brings in one run's log, in a transaction of its own, whose lock the caller holds.
bool wal_merge(const char *dir, struct db *db);
// Those of all runs below `runs` that no process is working on. Trouble leaves them for the next
// time.
void wal_merge_all(const char *runs, struct db *db);

#endif
