// Opening results.db, and statements. A tracker's database fails in ways that can be avoided: a
// transaction reads first and then writes, so that waiting cannot help it; each value is its own
// transaction; and whatever file lies at the path is taken to be ours. So writers say BEGIN
// IMMEDIATE; they batch; and the first hundred bytes are read before SQLite sees the file, because
// SQLite, asked about a foreign file, may already change it. db_create.c makes a new one.
#include "store/db.h"

#include "base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_create.h"
#include "store/file_system.h"

enum { APPLICATION_ID = 0x47414E58, HEADER = 100 };

static const struct place nowhere;

static uint32_t db_big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum db_result unavailable(struct db *db, const char *why)
{
    snprintf(db->why, sizeof db->why, "%s", why);
    return DB_UNAVAILABLE;
}

static bool cannot(struct db *db, const char *why)
{
    unavailable(db, why);
    return false;
}

static enum db_result refuse(struct diag *d, const char *path, const char *what, const char *advice)
{
    fail(d, nowhere, "%s %s\n%s", path, what, advice);
    return DB_REFUSED;
}

static const char other_file[] = "it was left as it is; give another path with --db";

static enum db_result check_version(const char *path, enum db_mode mode, uint32_t version,
                                    struct diag *d)
{
    if (version == DB_SCHEMA || (version > DB_SCHEMA && mode == DB_READ_NEWER))
        return DB_OK;
    char what[100];
    snprintf(what, sizeof what, "has schema %u; this program knows schema %d", version, DB_SCHEMA);
    return refuse(d, path, what,
                  version > DB_SCHEMA ? "a newer ganexp wrote it; it was left as it is"
                                      : other_file);
}

// The file's header: https://sqlite.org/fileformat.html, section 1.3.
static enum db_result check_header(const char *path, enum db_mode mode, const uint8_t *h, size_t n,
                                   int64_t size, struct diag *d)
{
    if (n == 0)
        return refuse(d, path, "is empty", other_file);
    if (n < HEADER || memcmp(h, "SQLite format 3", 16) != 0)
        return refuse(d, path, "is not a database", other_file);
    if (db_big_endian(h + 68) != APPLICATION_ID)
        return refuse(d, path, "is a database of another program", other_file);
    const int64_t page = h[16] << 8 | h[17],
                  bytes = (page == 1 ? 65536 : page) * (int64_t)db_big_endian(h + 28);
    if (size < bytes)
        return refuse(d, path, "is damaged: its end is missing",
                      "restore it from a backup; it was left as it is");
    return check_version(path, mode, db_big_endian(h + 60), d);
}

// Between a commit and the end of a checkpoint of the WAL the file may be shorter than its header
// says: the rest is in the WAL.
static bool has_wal(const char *path)
{
    struct stat st;
    char *wal = NULL;
    const bool has = asprintf(&wal, "%s-wal", path) > 0 && !stat(wal, &st) && st.st_size > 0;
    free(wal);
    return has;
}

// SQLite's locks are fcntl's, and a process loses all that it has on a file when it closes any
// descriptor of it: another process would then take itself for the last one and remove the WAL that
// we write to (https://sqlite.org/howtocorrupt.html, 2.2). So what headers are read through is
// never closed: one descriptor a file. Waits for `guard`.
static int db_descriptor(const char *path, struct stat *st)
{
    static struct {
        dev_t device;
        ino_t inode;
        int fd;
    } kept[16];
    static int n_kept;
    if (stat(path, st))
        return -1;
    for (int i = 0; i < n_kept; i++)
        if (kept[i].device == st->st_dev && kept[i].inode == st->st_ino)
            return kept[i].fd;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, st) || n_kept == (int)LENGTH(kept))
        return fd;
    kept[n_kept].device = st->st_dev;
    kept[n_kept].inode = st->st_ino;
    kept[n_kept++].fd = fd;
    return fd;
}

// Asked of a byte that SQLite never locks; it calls a lack of locks "locked", and waits.
static bool lacks_locks(int fd)
{
    enum { BYTE = 0x40000000 + 1024 };
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = BYTE, .l_len = 1};
    if (fcntl(fd, F_SETLK, &lock))
        return errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
    lock.l_type = F_UNLCK;
    fcntl(fd, F_SETLK, &lock);
    return false;
}

static enum db_result db_check_file(struct db *db, enum db_mode mode, struct diag *d)
{
    static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
    uint8_t header[HEADER];
    struct stat st;
    pthread_mutex_lock(&guard);
    const int fd = db_descriptor(db->path, &st);
    pthread_mutex_unlock(&guard);
    if (fd < 0)
        return unavailable(db, strerror(errno));
    const bool regular = S_ISREG(st.st_mode);
    const ssize_t n = regular ? pread(fd, header, sizeof header, 0) : -1;
    if (!regular)
        return refuse(d, db->path, "is not a file", other_file);
    if (n < 0)
        return unavailable(db, strerror(errno));
    db->lockless = lacks_locks(fd);
    const int64_t size = has_wal(db->path) ? INT64_MAX : st.st_size;
    return check_header(db->path, mode, header, (size_t)n, size, d);
}

