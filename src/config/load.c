// A config is its file laid over what it extends, and the command line laid over that. Each file is
// read into a source of its own, kept as long as the tree, so that any later stage can draw any
// line of any of them. Textual inclusion was the simpler idea; it loses both places and the order
// of merging.
#include "config/node.h"

#include "base/arena.h"
#include "base/text.h"
#include "config/tree.h"
#include "config/yaml.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHAIN_MAX = 16, FILES_MAX = 256 };

// A file being read, and the ones that extend it.
struct extends_chain {
    const struct extends_chain *up;
    const char *path, *real;
    int depth;
};

struct config_reader {
    struct arena *arena;
    struct diag *diag;
    int files;
};

static bool is_file(const char *path)
{
    struct stat s;
    return !stat(path, &s) && !S_ISDIR(s.st_mode);
}

static const char *directory(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? arena_strndup(a, path, (size_t)(slash - path) + 1) : "";
}

static char *stem(struct arena *a, const char *name)
{
    const char *end = strstr(name, ".yaml");
    return arena_strndup(a, name, end ? (size_t)(end - name) : strlen(name));
}

// The file of a directory whose name is nearest, for the message.
static const char *nearest_file(struct arena *a, const char *path)
{
    const char *in = directory(a, path);
    DIR *dir = opendir(*in ? in : ".");
    const char **name = NULL;
    size_t n = 0;
    for (struct dirent *e; dir && n < 1000 && (e = readdir(dir));)
        if (strstr(e->d_name, ".yaml"))
            APPEND(a, name, n, stem(a, e->d_name));
    if (dir)
        closedir(dir);
    const char *near = nearest_word(stem(a, path + strlen(in)), name, n);
    return near ? arena_printf(a, "%s%s.yaml", in, near) : NULL;
}

static bool fail_open(struct config_reader *l, const char *path, struct place where, int error)
{
    const char *near = error == ENOENT ? nearest_file(l->arena, path) : NULL;
    return fail(l->diag, where, "cannot read '%s': %s%s%s%s", path, strerror(error),
                near ? "\ndid you mean '" : "", near ? near : "", near ? "'?" : "");
}

// The text of a file; one byte more than allowed where it is longer. NULL with errno set.
static char *slurp(struct arena *a, const char *path, size_t *length)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char part[4096];
    struct text text;
    size_t n;
    text_init(&text);
    while (text.n <= BYTES_MAX && (n = fread(part, 1, sizeof part, f)))
        text_add_n(&text, part, n);
    const int error = ferror(f) ? errno : 0;
    fclose(f);
    *length = text.n;
    char *copy = arena_alloc(a, *length + 1);
    memcpy(copy, text.s, *length);
    text_release(&text);
    errno = error;
    return error ? NULL : copy;
}

static struct node *read_config_file(struct config_reader *l, const char *path, struct place where)
{
    struct source *source = NEW(l->arena, struct source);
    size_t length = 0;
    *source = (struct source){path, slurp(l->arena, path, &length)};
    if (!source->text) {
        fail_open(l, path, where, errno);
        return NULL;
    }
    return text_check(source, length, l->diag) ? yaml_parse(l->arena, source, 0, l->diag) : NULL;
}

static bool check_root(struct config_reader *l, const struct node *root)
{
    const struct place file = {root->where.source, 0, 0, 0};
    if (root->kind == NODE_NULL)
        return fail(l->diag, file,
                    "this file is empty\nexpected sections such as 'networks:' and "
                    "'train:'");
    return root->kind == NODE_MAP ||
           fail(l->diag, root->where,
                "this is no map\nexpected sections such as 'networks:' and "
                "'train:'");
}

// --- extends -------------------------------------------------------------------------------------

static struct node *resolve(struct config_reader *l, const struct node *root,
                            const struct extends_chain *self);

// a/b/../c is a/c: for messages; a link b would make it another file, so only one that exists is
// taken.
static const char *shorter(struct arena *a, const char *path)
{
    const char *up = strstr(path, "/../");
    if (!up)
        return path;
    const char *begin = up;
    while (begin > path && begin[-1] != '/')
        begin--;
    const size_t n = (size_t)(up - begin);
    if (!n || (n == 2 && !strncmp(begin, "..", 2)))
        return path;
    const char *cut = arena_printf(a, "%.*s%s", (int)(begin - path), path, up + 4);
    return is_file(cut) ? shorter(a, cut) : path;
}

// NAME, or NAME.yaml, relative to the file that says so.
static const char *extended_path(struct arena *a, const char *name,
                                 const struct extends_chain *self)
{
    const char *in = *name == '/' ? "" : directory(a, self->path);
    const char *exact = arena_printf(a, "%s%s", in, name);
    const char *longer = arena_printf(a, "%s.yaml", exact);
    return shorter(a, !is_file(exact) && is_file(longer) ? longer : exact);
}

