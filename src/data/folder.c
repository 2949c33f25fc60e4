// A folder gives its names in whatever order the disk has them; sorted, an index means the same
// picture on every machine. The test split is drawn by a hash of each name, so that a picture keeps
// its side when others are added. Every tenth of the sorted names would move most pictures to the
// other side, and a model resumed after new ones came would be tested on what it was trained on.
//
// People's folders say in their names what they are for. Taken for classes, train/ and val/ would be
// two of them, and what is to be held out would be trained on.
#include "data/folder.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sha2.h>

#include "base/arena.h"
#include "base/hash_map.h"
#include "base/text.h"
#include "data/walk.h"

enum { NEITHER = -1, NAMED_ENDINGS = 4 };

// A sub-folder with pictures, and what its name says. Its pictures stand together in the sorted list.
struct top {
    const char *name;
    int from, n; // of walked.picture
    int side;    // a split, or NEITHER
    int rank;    // of two that are the test split, the lower is taken
    char domain; // 'a'; 0: none
    bool read;
};

struct listing {
    struct arena *arena;
    const struct folder_wish *wish;
    struct walked all;
    struct top *top;
    int n_top, flat; // flat: pictures in no sub-folder
    struct place where;
    struct diag *diag;
};

// A stretch of the pictures whose names begin with `prefix` bytes that are no part of them.
struct stretch {
    int from, n;
    size_t prefix;
};

// --- what names say ------------------------------------------------------------------------------

static const struct split_word {
    const char *word;
    int side, rank;
} split_word[] = {
    {"training", SPLIT_TRAIN, 0},  {"train", SPLIT_TRAIN, 0}, {"trn", SPLIT_TRAIN, 0},
    {"testing", SPLIT_TEST, 0},    {"test", SPLIT_TEST, 0},   {"tst", SPLIT_TEST, 0},
    {"validation", SPLIT_TEST, 1}, {"valid", SPLIT_TEST, 1},  {"val", SPLIT_TEST, 1},
    {"dev", SPLIT_TEST, 2},        {"eval", SPLIT_TEST, 2},
};

// The letter that ends "trainA", "train_b", after the word; 0 where nothing follows, or what says
// nothing, as in "training_set" and "val2017"; −1 for anything else.
static int domain_letter(const char *rest)
{
    static const char *const nothing[] = {"set", "images", "imgs", "data", "split"};
    if (*rest && strchr("_- .", *rest))
        rest++;
    for (size_t i = 0; i < LENGTH(nothing); i++)
        if (!strcasecmp(rest, nothing[i]))
            return 0;
    if (strlen(rest) == 4 && strspn(rest, "0123456789") == 4)
        return 0;
    const int c = tolower((unsigned char)*rest);
    return !c ? 0 : c >= 'a' && c <= 'd' && !rest[1] ? c : -1;
}

static void read_name(struct top *t, const struct folder_wish *wish)
{
    t->side = NEITHER;
    for (size_t i = 0; i < LENGTH(split_word); i++) {
        const size_t n = strlen(split_word[i].word);
        const int domain = strncasecmp(t->name, split_word[i].word, n) ? -1
                                                                       : domain_letter(t->name + n);
        if (domain < 0)
            continue;
        t->side = split_word[i].side;
        t->rank = split_word[i].rank + 1;
        t->domain = (char)domain;
        break;
    }
    if (t->side == NEITHER && wish->domain && domain_letter(t->name) > 0) {
        t->side = SPLIT_TRAIN; // A/ and B/, which are classes unless a domain is asked for
        t->domain = (char)domain_letter(t->name);
    }
    if (wish->test_folder && !strcasecmp(t->name, wish->test_folder)) {
        t->side = SPLIT_TEST;
        t->rank = 0;
    }
}

static void find_tops(struct listing *l)
{
    for (int i = 0; i < l->all.n; i++) {
        const char *name = l->all.picture[i], *slash = strchr(name, '/');
        struct top *last = l->n_top ? &l->top[l->n_top - 1] : NULL;
        const size_t length = slash ? (size_t)(slash - name) : 0;
        l->flat += !slash;
        if (slash && (!last || strlen(last->name) != length || memcmp(last->name, name, length))) {
            struct top new = {.name = arena_strndup(l->arena, name, length), .from = i};
            read_name(&new, l->wish);
            APPEND(l->arena, l->top, l->n_top, new);
            last = &l->top[l->n_top - 1];
        }
        if (slash)
            last->n++;
    }
}

