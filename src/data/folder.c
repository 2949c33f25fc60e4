// A folder gives its names in whatever order the disk has them; sorted, an index means the same
// picture on every machine. The test split is drawn by a hash of each name, so that a picture keeps
// its side when others are added. Every tenth of the sorted names would move most pictures to the
// other side, and a model resumed after new ones came would be tested on what it was trained on.
#include "data/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sha2.h>
#include <sys/stat.h>

#include "base/arena.h"

struct names {
    const char **name;
    int n;
};

static bool is_folder(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static bool folder_is_picture(const char *name)
{
    static const char *const ending[] = {".png", ".jpg", ".jpeg", ".bmp"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < LENGTH(ending); i++)
        if (!strcasecmp(dot, ending[i]))
            return true;
    return false;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// The names in a folder, sorted; its folders or its pictures. False with errno set.
static bool list(struct arena *a, const char *path, bool folders, struct names *out)
{
    DIR *dir = opendir(path);
    *out = (struct names){0};
    if (!dir)
        return false;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        const bool folder = is_folder(arena_printf(a, "%s/%s", path, e->d_name));
        if (folder == folders && (folder || folder_is_picture(e->d_name)))
            APPEND(a, out->name, out->n, arena_strdup(a, e->d_name));
    }
    closedir(dir);
    if (out->n)
        qsort(out->name, (size_t)out->n, sizeof *out->name, by_text);
    return true;
}

static bool fail_listing(struct diag *d, struct place where, const char *path)
{
    return fail(d, where, "the folder '%s' cannot be read: %s\nexpected a folder of pictures", path,
                strerror(errno));
}

// Adds the classes of a folder: its sub-folders with pictures, each name once.
static bool add_classes(struct arena *a, const char *path, struct folder *f, struct place where,
                        struct diag *d)
{
    struct names sub, picture;
    if (!list(a, path, true, &sub))
        return fail_listing(d, where, path);
    for (int i = 0; i < sub.n; i++) {
        const char *inside = arena_printf(a, "%s/%s", path, sub.name[i]);
        bool known = false;
        if (!list(a, inside, false, &picture))
            return fail_listing(d, where, inside);
        for (int k = 0; k < f->classes && !known; k++)
            known = !strcmp(f->class_name[k], sub.name[i]);
        if (picture.n && !known)
            APPEND(a, f->class_name, f->classes, sub.name[i]);
    }
    return true;
}

static bool add_files(struct arena *a, const char *path, const char *class, int label,
                      struct folder *f, struct place where, struct diag *d)
{
    struct names picture;
    const char *dir = class ? arena_printf(a, "%s/%s", path, class) : path;
    if (class && !is_folder(dir))
        return true; // a class that only the other split has
    if (!list(a, dir, false, &picture))
        return fail_listing(d, where, dir);
    if (!class && f->classes && picture.n)
        return fail(d, where,
                    "'%s' has pictures both beside and in sub-folders ('%s', '%s/')\n"
                    "expected one or the other: sub-folders are classes",
                    path, picture.name[0], f->class_name[0]);
    for (int i = 0; i < picture.n && (class || !f->classes); i++) {
        const struct picture_file file = {
            arena_printf(a, "%s/%s", dir, picture.name[i]),
            class ? arena_printf(a, "%s/%s", class, picture.name[i]) : picture.name[i], label};
        APPEND(a, f->file, f->n, file);
    }
    return true;
}

// u = the first 64 bits of SHA-256(name) / 2^64; the test split has u < test
static bool is_test(const char *name, double test)
{
    uint8_t sha[SHA256_DIGEST_LENGTH];
    SHA2_CTX c;
    double u = 0;
    SHA256Init(&c);
    SHA256Update(&c, (const uint8_t *)name, strlen(name));
    SHA256Final(sha, &c);
    for (int i = 7; i >= 0; i--)
        u = (u + sha[i]) / 256;
    return u < test;
}

static void keep_split(struct folder *f, enum split split, double test)
{
    int n = 0;
    for (int i = 0; i < f->n; i++)
        if (is_test(f->file[i].name, test) == (split == SPLIT_TEST))
            f->file[n++] = f->file[i];
    f->n = n;
}

bool folder_list(struct arena *a, const char *path, enum split split, double test,
                 struct folder *out, struct place where, struct diag *d)
{
    static const char *const splits[] = {[SPLIT_TRAIN] = "train", [SPLIT_TEST] = "test"};
    const char *half[] = {arena_printf(a, "%s/train", path), arena_printf(a, "%s/test", path)};
    const bool own = is_folder(half[0]) && is_folder(half[1]);
    const char *base = own ? half[split] : path;
    *out = (struct folder){0};
    if (!(own ? add_classes(a, half[0], out, where, d) && add_classes(a, half[1], out, where, d)
              : add_classes(a, path, out, where, d)))
        return false;
    if (out->classes)
        qsort(out->class_name, (size_t)out->classes, sizeof *out->class_name, by_text);
    bool good = add_files(a, base, NULL, 0, out, where, d);
    for (int k = 0; k < out->classes; k++)
        good = good && add_files(a, base, out->class_name[k], k, out, where, d);
    const int all = out->n;
    if (good && !own)
        keep_split(out, split, test);
    if (good && !out->n)
        return fail(
            d, where,
            "'%s' has %s\nexpected .png, .jpg, .jpeg or .bmp files, in one "
            "sub-folder a class or all beside each other",
            base,
            all ? arena_printf(a, "%d pictures, none of them in the %s split", all, splits[split])
                : "no pictures");
    return good;
}
