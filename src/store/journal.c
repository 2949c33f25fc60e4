// A second SQLite file would share the first one's troubles, and SQLite needs locks and shared
// memory, which the file systems of clusters lack. Text that is only appended needs neither.
//
// Appending can stop in the middle: a full disk, a kill, a power cut. A batch is one thing (a
// `rewind` without the points that follow it would take points back and give none), so it counts
// only with its seal. A seal stands behind its batch and counts bytes backwards: what a crash left
// before the batch is skipped, wherever it stands.
#include "store/journal.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char seal_form[] = "{\"journal\":1,\"run\":\"%s\",\"db\":\"%08x\",\"bytes\":%zu,"
                                "\"crc32\":\"%08lx\",\"stored\":%" PRId64 "}\n";
static const char seal_begin[] = "{\"journal\":1,";

enum { TAIL_BYTES = 4096 };

static unsigned long journal_checksum(const char *s, size_t n)
{
    return crc32_z(0, (const unsigned char *)s, n);
}

// To be freed.
static char *journal_path(const char *dir)
{
    char *path = NULL;
    if (asprintf(&path, "%s/" JOURNAL_NAME, dir) < 0)
        out_of_memory(strlen(dir));
    return path;
}

uint32_t journal_database(const char *db_path)
{
    const char *slash = strrchr(db_path, '/'), *name = slash ? slash + 1 : db_path;
    return (uint32_t)journal_checksum(name, strlen(name));
}

int64_t journal_bytes(const char *dir)
{
    struct stat st;
    char *path = journal_path(dir);
    const int64_t bytes = stat(path, &st) || !S_ISREG(st.st_mode) ? -1 : st.st_size;
    free(path);
    return bytes;
}

// --- reading -------------------------------------------------------------------------------------

// Part of a journal in memory.
struct passage {
    char *s;
    size_t n, at, after; // at: the next line; after: behind the last whole batch
    size_t skipped;      // bytes before and between whole batches
    int64_t first;       // where in the file it begins
    int64_t touched_ms;
};

struct sealed {
    const char *lines;
    size_t n;
    struct journal_tail tail;
};

static bool passage_read(struct passage *p, const char *path, int64_t from)
{
    struct stat st = {0};
    *p = (struct passage){.first = from};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > from)
        p->s = must_have(malloc((size_t)(st.st_size - from)), (size_t)(st.st_size - from));
    while (p->s && (int64_t)p->n < st.st_size - from) {
        const ssize_t r = pread(fd, p->s + p->n, (size_t)(st.st_size - from) - p->n,
                                from + (int64_t)p->n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        p->n += (size_t)r;
    }
    p->touched_ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    close(fd);
    return p->s != NULL;
}

static bool seal_read(const char *line, struct journal_tail *t, size_t *n, unsigned long *checksum)
{
    return !strncmp(line, seal_begin, sizeof seal_begin - 1) &&
           sscanf(line,
                  "{\"journal\":1,\"run\":\"%26[0-9a-z]\",\"db\":\"%8x\",\"bytes\":%zu,\"crc32\":"
                  "\"%8lx\","
                  "\"stored\":%" SCNd64 "}",
                  t->uid, &t->database, n, checksum, &t->stored) == 5;
}

// The next batch that is whole; false where there is none. A line that is no seal is a record, or
// what a crash has left.
static bool passage_next(struct passage *p, struct sealed *b)
{
    for (const char *newline; (newline = memchr(p->s + p->at, '\n', p->n - p->at));) {
        const size_t begin = p->at;
        unsigned long checksum;
        p->at = (size_t)(newline - p->s) + 1;
        char line[256] = "";
        if (p->at - begin < sizeof line)
            memcpy(line, p->s + begin, p->at - begin);
        if (!seal_read(line, &b->tail, &b->n, &checksum) || b->n > begin - p->after)
            continue;
        b->lines = p->s + begin - b->n;
        if (journal_checksum(b->lines, b->n) != checksum)
            continue;
        b->tail.begin = p->first + (int64_t)(begin - b->n);
        b->tail.end = p->first + (int64_t)p->at;
        b->tail.touched_ms = p->touched_ms;
        p->skipped += begin - b->n - p->after;
        p->after = p->at;
        return true;
    }
    return false;
}

// From the start, since only that finds whole batches for certain.
static bool last_batch(const char *path, struct journal_tail *tail)
{
    struct passage p;
    struct sealed b;
    bool found = false;
    if (passage_read(&p, path, 0))
        while (passage_next(&p, &b)) {
            *tail = b.tail;
            found = true;
        }
    free(p.s);
    return found;
}

// Nearly always the last line is the seal of the last batch.
static bool last_seal(const char *path, int64_t bytes, struct journal_tail *tail)
{
    struct passage p;
    unsigned long checksum;
    size_t n;
    bool found = false;
    if (passage_read(&p, path, bytes > TAIL_BYTES ? bytes - TAIL_BYTES : 0) && p.n > 1 &&
        p.s[p.n - 1] == '\n') {
        p.s[p.n - 1] = '\0';
        const char *newline = memrchr(p.s, '\n', p.n - 1), *line = newline ? newline + 1 : p.s;
        found = seal_read(line, tail, &n, &checksum);
        tail->end = p.first + (int64_t)p.n;
        tail->begin = p.first + (line - p.s) - (int64_t)n;
        tail->touched_ms = p.touched_ms;
    }
    free(p.s);
    return found;
}

