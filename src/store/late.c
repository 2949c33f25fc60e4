// The process that trains a run writes its note once, when it begins, so a later one stays. A run of
// before there were journals gets none here: half a journal could not give its rows back.
#include "store/late.h"

#include "base/arena.h"

#include "store/describe.h"
#include "store/journal.h"

static bool late_to_journal(const struct stored_run *run, const struct record *record, int n,
                            struct journal_tail *tail)
{
    struct journal j;
    if (!journal_tail(run->dir, tail))
        return false;
    const bool ok = journal_join(&j, run->dir) &&
                    journal_append(&j, run->uid, record, (size_t)n, tail->stored) &&
                    journal_sync(&j);
    journal_close(&j);
    return ok;
}

// Where the database had all of a journal that nobody else writes, it has all of it now.
static bool late_to_database(struct db *db, const struct stored_run *run, struct record *record,
                             int n, int64_t end)
{
    if (!db_begin(db))
        return false;
    struct sink sink = {.uid = run->uid,
                        .run = db_int(db, 0, "SELECT id FROM run WHERE uid=?", "t", run->uid)};
    const bool known = sink.run != 0;
    for (int i = 0; i < n && known; i++)
        record_apply(&record[i], &sink, db);
    if (known && end && journal_position(db, sink.run) == end && !rundir_alive(run->dir))
        journal_set_position(db, sink.run, journal_bytes(run->dir));
    sink_release(&sink);
    return db_commit(db) && known;
}

static bool late_write(const char *path, const struct stored_run *run, struct record *record, int n,
                       const char *what, struct diag *d)
{
    struct db db;
    struct journal_tail tail = {0};
    const enum db_result opened = db_open(&db, path, DB_WRITE, DB_BUSY_MS, d);
    const bool kept = opened != DB_REFUSED && late_to_journal(run, record, n, &tail),
               stored = opened == DB_OK &&
                        late_to_database(&db, run, record, n, kept ? tail.end : 0);
    if (opened != DB_REFUSED && !kept && !stored)
        fail(d, (struct place){0}, "%s could not be stored in %s: %s", what, path,
             *db.why ? db.why : "it does not know this run");
    db_close(&db);
    for (int i = 0; i < n; i++)
        record_release(&record[i]);
    return kept || stored;
}

bool late_scores(const char *db, const struct stored_run *run, int64_t step,
                 const struct evaluation *e, int n, struct diag *d)
{
    struct arena *a = arena_new(NULL);
    struct record *record = NEW_ARRAY(a, struct record, n + 1);
    for (int i = 0; i < n; i++)
        record[i] = (struct record){.kind = RECORD_OTHER,
                                    .other = describe_evaluation(&e[i], step)};
    const bool ok = !n || late_write(db, run, record, n, "the scores", d);
    arena_free(a);
    return ok;
}

bool late_note(const char *db, const struct stored_run *run, const char *note, struct diag *d)
{
    ASSERT(note);
    struct record record = {.kind = RECORD_OTHER, .other = describe_note(note)};
    return late_write(db, run, &record, 1, "the note", d);
}
