// The journal comes first: with it a transaction that fails, a database that is deleted and one that
// another program holds are one case, a database that lacks the journal's end. A record leaves memory
// when both have it, or when the journal has it and the database is in trouble; a disk that takes
// neither leaves it here, and it is tried again every second.
#include "store/writer.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/describe.h"

enum {
    PENDING_MAX = 1 << 22,
    UNKEPT_MAX = 1 << 16,
    IMPATIENT_MS = 200,
    IDLE_BEAT_S = 10,
    TELL_AGAIN_S = 600
};

#define WRITER_TELL(w, ...) snprintf((w)->notice, sizeof(w)->notice, __VA_ARGS__)

void writer_take(struct writer *w, const struct record *record, size_t n)
{
    if (w->n_pending + n > w->room) {
        w->room = 2 * (w->n_pending + n);
        const size_t bytes = w->room * sizeof *w->pending;
        w->pending = must_have(realloc(w->pending, bytes), bytes);
    }
    for (size_t i = 0; i < n; i++) {
        if (w->n_pending < PENDING_MAX || record[i].kind == RECORD_OTHER)
            w->pending[w->n_pending++] = record[i];
        else
            w->lost++;
    }
    ASSERT(w->n_pending <= w->room);
}

static void drop_pending(struct writer *w)
{
    for (size_t i = 0; i < w->n_pending; i++)
        record_release(&w->pending[i]);
    w->n_pending = w->n_stored = 0;
}

// --- the database --------------------------------------------------------------------------------

static bool opened(struct writer *w, enum db_result result)
{
    w->behind = true;
    w->n_stored = 0;
    sink_forget(&w->sink);
    if (result == DB_REFUSED)
        snprintf(w->db.why, sizeof w->db.why, "it is no longer this program's");
    return result == DB_OK;
}

static bool reopen(struct writer *w)
{
    struct arena *a = arena_new(NULL);
    const bool moved = db_moved(&w->db);
    const enum db_result result = moved ? db_reopen(&w->db, w->busy_ms, diag_new(a))
                                        : db_open(&w->db, w->db_path, DB_WRITE, w->busy_ms,
                                                  diag_new(a));
    arena_free(a);
    return opened(w, result);
}

// A deleted file can be written to for ever, and nobody will ever read it.
static void watch(struct writer *w)
{
    struct stat st;
    if (!db_moved(&w->db))
        return;
    const bool deleted = stat(w->db_path, &st) != 0;
    WRITER_TELL(w, "%s was %s while this run writes; all that %s has of the run goes into %s",
                w->db_path,
                deleted       ? "deleted"
                : !st.st_size ? "emptied"
                              : "replaced by another file",
                w->journal.path, deleted ? "a new one" : "that");
    const struct record said = {.kind = RECORD_OTHER,
                                .other = describe_event(EVENT_WARN, "database", -1, w->notice)};
    writer_take(w, &said, 1);
}

// What the journal has and the database has not, then what only memory has.
static void apply_all(struct writer *w, bool journaled)
{
    struct sink *s = &w->sink;
    if (w->behind) {
        s->run = db_int(&w->db, 0, "SELECT id FROM run WHERE uid=?", "t", w->uid);
        w->position = s->run ? journal_position(&w->db, s->run) : 0;
        if (!w->committed && w->position > w->first)
            w->position = w->first; // the journal that the database had is gone, or cut
        journal_apply(w->dir, w->position, s, &w->db);
    }
    for (size_t i = w->n_stored; i < w->n_pending && !(w->behind && journaled); i++)
        record_apply(&w->pending[i], s, &w->db);
}

static bool transaction(struct writer *w, bool journaled)
{
    if (!db_begin(&w->db))
        return false;
    apply_all(w, journaled);
    const bool known = w->sink.run != 0;
    if (known) {
        sink_finish(&w->sink, &w->db, true);
        journal_set_position(&w->db, w->sink.run, w->journal.end);
        if (w->behind)
            db_run(&w->db, "UPDATE run SET dir=? WHERE id=? AND dir<>?1", "ti", w->stored_dir,
                   w->sink.run);
    }
    if (!db_commit(&w->db))
        return false;
    if (!known)
        snprintf(w->db.why, sizeof w->db.why,
                 "it does not know this run, and the journal does not "
                 "say how it began");
    return known;
}

