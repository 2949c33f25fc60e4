// A name decides: temporaries end in random letters that no person types (base/file.h), and in
// a pid where an older ganexp made them. Of folders the run's lock decides, since one that is starting
// has no row for a moment.
#include "store/leftovers.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_create.h"
#include "store/reader.h"
#include "store/run_folders.h"

struct leftover_list {
    struct arena *arena;
    struct leftover *item;
    int n;
};

static _Thread_local int64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)path, (void)at;
    if (type == FTW_F)
        tree_bytes += st->st_size;
    return 0;
}

static int64_t bytes_of(const char *path)
{
    tree_bytes = 0;
    nftw(path, add_bytes, 16, FTW_PHYS);
    return tree_bytes;
}

static void leftover_add(struct leftover_list *l, const char *path, const char *what, bool folder,
                         bool records)
{
    const struct leftover x = {path, what, bytes_of(path), folder, records};
    APPEND(l->arena, l->item, l->n, x);
}

// "NAME.994b2528282c684cb917ea95b2d24b79.tmp", "NAME.4711.tmp", "NAME.4711.3.tmp", and with what
// SQLite appends.
static bool is_temporary(const char *name)
{
    const char *end = strstr(name, ".tmp");
    if (!end || (end[4] && strcmp(end + 4, "-wal") && strcmp(end + 4, "-shm") &&
                 strcmp(end + 4, "-journal")))
        return false;
    const char *begin = end;
    while (begin > name && strchr("0123456789abcdef", begin[-1]))
        begin--;
    const size_t n = (size_t)(end - begin);
    return begin > name && begin[-1] == '.' &&
           (n == 32 || (n > 0 && strspn(begin, "0123456789") == n));
}

// Of a folder; `stem`: only names that begin so.
static void add_temporaries(struct leftover_list *l, const char *folder, const char *stem,
                            const char *what)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (!strncmp(e->d_name, stem, strlen(stem)) && is_temporary(e->d_name))
            leftover_add(l, path_join(l->arena, folder, e->d_name), what, false, false);
    if (d)
        closedir(d);
}

static void add_inside(struct leftover_list *l, const char *dir)
{
    static const char *const sub[] = {"", "/checkpoints", "/samples"};
    struct stat st;
    if (rundir_alive(dir))
        return;
    for (size_t i = 0; i < LENGTH(sub); i++)
        add_temporaries(l, arena_printf(l->arena, "%s%s", dir, sub[i]), "",
                        "a file that a killed process had not finished");
    const char *past = arena_printf(l->arena, "%s/past", dir);
    if (!lstat(past, &st) && S_ISREG(st.st_mode))
        leftover_add(l, past, "weights of before, of a process that was killed", false, false);
}

static void add_all_inside(struct leftover_list *l, const char *runs)
{
    struct stat st;
    DIR *d = opendir(runs);
    for (struct dirent *e; d && (e = readdir(d));) {
        const char *dir = path_join(l->arena, runs, e->d_name);
        if (e->d_name[0] != '.' && !lstat(dir, &st) && S_ISDIR(st.st_mode))
            add_inside(l, dir);
    }
    if (d)
        closedir(d);
}

// A process that was killed left its run saying that it runs.
static void add_inside_lost(struct leftover_list *l, struct reader *r)
{
    sqlite3_stmt *stmt = db_prepare(&r->db, "SELECT dir FROM run WHERE status='running'");
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        add_inside(l, path_join(l->arena, r->home, column_text(l->arena, stmt, 0)));
    if (stmt)
        sqlite3_reset(stmt);
}

struct leftover *leftovers(struct reader *r, bool deep, int *n)
{
    struct leftover_list l = {.arena = r->arena};
    const char *runs = path_join(r->arena, r->home, "runs"), *slash = strrchr(r->db.path, '/');
    add_temporaries(&l, r->home, slash ? slash + 1 : r->db.path,
                    "of a database that was not finished, or is gone");
    int n_folder;
    const struct run_folder *f = run_folders_unstored(r->arena, &r->db, runs, &n_folder);
    for (int i = 0; i < n_folder; i++) {
        if (rundir_alive(f[i].dir))
            continue;
        if (f[i].state == FOLDER_BARE)
            leftover_add(&l, f[i].dir, "a run that never began", true, false);
        else if (f[i].state == FOLDER_LOST)
            leftover_add(&l, f[i].dir, "a run without a row; `ganexp resume` brings it back", true,
                         true);
    }
    if (deep)
        add_all_inside(&l, runs);
    else
        add_inside_lost(&l, r);
    *n = l.n;
    return l.item;
}

bool leftovers_are_certain(struct reader *r) { return !db_absent(r->db.path); }

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static bool remove_folder(const char *dir)
{
    const int lock = rundir_lock(dir);
    if (lock < 0)
        return errno = EBUSY, false;
    const bool ok = !nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    const int why = errno;
    close(lock);
    errno = why;
    return ok;
}

// A creator of databases has its temporary only while it holds the folder.
static bool remove_file(const char *path)
{
    const int lock = db_lock_folder(path);
    const bool ok = !unlink(path) || errno == ENOENT;
    const int why = errno;
    if (lock >= 0)
        close(lock);
    errno = why;
    return ok;
}

bool leftover_remove(const struct leftover *l)
{
    return l->folder ? remove_folder(l->path) : remove_file(l->path);
}