static enum db_result connect(struct db *db, const char *name, int flags, int busy_ms)
{
    const int rc = sqlite3_open_v2(name, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return unavailable(db, sqlite_cause(db->handle, rc));
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, db->lockless ? 0 : busy_ms);
    return DB_OK;
}

// Reads something, so that damage and missing rights show now.
static enum db_result db_look(struct db *db, struct diag *d)
{
    const int rc = sqlite3_exec(db->handle,
                                "SELECT count(*) FROM sqlite_master; SELECT 1 FROM run LIMIT 1",
                                NULL, NULL, NULL);
    const int primary = rc & 0xff;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_ERROR)
        return refuse(d, db->path, sqlite3_errmsg(db->handle),
                      "it is damaged and was left as it is: restore it from a backup, or move it "
                      "away, and `ganexp resume DIRECTORY` brings back each run");
    return rc == SQLITE_OK ? DB_OK : unavailable(db, sqlite_cause(db->handle, rc));
}

static enum db_result open_writer(struct db *db, int busy_ms, struct diag *d)
{
    enum db_result result = connect(db, db->path, SQLITE_OPEN_READWRITE, busy_ms);
    if (result == DB_OK)
        result = db_look(db, d);
    if (result != DB_OK)
        return result;
    if (sqlite3_db_readonly(db->handle, "main"))
        return unavailable(db, "it is read-only");
    const int rc = sqlite3_exec(db->handle, "PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL",
                                NULL, NULL, NULL);
    return rc == SQLITE_OK ? DB_OK : unavailable(db, sqlite_cause(db->handle, rc));
}

// In a directory that cannot be written, a WAL database opens only when told that no other process
// writes it.
static enum db_result open_immutable(struct db *db, int busy_ms, struct diag *d)
{
    char *wal = sqlite3_mprintf("%s-wal", db->path),
         *uri = sqlite3_mprintf("file:%s?immutable=1", db->path);
    const bool plain = db_absent(wal) && !strpbrk(db->path, "?#%");
    sqlite3_close(db->handle);
    db->handle = NULL;
    enum db_result result = DB_UNAVAILABLE;
    if (plain)
        result = connect(db, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, busy_ms);
    if (plain && result == DB_OK)
        result = db_look(db, d);
    sqlite3_free(wal);
    sqlite3_free(uri);
    return result;
}

static enum db_result open_reader(struct db *db, int busy_ms, struct diag *d)
{
    enum db_result result = connect(db, db->path, SQLITE_OPEN_READONLY, busy_ms);
    if (result == DB_OK)
        result = db_look(db, d);
    if (result == DB_UNAVAILABLE && access(db->path, R_OK) == 0)
        result = open_immutable(db, busy_ms, d);
    return result;
}

static ino_t log_inode(const char *path)
{
    struct stat st;
    char *wal = NULL;
    const bool found = asprintf(&wal, "%s-wal", path) > 0 && !stat(wal, &st);
    free(wal);
    return found ? st.st_ino : 0;
}

static void remember_file(struct db *db)
{
    struct stat st;
    if (stat(db->path, &st))
        return;
    db->device = st.st_dev;
    db->inode = st.st_ino;
    db->log_inode = log_inode(db->path);
}

bool db_moved(const struct db *db)
{
    struct stat st;
    if (!db->handle || !db->inode)
        return false;
    return stat(db->path, &st)
               ? errno == ENOENT
               : st.st_dev != db->device || st.st_ino != db->inode || !st.st_nlink || !st.st_size;
}

static enum db_result refuse_network(struct db *db, const char *kind)
{
    char why[64];
    snprintf(why, sizeof why, "it is on a network file system, %s", kind);
    return unavailable(db, why);
}

enum db_result db_open(struct db *db, const char *path, enum db_mode mode, int busy_ms,
                       struct diag *d)
{
    *db = (struct db){.path = path};
    const char *network = mode == DB_WRITE ? network_file_system(path) : NULL;
    if (mode != DB_WRITE && db_absent(path))
        return refuse(d, path, "does not exist",
                      "`ganexp run CONFIG` makes it; --db or $GANEXP_DB name another");
    if (network && db_absent(path))
        return refuse_network(db, network);
    if (db_absent(path) && !db_create(path, db->why, sizeof db->why))
        return DB_UNAVAILABLE;
    enum db_result result = db_check_file(db, mode, d);
    if (result == DB_OK && network)
        return refuse_network(db, network);
    if (result == DB_OK && mode == DB_WRITE && db->lockless)
        return unavailable(db, "its file system has no locks");
    if (result == DB_OK)
        result = mode == DB_WRITE ? open_writer(db, busy_ms, d) : open_reader(db, busy_ms, d);
    if (result != DB_OK)
        db_close(db);
    else
        remember_file(db);
    return result;
}