// Whether the sub-folders are splits: all of them, or some of both sides or of two domains. Among
// others, `train` alone is a vehicle.
static bool tops_are_splits(const struct listing *l)
{
    int n[2] = {0}, other = 0, domains = 0;
    for (int i = 0; i < l->n_top; i++) {
        const struct top *t = &l->top[i];
        t->side == NEITHER ? other++ : n[t->side]++;
        domains |= t->domain ? 1 << (t->domain - 'a') : 0;
    }
    return (n[SPLIT_TRAIN] || n[SPLIT_TEST]) &&
           (!other || (n[SPLIT_TRAIN] && n[SPLIT_TEST]) || (domains & (domains - 1)));
}

// --- choosing ------------------------------------------------------------------------------------

static bool fail_domain(const struct listing *l)
{
    struct text found;
    text_init(&found);
    for (int i = 0; i < l->n_top; i++)
        if (l->top[i].side != NEITHER)
            text_addf(&found, "%s%s %d", found.n ? ", " : "", l->top[i].name, l->top[i].n);
    if (l->wish->domain)
        fail(l->diag, l->where, "'%s' has no domain '%s'\nit has %s", l->wish->path,
             l->wish->domain, found.s);
    else
        fail(l->diag, l->where,
             "'%s' has pictures of several domains: %s\nexpected `domain: a` or another letter, "
             "and a source for each",
             l->wish->path, found.s);
    text_release(&found);
    return false;
}

// The letter wanted, or the only one there is; 0 where there are none.
static bool choose_domain(const struct listing *l, char *domain)
{
    const char *said = l->wish->domain;
    const int wanted = said ? domain_letter(said) : 0;
    bool found = false;
    *domain = (char)wanted;
    for (int i = 0; i < l->n_top; i++) {
        const struct top *t = &l->top[i];
        if (t->side == NEITHER || !t->domain)
            continue;
        if (!said && *domain && t->domain != *domain)
            return fail_domain(l);
        *domain = said ? *domain : t->domain;
        found |= t->domain == wanted;
    }
    return !said || found || fail_domain(l);
}

// The folder of a side in the domain; NULL where there is none.
static struct top *choose_top(const struct listing *l, int side, char domain)
{
    struct top *best = NULL;
    for (int i = 0; i < l->n_top; i++) {
        struct top *t = &l->top[i];
        if (t->side == side && t->domain == domain && (!best || t->rank < best->rank))
            best = t;
    }
    if (best)
        best->read = true;
    return best;
}

static struct stretch stretch_of(const struct top *t)
{
    return t ? (struct stretch){t->from, t->n, strlen(t->name) + 1} : (struct stretch){0};
}

// --- classes -------------------------------------------------------------------------------------

// Numbers in names count as numbers: 2 before 10.
static int natural(const char *a, const char *b)
{
    const char *p = a, *q = b;
    while (*p && *q) {
        if (isdigit((unsigned char)*p) && isdigit((unsigned char)*q)) {
            p += strspn(p, "0"), q += strspn(q, "0");
            const size_t n = strspn(p, "0123456789"), m = strspn(q, "0123456789");
            const int order = n != m ? (n > m) - (n < m) : strncmp(p, q, n);
            if (order)
                return order;
            p += n, q += m;
        } else if (*p != *q) {
            break;
        } else {
            p++, q++;
        }
    }
    const int order = (unsigned char)*p - (unsigned char)*q;
    return order ? order : strcmp(a, b);
}

static int by_nature(const void *a, const void *b)
{
    return natural(*(const char *const *)a, *(const char *const *)b);
}

static const char *class_of(const struct listing *l, const struct stretch *s, int i)
{
    const char *name = l->all.picture[s->from + i] + s->prefix, *slash = strchr(name, '/');
    return slash ? arena_strndup(l->arena, name, (size_t)(slash - name)) : NULL;
}

