// The bytes stay bytes, a quarter of what floats would take, and become floats as an example is
// read. The fingerprint is of the unpacked files, so that a plain copy and a gzipped one are the
// same data.
#include "data/idx_set.h"

#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "data/idx.h"
#include "data/locate.h"
#include "data/pixels.h"

enum { SIDE = 28, CLASSES = 10 };

struct idx_set {
    struct idx image, label;
};

const struct param idx_params[] = {
    {"path", PARAM_PATH, offsetof(struct idx_params, path), "", 0, 0, NULL,
     "the folder of the files, plain or .gz"},
    {"size", PARAM_INT, offsetof(struct idx_params, size), "28", SIDE, 256, NULL,
     "height and width; beyond 28 padded with black"},
    PARAM_END,
};

static const char *const image_names[][5] = {
    {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte",
     "train-images.idx3-ubyte.gz", NULL},
    {"t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz", "t10k-images.idx3-ubyte",
     "t10k-images.idx3-ubyte.gz", NULL},
};
static const char *const label_names[][5] = {
    {"train-labels-idx1-ubyte", "train-labels-idx1-ubyte.gz", "train-labels.idx1-ubyte",
     "train-labels.idx1-ubyte.gz", NULL},
    {"t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz", "t10k-labels.idx1-ubyte",
     "t10k-labels.idx1-ubyte.gz", NULL},
};

static bool idx_set_read_file(struct arena *a, enum idx_content content, const char *path,
                              struct idx *out, struct place where, struct diag *d)
{
    const char *why;
    if (idx_read(a, content, path, out, &why))
        return true;
    return fail(d, where, "'%s' %s\nexpected an IDX file of %s, plain or gzipped", path, why,
                content == IDX_IMAGES ? "28 × 28 images" : "labels 0 to 9");
}

static bool check_shapes(const struct idx_set *set, const char *image_path, const char *label_path,
                         struct place where, struct diag *d)
{
    if (set->image.height != SIDE || set->image.width != SIDE)
        return fail(d, where, "'%s' holds images of %lld × %lld\nexpected 28 × 28", image_path,
                    (long long)set->image.height, (long long)set->image.width);
    if (set->image.count != set->label.count)
        return fail(d, where,
                    "'%s' holds %lld labels for the %lld images of '%s'\n"
                    "expected as many of the one as of the other",
                    label_path, (long long)set->label.count, (long long)set->image.count,
                    image_path);
    return true;
}

static bool check_labels(const struct idx *label, const char *path, struct place where,
                         struct diag *d)
{
    for (int64_t i = 0; i < label->count; i++)
        if (label->byte[i] >= CLASSES)
            return fail(d, where, "'%s' gives example %lld the label %d\nexpected labels 0 to 9",
                        path, (long long)i, label->byte[i]);
    return true;
}

// The split's two files, read and checked against each other. They are to lie in the same folder.
static struct idx_set *read_set(struct arena *a, const char *name, const struct places *p,
                                enum split split, struct place where, struct diag *d)
{
    struct idx_set *set = NEW(a, struct idx_set);
    const char *image = data_find(a, p, image_names[split]);
    const struct places beside = {
        {image ? arena_strndup(a, image, (size_t)(strrchr(image, '/') - image)) : ""}, 1, p->said};
    const char *label = image ? data_find(a, &beside, label_names[split]) : NULL;
    if (!image || !label) {
        const char *wanted = arena_printf(a, "%s and %s, plain or .gz", image_names[split][0],
                                          label_names[split][0]);
        fail_not_found(d, where, name, image ? &beside : p, wanted);
        return NULL;
    }
    const bool read = idx_set_read_file(a, IDX_IMAGES, image, &set->image, where, d) &
                      idx_set_read_file(a, IDX_LABELS, label, &set->label, where, d);
    const bool good = read && check_shapes(set, image, label, where, d) &&
                      check_labels(&set->label, label, where, d);
    return good ? set : NULL;
}

static const char *idx_set_fingerprint(struct arena *a, const struct idx_set *set, int64_t size)
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    SHA256Update(&sha, set->image.raw, set->image.n_raw);
    SHA256Update(&sha, set->label.raw, set->label.n_raw);
    const char *padded = arena_printf(a, "size %lld", (long long)size);
    if (size != SIDE)
        SHA256Update(&sha, (const uint8_t *)padded, strlen(padded));
    return SHA256End(&sha, arena_alloc(a, SHA256_DIGEST_STRING_LENGTH));
}

bool idx_set_open(struct dataset *s, enum split split, const void *params, struct place where,
                  struct arena *a, struct diag *d)
{
    const struct idx_params *p = params;
    const struct places places = data_places(a, p->path, s->kind->word.name);
    const struct idx_set *set = read_set(a, s->kind->word.name, &places, split, where, d);
    if (!set)
        return false;
    s->state = (void *)set;
    s->channels = 1;
    s->height = s->width = p->size;
    s->count = set->image.count;
    s->classes = CLASSES;
    s->fingerprint = idx_set_fingerprint(a, set, p->size);
    return true;
}

bool idx_set_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct idx_set *set = s->state;
    ASSERT(index >= 0 && index < set->image.count && s->width >= SIDE);
    const uint8_t *p = set->image.byte + (size_t)index * SIDE * SIDE;
    const int64_t width = s->width, before = (width - SIDE) / 2;
    *label = set->label.byte[index];
    if (!before) {
        pixels_float(p, SIDE * SIDE, image);
        return true;
    }
    for (int64_t i = 0; i < s->height * width; i++)
        image[i] = -1;
    for (int64_t row = 0; row < SIDE; row++)
        pixels_float(p + row * SIDE, SIDE, image + (row + before) * width + before);
    return true;
}
