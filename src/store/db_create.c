// A new database comes to be in one step: its schema is written to a private file that is put in
// place whole, and the first creator wins. Where every process runs the DDL at start, they race.
#include "store/db_create.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

const char db_schema[] = {
#include "schema_1.inc"
    0};

static bool no_database(char *why, size_t room)
{
    snprintf(why, room, "%s", strerror(errno));
    return false;
}

static bool make_parent(const char *path)
{
    char *parent = file_folder(path);
    const bool ok = !mkdir(parent, 0777) || errno == EEXIST;
    free(parent);
    return ok;
}

// SQLite's own words for these are "disk I/O error" and "database is locked".
const char *sqlite_cause(sqlite3 *handle, int rc)
{
    switch (handle ? sqlite3_extended_errcode(handle) : rc) {
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE: return "its file system has no memory that processes share (mmap)";
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK: return "its file system has no locks";
    default: return handle ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
    }
}

static bool write_schema(const char *path, char *why, size_t room)
{
    sqlite3 *handle = NULL;
    int rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(handle, "PRAGMA journal_mode=WAL; BEGIN", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(handle, db_schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL);
    if (rc == SQLITE_BUSY) // nobody else knows this file
        snprintf(why, room, "its file system has no locks");
    else if (rc != SQLITE_OK)
        snprintf(why, room, "%s", sqlite_cause(handle, rc));
    return (sqlite3_close(handle) == SQLITE_OK) & (rc == SQLITE_OK);
}

static const char *const companion[] = {"-wal", "-shm", "-journal"};

bool db_absent(const char *path)
{
    struct stat st;
    return stat(path, &st) && errno == ENOENT;
}

// Under a name that SQLite does not know. `ganexp gc` removes it.
static void set_aside_file(const char *path)
{
    char *aside = temporary_beside(path);
    if (aside && !db_absent(path))
        rename(path, aside);
    free(aside);
}

void db_set_aside_log(const char *path)
{
    char *name;
    for (size_t i = 0; i < LENGTH(companion); i++)
        if (asprintf(&name, "%s%s", path, companion[i]) > 0) {
            set_aside_file(name);
            free(name);
        }
}

static void remove_with_companions(const char *path)
{
    char *name;
    unlink(path);
    for (size_t i = 0; i < LENGTH(companion); i++)
        if (asprintf(&name, "%s%s", path, companion[i]) > 0) {
            unlink(name);
            free(name);
        }
}

// One that was there first stays. The last way is for file systems that have neither of the others
// (vfat, some FUSE); the lock of the folder is then what keeps creators apart.
static bool put_in_place(const char *tmp, const char *path)
{
    if (!renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_NOREPLACE) || errno == EEXIST)
        return true;
    if (!link(tmp, path) || errno == EEXIST)
        return true;
    return !db_absent(path) || !rename(tmp, path);
}

// Creators, and `gc`, take turns in a folder; −1 where it cannot be locked, or not soon.
int db_lock_folder(const char *path)
{
    char *folder = file_folder(path);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    for (int tries = 0; fd >= 0 && tries < 1000; tries++) {
        if (!flock(fd, LOCK_EX | LOCK_NB))
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

// A log beside no database is of one that is gone.
static bool create_here(const char *path, char *why, size_t room)
{
    char *tmp = temporary_beside(path);
    if (!tmp)
        return no_database(why, room);
    bool ok = write_schema(tmp, why, room);
    if (ok && db_absent(path))
        db_set_aside_log(path);
    if (ok && !put_in_place(tmp, path))
        ok = no_database(why, room);
    if (ok)
        file_sync_folder(path);
    remove_with_companions(tmp);
    free(tmp);
    return ok;
}

bool db_create(const char *path, char *why, size_t room)
{
    if (!make_parent(path))
        return no_database(why, room);
    const int lock = db_lock_folder(path);
    const bool ok = !db_absent(path) || create_here(path, why, room);
    if (lock >= 0)
        close(lock);
    return ok;
}