// Adds the names of classes that are new.
static void add_classes(const struct listing *l, const struct stretch *s, struct hash_map *known,
                        struct folder *f)
{
    for (int i = 0; i < s->n; i++) {
        const char *class = class_of(l, s, i);
        if (!class || hash_map_get(known, class))
            continue;
        hash_map_set(known, class, f);
        APPEND(l->arena, f->class_name, f->classes, class);
    }
}

// By number from 1 on.
static void number_classes(struct hash_map *known, struct folder *f)
{
    if (f->classes)
        qsort(f->class_name, (size_t)f->classes, sizeof *f->class_name, by_nature);
    for (int k = 0; k < f->classes; k++)
        hash_map_set(known, f->class_name[k], (void *)(intptr_t)(k + 1));
}

// --- files ---------------------------------------------------------------------------------------

static bool fail_mixed(const struct listing *l, const struct folder *f, const char *flat)
{
    return fail(l->diag, l->where,
                "'%s' has pictures both beside and in sub-folders ('%s', '%s/')\n"
                "expected one or the other: sub-folders are classes",
                l->wish->path, flat, f->class_name[0]);
}

static bool add_files(const struct listing *l, const struct stretch *s,
                      const struct hash_map *classes, struct folder *f)
{
    for (int i = 0; i < s->n; i++) {
        const char *whole = l->all.picture[s->from + i], *class = class_of(l, s, i);
        if (f->classes && !class)
            return fail_mixed(l, f, whole);
        const struct picture_file file = {
            arena_printf(l->arena, "%s/%s", l->wish->path, whole), whole + s->prefix,
            class ? (int)(intptr_t)hash_map_get(classes, class) - 1 : 0};
        APPEND(l->arena, f->file, f->n, file);
    }
    return true;
}

// Stable: within a class by name, as they come.
static void sort_by_class(struct arena *a, struct folder *f)
{
    int *at = NEW_ARRAY(a, int, f->classes + 1);
    struct picture_file *sorted = NEW_ARRAY(a, struct picture_file, f->n + 1);
    for (int i = 0; i < f->n && f->classes; i++)
        at[f->file[i].label + 1]++;
    for (int k = 1; k < f->classes; k++)
        at[k] += at[k - 1];
    for (int i = 0; i < f->n && f->classes; i++)
        sorted[at[f->file[i].label]++] = f->file[i];
    f->file = f->classes ? sorted : f->file;
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

// How many there are on the other side is returned.
static int keep_split(struct folder *f, enum split split, double test)
{
    int n = 0;
    for (int i = 0; i < f->n; i++)
        if (is_test(f->file[i].name, test) == (split == SPLIT_TEST))
            f->file[n++] = f->file[i];
    const int left_out = f->n - n;
    f->n = n;
    return left_out;
}

// --- what is said --------------------------------------------------------------------------------

static void say_unread(const struct listing *l, bool splits, struct text *out)
{
    struct text list;
    int n = splits ? l->flat : 0;
    text_init(&list);
    for (int i = 0; splits && i < l->n_top; i++)
        if (!l->top[i].read) {
            text_addf(&list, "%s%s %d", list.n ? ", " : "", l->top[i].name, l->top[i].n);
            n += l->top[i].n;
        }
    if (splits && l->flat)
        text_addf(&list, "%sbeside the folders %d", list.n ? ", " : "", l->flat);
    if (n)
        text_addf(out, "%d picture%s not read (%s)", n, n == 1 ? "" : "s", list.s);
    text_release(&list);
}

static void say_others(const struct walked *w, struct text *out)
{
    int n = 0;
    for (int i = 0; i < w->n_other; i++)
        n += w->other[i].n;
    if (!n)
        return;
    text_addf(out, "%s%d other file%s not read (", out->n ? "; " : "", n, n == 1 ? "" : "s");
    for (int i = 0; i < w->n_other && i < NAMED_ENDINGS; i++)
        text_addf(out, "%s%s %d", i ? ", " : "",
                  *w->other[i].ending ? w->other[i].ending : "without an ending", w->other[i].n);
    text_add(out, w->n_other > NAMED_ENDINGS ? ", …)" : ")");
}

static void say_nested(const struct listing *l, const struct stretch side[2], struct text *out)
{
    int n = 0;
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < side[k].n; i++) {
            const char *name = l->all.picture[side[k].from + i] + side[k].prefix;
            const char *slash = strchr(name, '/');
            n += slash && strchr(slash + 1, '/');
        }
    if (n)
        text_addf(out, "%s%d of them in folders below their class's", out->n ? "; " : "", n);
}