// By its name, which a creator of databases may be giving to a new one: hence the folder's lock.
static void leave_log(const struct db *db)
{
    const int lock = db_lock_folder(db->path);
    if (db->log_inode && log_inode(db->path) == db->log_inode)
        db_set_aside_log(db->path);
    if (lock >= 0)
        close(lock);
}

enum db_result db_reopen(struct db *db, int busy_ms, struct diag *d)
{
    ASSERT(db_moved(db));
    leave_log(db);
    db_close(db);
    return db_open(db, db->path, DB_WRITE, busy_ms, d);
}

static bool copy_rows(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    if (copy)
        sqlite3_backup_step(copy, -1);
    return copy && sqlite3_backup_finish(copy) == SQLITE_OK;
}

bool db_to_memory(struct db *db)
{
    struct db memory = {.path = db->path};
    if (connect(&memory, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0) != DB_OK)
        return cannot(db, memory.why);
    const bool ok = db->handle
                        ? copy_rows(memory.handle, db->handle)
                        : sqlite3_exec(memory.handle, db_schema, NULL, NULL, NULL) == SQLITE_OK;
    if (!ok)
        cannot(db, sqlite3_errmsg(memory.handle));
    db_close(ok ? db : &memory);
    if (ok)
        *db = memory;
    return ok;
}

void db_close(struct db *db)
{
    for (int i = 0; i < db->n_cached; i++)
        sqlite3_finalize(db->cached[i].stmt);
    db->n_cached = 0;
    sqlite3_close(db->handle);
    db->handle = NULL;
}

void db_settle(struct db *db)
{
    if (!db->handle)
        return;
    sqlite3_busy_timeout(db->handle, 0);
    sqlite3_exec(db->handle, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
}

void db_trouble(struct db *db, int rc)
{
    if (db->error)
        return;
    db->error = rc;
    unavailable(db, sqlite_cause(db->handle, rc));
}

void db_exec(struct db *db, const char *sql)
{
    if (db->error)
        return;
    const int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        db_trouble(db, rc);
}

bool db_begin(struct db *db)
{
    ASSERT(db->handle);
    db->error = 0;
    db_exec(db, "BEGIN IMMEDIATE");
    return !db->error;
}

bool db_commit(struct db *db)
{
    db_exec(db, "COMMIT");
    if (db->error && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    return !db->error;
}

sqlite3_stmt *db_prepare(struct db *db, const char *sql)
{
    for (int i = 0; i < db->n_cached; i++)
        if (db->cached[i].sql == sql)
            return db->cached[i].stmt;
    ASSERT(db->n_cached < (int)(sizeof db->cached / sizeof *db->cached));
    sqlite3_stmt *stmt = NULL;
    const int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (rc != SQLITE_OK)
        return db_trouble(db, rc), NULL;
    db->cached[db->n_cached].sql = sql;
    db->cached[db->n_cached++].stmt = stmt;
    return stmt;
}

void db_finish(struct db *db, sqlite3_stmt *stmt)
{
    int rc;
    do
        rc = sqlite3_step(stmt);
    while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE)
        db_trouble(db, rc);
    sqlite3_reset(stmt);
}

static sqlite3_stmt *db_bind(struct db *db, const char *sql, const char *types, va_list ap)
{
    sqlite3_stmt *stmt = db->error ? NULL : db_prepare(db, sql);
    ASSERT(!stmt || (int)strlen(types) == sqlite3_bind_parameter_count(stmt));
    for (int i = 0; stmt && types[i]; i++) {
        ASSERT(strchr("idt", types[i]));
        if (types[i] == 'i')
            sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
        else if (types[i] == 'd')
            sqlite3_bind_double(stmt, i + 1, va_arg(ap, double));
        else
            sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
    }
    return stmt;
}

void db_run(struct db *db, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *stmt = db_bind(db, sql, types, ap);
    va_end(ap);
    if (stmt)
        db_finish(db, stmt);
}

int64_t db_int(struct db *db, int64_t otherwise, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *stmt = db_bind(db, sql, types, ap);
    va_end(ap);
    if (!stmt)
        return otherwise;
    const int rc = sqlite3_step(stmt);
    const int64_t out = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : otherwise;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        db_trouble(db, rc);
    sqlite3_reset(stmt);
    return out;
}