static bool same_file(const struct extends_chain *link, const char *path, const char *real)
{
    return !strcmp(link->path, path) || (real && link->real && !strcmp(link->real, real));
}

static bool check_chain(struct config_reader *l, const char *path, const char *real,
                        const struct extends_chain *self, struct place where)
{
    for (const struct extends_chain *c = self; c; c = c->up) {
        if (!same_file(c, path, real))
            continue;
        const char *way = path;
        for (const struct extends_chain *e = self; e != c->up; e = e->up)
            way = arena_printf(l->arena, "%s → %s", e->path, way);
        return fail(l->diag, where, "'extends' goes in a circle\n%s", way);
    }
    if (self->depth >= CHAIN_MAX)
        return fail(l->diag, where, "'extends' is more than %d files deep", CHAIN_MAX);
    if (++l->files > FILES_MAX)
        return fail(l->diag, where, "'extends' reads more than %d files", FILES_MAX);
    return true;
}

static struct node *load_extended(struct config_reader *l, const struct node *name,
                                  const struct extends_chain *self)
{
    if (name->kind != NODE_SCALAR || !*name->text) {
        fail(l->diag, name->where,
             "this is no file to extend\nexpected a path, relative to this "
             "file, or a list of paths");
        return NULL;
    }
    const char *path = extended_path(l->arena, name->text, self);
    char *allocated = realpath(path, NULL);
    const char *real = allocated ? arena_strdup(l->arena, allocated) : NULL;
    free(allocated);
    if (!check_chain(l, path, real, self, name->where))
        return NULL;
    const struct node *root = read_config_file(l, path, name->where);
    const struct extends_chain link = {self, path, real, self->depth + 1};
    return root && check_root(l, root) ? resolve(l, root, &link) : NULL;
}

static struct node *without(struct arena *a, const struct node *map, const char *key)
{
    struct node *copy = node_new(a, NODE_MAP, map->where);
    for (int i = 0; i < map->n; i++)
        if (strcmp(map->entry[i].key, key))
            node_append(a, copy, map->entry[i].key, map->entry[i].where, map->entry[i].value);
    return copy;
}

// A file's tree on top of what it extends, left to right.
static struct node *resolve(struct config_reader *l, const struct node *root,
                            const struct extends_chain *self)
{
    const struct node *extends = node_get(root, "extends");
    const bool several = extends && extends->kind == NODE_LIST;
    struct node *base = NULL;
    bool good = true;
    for (int i = 0; extends && i < (several ? extends->n : 1); i++) {
        const struct node *name = several ? extends->entry[i].value : extends;
        const struct node *next = load_extended(l, name, self);
        good &= next != NULL;
        if (next)
            base = node_merge(l->arena, base, next, NULL, l->diag);
    }
    struct node *merged = node_merge(l->arena, base, without(l->arena, root, "extends"), NULL,
                                     l->diag);
    return good ? merged : NULL;
}

// --- the command line ----------------------------------------------------------------------------

static struct node *apply_overrides(struct config_reader *l, struct node *root,
                                    const char *const *override, int n)
{
    bool good = true;
    for (int i = 0; i < n; i++) {
        struct source *source = NEW(l->arena, struct source);
        *source = (struct source){"command line", arena_strdup(l->arena, override[i])};
        struct node *next = text_check(source, strlen(source->text), l->diag)
                                ? node_override(l->arena, root, source, l->diag)
                                : NULL;
        good &= next != NULL;
        root = next ? next : root;
    }
    return good ? root : NULL;
}

static struct config *finish_config(struct config_reader *l, const struct node *parsed,
                                    const char *path, const char *const *override, int n)
{
    const int errors = diag_errors(l->diag);
    if (!parsed || !check_root(l, parsed))
        return NULL;
    char *real = realpath(path, NULL);
    const struct extends_chain self = {NULL, path, real, 0};
    struct node *root = resolve(l, parsed, &self);
    free(real);
    root = root ? apply_overrides(l, root, override, n) : NULL;
    if (!root || diag_errors(l->diag) > errors)
        return NULL;
    struct config *c = NEW(l->arena, struct config);
    *c = (struct config){root, arena_strdup(l->arena, path)};
    return c;
}

struct config *config_load(struct arena *a, const char *path, const char *const *override, int n,
                           struct diag *d)
{
    struct config_reader l = {a, d, 0};
    path = arena_strdup(a, path);
    return finish_config(&l, read_config_file(&l, path, (struct place){0}), path, override, n);
}

struct config *config_parse(struct arena *a, const char *name, const char *text,
                            const char *const *override, int n, struct diag *d)
{
    struct config_reader l = {a, d, 0};
    struct source *source = NEW(a, struct source);
    *source = (struct source){arena_strdup(a, name), arena_strdup(a, text)};
    return finish_config(&l, node_parse(a, source, d), source->name, override, n);
}