static const char *say_beside(const struct listing *l, bool splits, const struct stretch side[2])
{
    struct text t;
    text_init(&t);
    say_unread(l, splits, &t);
    say_nested(l, side, &t);
    say_others(&l->all, &t);
    const char *kept = t.n ? arena_strdup(l->arena, t.s) : NULL;
    text_release(&t);
    return kept;
}

static bool fail_nothing(const struct listing *l, const struct folder *f, int left_out)
{
    static const char *const splits[] = {[SPLIT_TRAIN] = "train", [SPLIT_TEST] = "test"};
    const char *beside = f->beside ? arena_printf(l->arena, "; there are %s", f->beside) : "";
    return fail(l->diag, l->where,
                "'%s' has %s%s\nexpected .png, .jpg, .jpeg, .bmp or .webp files, in one "
                "sub-folder a class or all beside each other",
                l->wish->path,
                left_out ? arena_printf(l->arena, "%d pictures, none of them in the %s split",
                                        left_out, splits[l->wish->split])
                         : "no pictures",
                beside);
}

// --- the whole -----------------------------------------------------------------------------------

// The two sides, and what they are called; side[SPLIT_TEST] is empty where a hash draws it.
static bool choose_sides(struct listing *l, struct stretch side[2], bool *splits,
                         const struct top *top[2])
{
    char domain = 0;
    *splits = tops_are_splits(l);
    top[0] = top[1] = NULL;
    side[SPLIT_TRAIN] = (struct stretch){0, l->all.n, 0};
    side[SPLIT_TEST] = (struct stretch){0};
    if ((*splits || l->wish->domain) && !choose_domain(l, &domain))
        return false;
    if (*splits)
        for (int k = 0; k < 2; k++) {
            top[k] = choose_top(l, k, domain);
            side[k] = stretch_of(top[k]);
        }
    if (l->wish->test_folder && (!top[SPLIT_TEST] || top[SPLIT_TEST]->rank))
        return fail(l->diag, l->where,
                    "'%s' has no pictures in a folder '%s' beside those of training\nexpected "
                    "`test_folder:` with the name of such a folder",
                    l->wish->path, l->wish->test_folder);
    return true;
}

static bool take_files(struct listing *l, const struct stretch side[2], bool own, bool splits,
                       const struct top *const top[2], struct folder *f)
{
    struct hash_map classes;
    const enum split split = l->wish->split;
    hash_map_init(&classes, l->arena);
    add_classes(l, &side[0], &classes, f);
    add_classes(l, &side[1], &classes, f);
    number_classes(&classes, f);
    if (!add_files(l, &side[own ? split : SPLIT_TRAIN], &classes, f))
        return false;
    sort_by_class(l->arena, f);
    f->found = own ? side[0].n + side[1].n : f->n;
    const int left_out = own ? 0 : keep_split(f, split, l->wish->test);
    const int n[2] = {own     ? side[0].n
                      : split ? left_out
                              : f->n,
                      own     ? side[1].n
                      : split ? f->n
                              : left_out};
    f->parts = arena_printf(l->arena, "%s %d, %s %d", top[0] ? top[0]->name : "train", n[0],
                            top[1] ? top[1]->name : "test", n[1]);
    f->beside = say_beside(l, splits, side);
    return f->n || fail_nothing(l, f, n[!split]);
}

bool folder_list(struct arena *a, const struct folder_wish *wish, struct folder *out,
                 struct place where, struct diag *d)
{
    struct listing l = {.arena = a, .wish = wish, .where = where, .diag = d};
    struct stretch side[2];
    const struct top *top[2];
    const char *path = wish->path;
    bool splits;
    *out = (struct folder){0};
    if (!walk(a, &path, &l.all))
        return fail(d, where, "the folder '%s' cannot be read: %s\nexpected a folder of pictures",
                    path, strerror(errno));
    find_tops(&l);
    return choose_sides(&l, side, &splits, top) &&
           take_files(&l, side, side[SPLIT_TEST].n > 0, splits, top, out);
}
