// CIFAR-10 (Krizhevsky 2009) in its binary form: records of a label and three planes of 32 × 32.
// `classes:` keeps some of the classes; their labels stay what they are in the files, so that a
// label means the same in every experiment and a classifier trained on all ten can evaluator. Numbering
// the kept ones afresh fails there: 0 would be a cat in one run and an airplane in another.
#include <stdlib.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "data/dataset.h"
#include "base/file.h"
#include "data/locate.h"
#include "data/pixels.h"

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, RECORD = 1 + PIXELS, CLASSES = 10 };

static const char *const batch[][6] = {
    [SPLIT_TRAIN] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                     "data_batch_5.bin", NULL},
    [SPLIT_TEST] = {"test_batch.bin", NULL},
};
static const char *const wanted[] = {
    [SPLIT_TRAIN] = "data_batch_1.bin to data_batch_5.bin",
    [SPLIT_TEST] = "test_batch.bin",
};

static const char *const class_name[] = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
};

struct cifar_params {
    const char *path;
    struct node *classes;
};

struct cifar {
    const uint8_t **record; // of the classes kept, each RECORD bytes: label, then (C, H, W)
    size_t n;
    bool keep[CLASSES];
    SHA2_CTX sha;
};

static bool keep_class(struct cifar *c, const struct node *node, struct diag *d)
{
    char *rest = NULL;
    const char *word = node->kind == NODE_SCALAR ? node->text : "";
    const long number = strtol(word, &rest, 10);
    if (*word && !*rest && number >= 0 && number < CLASSES)
        return c->keep[number] = true;
    for (int i = 0; i < CLASSES; i++)
        if (!strcmp(word, class_name[i]))
            return c->keep[i] = true;
    if (node->kind == NODE_SCALAR && (!*word || *rest))
        return fail_unknown(d, node->where, "class", word, class_name, CLASSES);
    return fail(d, node->where, "no class of cifar10\nexpected a class's name or number 0 to 9");
}

// `classes: cat`, `classes: [cat, 5]`; all where nothing is said.
static bool read_classes(struct cifar *c, const struct node *node, struct diag *d)
{
    for (int i = 0; i < CLASSES; i++)
        c->keep[i] = !node;
    if (!node)
        return true;
    if (node->kind != NODE_LIST)
        return keep_class(c, node, d);
    bool good = node->n > 0 ||
                fail(d, node->where, "an empty list of classes\nexpected at least one");
    for (int i = 0; i < node->n; i++)
        good &= keep_class(c, node->entry[i].value, d);
    return good;
}

static bool take_records(struct arena *a, struct cifar *c, struct bytes file, const char **why)
{
    if (file.n % RECORD) {
        *why = arena_printf(a, "is cut short: its %zu bytes are no whole number of records of %d",
                            file.n, RECORD);
        return false;
    }
    for (const uint8_t *p = file.byte; p < file.byte + file.n; p += RECORD) {
        if (*p >= CLASSES) {
            *why = arena_printf(a, "gives record %zu the label %d",
                                (size_t)(p - file.byte) / RECORD, *p);
            return false;
        }
        if (c->keep[*p])
            APPEND(a, c->record, c->n, p);
    }
    SHA256Update(&c->sha, file.byte, file.n);
    return true;
}

// One file, looked for as it is and in the folder that the archive unpacks to; counted if found.
static bool read_batch(struct arena *a, struct cifar *c, const struct places *p, const char *name,
                       int *found, struct place where, struct diag *d)
{
    const char *names[] = {name, arena_printf(a, "cifar-10-batches-bin/%s", name), NULL};
    const char *path = data_find(a, p, names), *why;
    struct bytes file;
    if (!path)
        return true;
    ++*found;
    if (file_read(a, path, &file, &why) && take_records(a, c, file, &why))
        return true;
    return fail(d, where, "'%s' %s\nexpected a batch of CIFAR-10's binary version", path, why);
}

static bool read_split(struct arena *a, struct cifar *c, enum split split, const struct places *p,
                       struct place where, struct diag *d)
{
    int n = 0, found = 0;
    bool good = true;
    for (; batch[split][n]; n++)
        good &= read_batch(a, c, p, batch[split][n], &found, where, d);
    if (!found)
        return fail_not_found(d, where, "cifar10", p, wanted[split]);
    if (found < n)
        warn(d, WARNING_batches_missing, where, "only %d of the %d batches of cifar10 are there",
             found, n);
    return good && (c->n || fail(d, where, "no example of cifar10 is of the classes kept"));
}

static const char *cifar_fingerprint(struct arena *a, struct cifar *c)
{
    char kept[CLASSES + 1] = "";
    for (int i = 0; i < CLASSES; i++)
        kept[i] = c->keep[i] ? '1' : '0';
    if (strchr(kept, '0'))
        SHA256Update(&c->sha, (const uint8_t *)kept, CLASSES);
    return SHA256End(&c->sha, arena_alloc(a, SHA256_DIGEST_STRING_LENGTH));
}

// NULL where all classes are kept.
static const char *say_kept(struct arena *a, const struct cifar *c)
{
    const char *kept = "only of";
    int n = 0;
    for (int i = 0; i < CLASSES; i++)
        if (c->keep[i])
            kept = arena_printf(a, "%s%s %s", kept, n++ ? "," : "", class_name[i]);
    return n < CLASSES ? kept : NULL;
}

static bool cifar_open(struct dataset *s, enum split split, const void *params, struct place where,
                       struct arena *a, struct diag *d)
{
    const struct cifar_params *p = params;
    const struct places places = data_places(a, p->path, "cifar10");
    struct cifar *c = NEW(a, struct cifar);
    SHA256Init(&c->sha);
    if (!read_classes(c, p->classes, d) || !read_split(a, c, split, &places, where, d))
        return false;
    s->state = c;
    s->channels = 3;
    s->height = s->width = SIDE;
    s->count = (int64_t)c->n;
    s->classes = CLASSES;
    s->class_name = class_name;
    s->beside = say_kept(a, c);
    s->fingerprint = cifar_fingerprint(a, c);
    return true;
}

static bool cifar_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct cifar *c = s->state;
    ASSERT(index >= 0 && index < s->count);
    const uint8_t *p = c->record[index];
    *label = *p++;
    pixels_float(p, PIXELS, image);
    return true;
}

#define FIELD(name) offsetof(struct cifar_params, name)
static const struct param cifar_table[] = {
    {"path", PARAM_PATH, FIELD(path), "", 0, 0, NULL,
     "the folder of data_batch_1.bin and the others"},
    {"classes", PARAM_NODE, FIELD(classes), "", 0, 0, NULL,
     "the classes to keep, by name or number", .takes = "class, or list"},
    PARAM_END,
};

const struct dataset_kind dataset_cifar10 = {
    .word = {.name = "cifar10",
             .help =
                 "small photographs in ten classes, 32 × 32 colour (Krizhevsky), binary version",
             .params = cifar_table,
             .size = sizeof(struct cifar_params)},
    .open = cifar_open,
    .get = cifar_get,
};
