// What takes a run's records to its journal and to the database: one batch after the other, in one
// thread. For store/ alone.
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/journal.h"

enum { NOTICE_ROOM = 1024 };

struct writer {
    // Given at the start.
    const char *db_path, *dir, *uid;
    const char *stored_dir; // the directory as the database has it
    int busy_ms;

    struct db db;
    struct sink sink;
    struct journal journal;
    int64_t first;    // where in the journal this process began
    bool committed;   // it has written to the database
    int64_t position; // how much of the journal the database has, as far as is known
    bool behind;      // it lacks some, or may: it was opened anew
    bool in_trouble, unsynced;
    int64_t lacking; // records that the journal has and the database has not
    int64_t lost, unkept;
    double beat, told_at; // by clock_now; when the user was last told of trouble
    bool told;            // of this one

    // What one of the two has not got.
    struct record *pending;
    size_t n_pending, n_stored, room; // of these, the first n_stored are in the database

    char notice[NOTICE_ROOM]; // for the user; "" for none
};

// Records now belong to the writer.
void writer_take(struct writer *w, const struct record *record, size_t n);
// Tries the journal, then the database. Durable: one of them has all of it for certain when this
// returns. Patient: waits long for the database although it was in trouble before.
void writer_write(struct writer *w, bool durable, bool patient);
// Makes the journal durable too; nobody need wait for it.
void writer_settle(struct writer *w);
// At the end: a journal that could not be written for a time gets what the database has.
void writer_make_whole(struct writer *w);
void writer_release(struct writer *w);

#endif
