// Random bytes as a line of journal.jsonl, as a crash or an editor may have left it: read, applied to a
// database in memory that has one run, written and read again. And as a whole journal, with a seal that
// fits and without. Nothing may crash or leak.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/text.h"
#include "base/file.h"
#include "store/journal.h"

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

static const char *folder(void)
{
    static char dir[] = "/tmp/fuzz_journal_XXXXXX";
    static bool made;
    if (!made && !mkdtemp(dir))
        abort();
    made = true;
    return dir;
}

static void as_journal(const uint8_t *data, size_t size, bool sealed)
{
    char path[64], seal[200];
    snprintf(path, sizeof path, "%s/" JOURNAL_NAME, folder());
    const int n = snprintf(seal, sizeof seal,
                           "{\"journal\":1,\"run\":\"u\",\"db\":\"0\",\"bytes\":%zu,\"crc32\":"
                           "\"%08lx\",\"stored\":0}\n",
                           size, crc32_z(0, data, size));
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!file_write_bytes(fd, data, size) || (sealed && !file_write_bytes(fd, seal, (size_t)n)))
        abort();
    close(fd);
    struct sink sink = {.uid = "u", .run = 1};
    struct journal_tail tail;
    struct db *db = database();
    if (db_begin(db)) {
        journal_tail(folder(), &tail);
        journal_apply(folder(), 0, &sink, db);
        sink_finish(&sink, db, false);
    }
    sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    sink_release(&sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_journal(data, size, false);
    as_journal(data, size, true);
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
