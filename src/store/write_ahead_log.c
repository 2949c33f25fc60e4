// The log is text, appended and synced, because it is written when something is already wrong: a
// disk that is nearly full, a database held by another process. A second SQLite file beside the first
// would share the first one's troubles. A last line torn by a crash is skipped; all others are
// whole.
#include "store/write_ahead_log.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "store/rundir.h"

static void wal_path(char path[PATH_MAX], const char *dir)
{
    snprintf(path, PATH_MAX, "%s/spool.jsonl", dir);
}

bool wal_exists(const char *dir)
{
    char path[PATH_MAX];
    wal_path(path, dir);
    return access(path, F_OK) == 0;
}

void wal_remove(const char *dir)
{
    char path[PATH_MAX];
    wal_path(path, dir);
    unlink(path);
}

static bool write_ahead_log_write_all(int fd, const char *s, size_t n)
{
    while (n) {
        const ssize_t w = write(fd, s, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return false;
        s += w;
        n -= (size_t)w;
    }
    return true;
}

// After a torn write the next line must start anew, so every batch begins with a newline.
bool wal_append(const char *dir, const char *uid, const struct record *record, size_t n)
{
    char path[PATH_MAX];
    wal_path(path, dir);
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    ASSERT(n > 0);
    struct text lines;
    text_init(&lines);
    text_addf(&lines, "\n{\"spool\":\"%s\"}\n", uid);
    for (size_t i = 0; i < n; i++) {
        record_write(&record[i], &lines);
        text_add(&lines, "\n");
    }
    bool ok = write_ahead_log_write_all(fd, lines.s, lines.n) && fdatasync(fd) == 0;
    text_release(&lines);
    return (close(fd) == 0) & ok;
}

int64_t wal_apply(const char *dir, struct sink *s, struct db *db)
{
    char path[PATH_MAX], *line = NULL, *name;
    wal_path(path, dir);
    size_t room = 0;
    int64_t n = 0;
    FILE *f = fopen(path, "re");
    while (f && !db->error && getline(&line, &room, f) > 0) {
        struct record r;
        if (!record_read(line, &r, &name))
            continue;
        record_apply(&r, s, db);
        record_release(&r);
        free(name);
        n++;
    }
    free(line);
    if (f)
        fclose(f);
    return n;
}

// {"spool":"01jd…"}: the run's uid.
static bool read_uid(const char *dir, char uid[UID_LENGTH + 1])
{
    char path[PATH_MAX], line[128];
    wal_path(path, dir);
    FILE *f = fopen(path, "re");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "{\"spool\":\"%26[0-9a-z]\"}", uid) == 1;
    if (f)
        fclose(f);
    return found;
}

bool wal_merge(const char *dir, struct db *db)
{
    char uid[UID_LENGTH + 1];
    if (!wal_exists(dir))
        return true;
    if (!read_uid(dir, uid) || !db_begin(db))
        return false;
    struct sink sink = {.uid = uid};
    wal_apply(dir, &sink, db);
    sink_finish(&sink, db, false);
    const bool known = sink.run != 0;
    sink_release(&sink);
    if (!db_commit(db) || !known)
        return false;
    wal_remove(dir);
    return true;
}

static void merge_if_dead(const char *dir, struct db *db)
{
    const int lock = wal_exists(dir) ? rundir_lock(dir) : -1;
    if (lock < 0)
        return;
    wal_merge(dir, db);
    close(lock);
}

void wal_merge_all(const char *runs, struct db *db)
{
    DIR *list = opendir(runs);
    struct dirent *entry;
    char dir[PATH_MAX];
    while (list && (entry = readdir(list))) {
        if (entry->d_name[0] == '.' ||
            snprintf(dir, sizeof dir, "%s/%s", runs, entry->d_name) >= (int)sizeof dir)
            continue;
        merge_if_dead(dir, db);
    }
    if (list)
        closedir(list);
}