// After the first trouble no call waits long for the database again, until it is well or the run
// ends.
static bool to_database(struct writer *w, bool durable, bool patient, bool journaled)
{
    if ((!w->db.handle || db_moved(&w->db)) && !reopen(w))
        return false;
    sqlite3_busy_timeout(w->db.handle, w->in_trouble && !patient && w->busy_ms > IMPATIENT_MS
                                           ? IMPATIENT_MS
                                           : w->busy_ms);
    if (durable)
        sqlite3_exec(w->db.handle, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    const bool ok = transaction(w, journaled);
    if (durable)
        sqlite3_exec(w->db.handle, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
    if (!ok)
        sink_forget(&w->sink);
    return ok;
}

// --- both ----------------------------------------------------------------------------------------

static bool to_journal(struct writer *w)
{
    if (!w->n_pending)
        return true;
    if (!journal_append(&w->journal, w->uid, w->pending, w->n_pending, w->position))
        return false;
    return w->unsynced = true;
}

// A journal that cannot be written, beside a database that can, is no reason to fill the memory.
static void keep_some(struct writer *w)
{
    w->n_stored = w->n_pending;
    if (w->n_pending < UNKEPT_MAX)
        return;
    w->unkept += (int64_t)w->n_pending;
    drop_pending(w);
}

static void well(struct writer *w, bool journaled)
{
    w->position = w->journal.end;
    w->behind = false;
    w->lacking = 0;
    w->committed = true;
    w->beat = clock_now();
    if (w->told && !w->notice[0])
        WRITER_TELL(w, "%s takes records again; what waited in %s is in it", w->db_path,
                    w->journal.path);
    w->in_trouble = w->told = false;
    if (journaled)
        drop_pending(w);
    else
        keep_some(w);
}

// A disk that is nearly full comes and goes.
static void tell_trouble(struct writer *w, bool journaled, int why)
{
    const double now = clock_now();
    if (w->in_trouble || (w->told_at > 0 && now - w->told_at < TELL_AGAIN_S))
        return;
    w->told_at = now;
    w->told = true;
    if (journaled)
        WRITER_TELL(w,
                    "%s cannot be written (%s); the run goes on: records go to %s and join the "
                    "database at the next write",
                    w->db_path, w->db.why, w->journal.path);
    else
        WRITER_TELL(w,
                    "%s cannot be written (%s), nor can the journal (%s): the run goes on, and "
                    "records wait in memory (%s)",
                    w->db_path, w->db.why, strerror(why), w->dir);
}

static void trouble_with_database(struct writer *w, bool journaled, bool durable, int why)
{
    tell_trouble(w, journaled, why);
    w->in_trouble = true;
    w->beat = clock_now();
    if (!journaled)
        return;
    w->behind = true;
    w->lacking += (int64_t)w->n_pending;
    drop_pending(w);
    if (durable)
        writer_settle(w);
}

void writer_write(struct writer *w, bool durable, bool patient)
{
    const bool beat = clock_now() - w->beat > IDLE_BEAT_S;
    watch(w);
    if (!w->n_pending && !durable && !beat && !w->behind)
        return;
    const bool journaled = to_journal(w);
    const int why = errno;
    if (!w->n_pending)
        journal_touch(&w->journal);
    if (to_database(w, durable, patient, journaled))
        well(w, journaled);
    else
        trouble_with_database(w, journaled, durable, why);
}

void writer_settle(struct writer *w)
{
    if (w->unsynced && journal_sync(&w->journal))
        w->unsynced = false;
}

void writer_make_whole(struct writer *w)
{
    const bool lacks = w->unkept || w->n_pending;
    if (!lacks || w->in_trouble || w->behind || !w->db.handle ||
        !journal_rewrite(&w->journal, w->uid, &w->db, true))
        return;
    w->unkept = 0;
    drop_pending(w);
}

void writer_release(struct writer *w)
{
    drop_pending(w);
    db_close(&w->db);
    sink_release(&w->sink);
    journal_close(&w->journal);
    free(w->pending);
}