bool journal_tail(const char *dir, struct journal_tail *tail)
{
    char *path = journal_path(dir);
    const int64_t bytes = journal_bytes(dir);
    *tail = (struct journal_tail){0};
    const bool found = bytes > 0 && (last_seal(path, bytes, tail) || last_batch(path, tail));
    free(path);
    return found;
}

static void apply_batch(const struct sealed *b, struct sink *s, struct db *db)
{
    for (const char *line = b->lines, *end = b->lines + b->n; line < end && !db->error;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const size_t n = newline ? (size_t)(newline - line) : (size_t)(end - line);
        struct record r;
        char *name, *copy = must_have(strndup(line, n), n);
        if (record_read(copy, &r, &name)) {
            record_apply(&r, s, db);
            record_release(&r);
            free(name);
        }
        free(copy);
        line += n + 1;
    }
}

static void say_skipped(const struct passage *p, struct sink *s, struct db *db)
{
    char text[160];
    snprintf(text, sizeof text, "%zu bytes of " JOURNAL_NAME " are damaged and were left out",
             p->skipped);
    struct record said = {.kind = RECORD_OTHER,
                          .other = json_pack("{s:s, s:I, s:s, s:s, s:s}", "what", "event", "t_ms",
                                             (json_int_t)now_ms(), "level", "error", "code",
                                             "journal", "text", text)};
    record_apply(&said, s, db);
    record_release(&said);
}

int64_t journal_apply(const char *dir, int64_t from, struct sink *s, struct db *db)
{
    char *path = journal_path(dir);
    struct passage p;
    struct sealed b;
    ASSERT(s->uid && from >= 0);
    if (passage_read(&p, path, from))
        while (!db->error && passage_next(&p, &b)) {
            if (!strcmp(b.tail.uid, s->uid))
                apply_batch(&b, s, db);
            from = b.tail.end;
        }
    if (p.skipped)
        say_skipped(&p, s, db);
    free(p.s);
    free(path);
    return from;
}

int64_t journal_position(struct db *db, int64_t run)
{
    return db_int(db, 0, "SELECT bytes FROM artifact WHERE run_id=? AND kind='journal'", "i", run);
}

void journal_set_position(struct db *db, int64_t run, int64_t bytes)
{
    db_run(db,
           "INSERT INTO artifact(run_id, kind, path, format, bytes, sha256, created_ms) VALUES(?, "
           "'journal', '" JOURNAL_NAME "', 'jsonl', ?, '', ?) ON CONFLICT(run_id, path) DO UPDATE "
           "SET bytes=excluded.bytes",
           "iii", run, bytes, now_ms());
}

// --- appending -----------------------------------------------------------------------------------

// What stands behind the last whole batch was never complete: it is cut, once, by the run's owner.
static void cut_torn(struct journal *j)
{
    struct stat st;
    struct journal_tail tail = {0};
    if (fstat(j->fd, &st) || st.st_size == 0)
        return;
    last_batch(j->path, &tail);
    j->end = tail.end;
    j->database = tail.database;
    if (st.st_size > tail.end && !ftruncate(j->fd, tail.end))
        j->torn = st.st_size - tail.end;
}

bool journal_open(struct journal *j, const char *dir)
{
    *j = (struct journal){.path = journal_path(dir)};
    j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return false;
    cut_torn(j);
    return true;
}

bool journal_join(struct journal *j, const char *dir)
{
    *j = (struct journal){.path = journal_path(dir)};
    j->fd = open(j->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    return j->fd >= 0;
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = -1;
    free(j->path);
    j->path = NULL;
}

static void add_batch(struct text *out, const struct journal *j, const char *uid,
                      const struct record *record, size_t n, int64_t stored)
{
    for (size_t i = 0; i < n; i++) {
        record_write(&record[i], out);
        text_add(out, "\n");
    }
    text_addf(out, seal_form, uid, j->database, out->n, journal_checksum(out->s, out->n), stored);
}

// `ganexp eval` may append scores to the journal of a run that lives: a lock, where there are locks,
// keeps one from cutting back what the other has just written.
static bool append_locked(struct journal *j, const struct text *batch)
{
    struct stat st;
    while (flock(j->fd, LOCK_EX) && errno == EINTR)
        ;
    bool ok = !fstat(j->fd, &st);
    if (ok && !file_write_bytes(j->fd, batch->s, batch->n)) {
        const int why = errno;
        ok = false;
        if (ftruncate(j->fd, st.st_size))
            errno = why; // the half batch stays: without a seal it does not count
        errno = why;
    }
    j->end = ok ? st.st_size + (int64_t)batch->n : j->end;
    const int why = errno;
    flock(j->fd, LOCK_UN);
    errno = why;
    return ok;
}

bool journal_append(struct journal *j, const char *uid, const struct record *record, size_t n,
                    int64_t stored)
{
    ASSERT(n > 0 && strlen(uid) == UID_LENGTH);
    if (j->fd < 0)
        j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0)
        return false;
    struct text batch;
    text_init(&batch);
    add_batch(&batch, j, uid, record, n, stored);
    const bool ok = append_locked(j, &batch);
    const int why = errno;
    text_release(&batch);
    errno = why;
    return ok;
}

bool journal_sync(struct journal *j) { return j->fd >= 0 && !fdatasync(j->fd); }

void journal_touch(struct journal *j)
{
    if (j->fd >= 0)
        futimens(j->fd, NULL);
}
