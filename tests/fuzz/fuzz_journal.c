// Random bytes as a line of journal.jsonl, as a crash or an editor may have left it: read, applied to a
// database in memory that has one run, written and read again. Nothing may crash or leak.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema[] = {
#include "schema_1.inc"
    0};

static struct db *database(void)
{
    static struct db db;
    if (!db.handle) {
        sqlite3_open(":memory:", &db.handle);
        sqlite3_exec(db.handle, schema, NULL, NULL, NULL);
        sqlite3_exec(
            db.handle,
            "INSERT INTO experiment VALUES(1, 'e', '', 0); INSERT INTO config VALUES('h', "
            "'', 1); INSERT INTO run(id, uid, experiment_id, name, model, dataset, seed, "
            "config_hash, group_hash, status, created_ms, dir) VALUES(1, 'u', 1, 'n', 'm', "
            "'d', 0, 'h', 'g', 'running', 0, 'x')",
            NULL, NULL, NULL);
    }
    return &db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = strndup((const char *)data, size), *name;
    struct record r;
    struct sink sink = {.uid = "u"};
    struct db *db = database();
    struct text again;
    text_init(&again);
    if (db_begin(db) && record_read(line, &r, &name)) {
        record_write(&r, &again);
        record_apply(&r, &sink, db);
        sink_finish(&sink, db, false);
        record_release(&r);
        free(name);
    }
    sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    sink_release(&sink);
    text_release(&again);
    free(line);
    return 0;
}
