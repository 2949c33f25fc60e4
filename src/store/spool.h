// RUNDIR/spool.jsonl: what could not be written into the database, a record a line. For store/
// alone.
#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

#include "store/record.h"

// Appends and syncs. False with errno; nothing of these records counts then, though some may be
// there: records can be applied twice.
bool spool_append(const char *dir, const char *uid, const struct record *record, size_t n);
// Applies all of it to the open transaction; returns how many records that were.
int64_t spool_apply(const char *dir, struct sink *s, struct db *db);
// After the commit.
void spool_remove(const char *dir);
bool spool_exists(const char *dir);
// Brings in one run's spool, in a transaction of its own, whose lock the caller holds.
bool spool_merge(const char *dir, struct db *db);
// Those of all runs below `runs` that no process is working on. Trouble leaves them for the next
// time.
void spool_merge_all(const char *runs, struct db *db);

#endif
