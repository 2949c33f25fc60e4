// RUNDIR/journal.jsonl: all that was recorded of a run, a record a line, in order. It is appended in
// batches, each behind the one before and followed by a seal: a line with the batch's length and
// checksum. The database says how many bytes of the journal it has, in the transaction that brings
// them in (the artifact `journal`, bytes), so what it lacks is always known and is brought in once,
// in order. For store/ alone.
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/record.h"
#include "store/rundir.h"

#define JOURNAL_NAME "journal.jsonl"

// One that is open for appending, by the process that holds the run's lock.
struct journal {
    int fd;            // −1: it could not be opened
    char *path;        // freed by journal_close
    uint32_t database; // as journal_database says
    int64_t end;       // bytes
    int64_t torn;      // bytes of a batch without its seal that opening has cut off
};
// Makes it where it is not there. False with errno; journal_append tries again.
bool journal_open(struct journal *j, const char *dir);
// The same beside the run's owner, or in its place: nothing is cut, nothing is made.
bool journal_join(struct journal *j, const char *dir);
void journal_close(struct journal *j);
// All of these records, or none: false with errno, the file cut back to what it was. `stored`: how
// much of the journal the database had when this was written.
bool journal_append(struct journal *j, const char *uid, const struct record *record, size_t n,
                    int64_t stored);
bool journal_sync(struct journal *j);  // durable when true; false with errno
void journal_touch(struct journal *j); // the run lives, though nothing is appended

// Where the journal is known to lack what the database has of the run, or is told to: makes it again
// from the rows. False where that was not possible; the journal then goes on as it is.
bool journal_rewrite(struct journal *j, const char *uid, struct db *db, bool lacks);

// Its last whole batch. False where there is none.
struct journal_tail {
    char uid[UID_LENGTH + 1];
    uint32_t database;
    int64_t begin, end; // of the batch and its seal, in bytes from the journal's start
    int64_t stored;
    int64_t touched_ms; // when it was last written
};
bool journal_tail(const char *dir, struct journal_tail *tail);
// Which database a journal belongs to: a checksum of its file's name. Several may share a folder of
// runs.
uint32_t journal_database(const char *db_path);
int64_t journal_bytes(const char *dir); // −1: there is none

// Applies what is whole behind byte `from`, and of the sink's run, to the open transaction. Returns
// where that ends; `from` where there is nothing.
int64_t journal_apply(const char *dir, int64_t from, struct sink *s, struct db *db);
// How much of its journal the database has of a run.
int64_t journal_position(struct db *db, int64_t run);
void journal_set_position(struct db *db, int64_t run, int64_t bytes);

#endif
