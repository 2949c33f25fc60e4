// The process that trains a run writes its note once, when it begins, so a later one stays.
#include "store/notes.h"

#include "store/db.h"

#include <string.h>

bool note_write(const char *path, const char *uid, const char *note, struct diag *d)
{
    ASSERT(strlen(uid) > 8 && note);
    struct db db;
    const enum db_result opened = db_open(&db, path, DB_WRITE, DB_BUSY_MS, d);
    if (opened == DB_REFUSED)
        return false;
    bool written = opened == DB_OK && db_begin(&db);
    if (written) {
        db_run(&db, "UPDATE run SET note=? WHERE uid=?", "tt", note, uid);
        written = db_commit(&db);
    }
    if (!written)
        fail(d, (struct place){0}, "%s: %s\nthe note was not written", path, db.why);
    db_close(&db);
    return written;
}
