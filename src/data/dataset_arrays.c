// Arrays that another program made, in NumPy's files: pictures of uint8 (0 to 255 become −1 to 1) or
// of floats, which are taken as they are unless `range:` says otherwise. Floats are looked at once
// when the file is opened: one that is not finite would end a run hours later as a divergence of the
// networks, and what does not lie around 0 is never reached by a generator that ends in tanh.
#include <math.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "data/dataset.h"
#include "base/file.h"
#include "data/npy.h"
#include "data/pixels.h"

enum { CHW, HW, HWC };
enum { SIDE_MAX = 4096, CHANNELS_MAX = 4096, CLASSES_MAX = 65536 };

static const char *const orders[] = {[CHW] = "chw", [HW] = "hw", [HWC] = "hwc", NULL};

struct arrays_params {
    const char *images, *labels, *test_images, *test_labels;
    const struct node *range;
    int64_t classes;
    int axes;
};

struct arrays_own {
    struct npy image;
    int32_t *label;
    bool last;       // channels come last
    double range[2]; // equal: a type's own
};

static bool read_npy(struct arena *a, const char *path, struct npy *out, SHA2_CTX *sha,
                     struct place where, struct diag *d)
{
    struct bytes file;
    const char *why;
    if (!file_read(a, path, &file, &why) || !npy_parse(a, file.byte, file.n, out, &why))
        return fail(d, where, "'%s' %s\nexpected an array saved by numpy.save", path, why);
    SHA256Update(sha, file.byte, file.n);
    return true;
}

static void warn_of_range(const char *path, double low, double high, struct place where,
                          struct diag *d)
{
    const double from = low >= 0 ? 0 : low, to = low < 0       ? high
                                                 : high <= 1   ? 1
                                                 : high <= 255 ? 255
                                                               : high;
    warn(
        d, WARNING_numbers_out_of_range, where,
        "the numbers of '%s' lie from %.6g to %.6g\nexpected -1 to 1: `range: [%.6g, %.6g]` brings "
        "them there, `range: [-1, 1]` takes them as they are",
        path, low, high, from, to);
}

static void warn_of_depth(const char *path, int high, struct place where, struct diag *d)
{
    int bits = 1;
    while (high >> bits)
        bits++;
    warn(d, WARNING_numbers_of_fewer_bits, where,
         "'%s' has numbers of 16 bits, none above %d\nif they hold %d bits, `range: [0, %d]` says "
         "so; `range: [0, 65535]` if they are that dark",
         path, high, bits, (1 << bits) - 1);
}

// Numbers of 16 bits have all of them as their range unless something is said.
static bool check_numbers(const struct npy *x, double range[2], const char *path,
                          struct place where, struct diag *d)
{
    const bool said = range[0] != range[1];
    if (x->type == NPY_U1)
        return true;
    if (x->type != NPY_F4 && x->type != NPY_U2)
        return fail(d, where,
                    "'%s' holds numbers that are no pictures\nexpected uint8, uint16 or float32: "
                    "x.astype('float32')",
                    path);
    if (x->type == NPY_U2 && !said)
        range[1] = 65535;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < x->count; i++) {
        const double v = npy_number(x, i);
        if (!isfinite(v))
            return fail(d, where, "number %lld of '%s' is not finite", (long long)i, path);
        low = fmin(low, v);
        high = fmax(high, v);
    }
    if (said || !x->count)
        return true;
    if (x->type == NPY_U2 && high < 16384)
        warn_of_depth(path, (int)high, where, d);
    else if (x->type == NPY_F4 && (low >= 0 || low < -1 || high > 1))
        warn_of_range(path, low, high, where, d);
    return true;
}

static bool shape(struct dataset *s, const struct npy *x, int axes, const char *path,
                  struct place where, struct diag *d)
{
    static const char *const wanted[] = {
        [CHW] = "(N, C, H, W)", [HW] = "(N, H, W)", [HWC] = "(N, H, W, C)"};
    if (x->rank != (axes == HW ? 3 : 4))
        return fail(d, where, "'%s' has %d dimensions\nexpected %s; `axes:` says which", path,
                    x->rank, wanted[axes]);
    s->count = x->dim[0];
    s->channels = axes == HW ? 1 : axes == CHW ? x->dim[1] : x->dim[3];
    s->height = axes == CHW ? x->dim[2] : x->dim[1];
    s->width = axes == CHW ? x->dim[3] : x->dim[2];
    if (s->count >= 1 && s->count <= UINT32_MAX && s->channels >= 1 &&
        s->channels <= CHANNELS_MAX && s->height >= 1 && s->height <= SIDE_MAX && s->width >= 1 &&
        s->width <= SIDE_MAX)
        return true;
    return fail(d, where,
                "'%s' holds %lld examples of %lld × %lld × %lld (C, H, W)\nexpected at "
                "least one, of 1 to %d channels and at most %d a side",
                path, (long long)s->count, (long long)s->channels, (long long)s->height,
                (long long)s->width, CHANNELS_MAX, SIDE_MAX);
}

static bool read_array_labels(struct dataset *s, struct arrays_own *own, const char *path,
                              int64_t classes, SHA2_CTX *sha, struct place where, struct arena *a,
                              struct diag *d)
{
    struct npy y;
    if (!read_npy(a, path, &y, sha, where, d))
        return false;
    if (y.rank != 1 || y.dim[0] != s->count)
        return fail(d, where,
                    "'%s' has %lld labels in %d dimension%s\nexpected one label for each of "
                    "%lld examples",
                    path, (long long)y.count, y.rank, y.rank == 1 ? "" : "s", (long long)s->count);
    own->label = NEW_ARRAY(a, int32_t, s->count);
    s->classes = (int)classes;
    const int64_t end = classes ? classes : CLASSES_MAX;
    for (int64_t i = 0; i < s->count; i++) {
        const double v = npy_number(&y, i);
        if (!(v >= 0 && v < (double)end) || v != floor(v))
            return fail(d, where, "label %lld of '%s' is %g\nexpected whole numbers from 0 to %d",
                        (long long)i, path, v, (int)end - 1);
        own->label[i] = (int32_t)v;
        s->classes = own->label[i] >= s->classes ? own->label[i] + 1 : s->classes;
    }
    return true;
}

// The keys that name the files of a split; the test split's are its own.
struct keys {
    const char *images, *labels;
};
static const struct keys keys_of[] = {
    [SPLIT_TRAIN] = {"images", "labels"}, [SPLIT_TEST] = {"test_images", "test_labels"}};

static bool split_files(const struct arrays_params *p, enum split split, const char **images,
                        const char **labels, struct place where, struct diag *d)
{
    *images = split == SPLIT_TEST ? p->test_images : p->images;
    *labels = split == SPLIT_TEST ? p->test_labels : p->labels;
    if (split == SPLIT_TEST && !*images)
        return fail(d, where,
                    "the data set 'arrays' has no test split here\nexpected `test_images:` "
                    "with an array of its own");
    if (split == SPLIT_TEST && p->labels && !*labels)
        return fail(d, where,
                    "the test split has no labels\nexpected `test_labels:` beside "
                    "`labels:`");
    return true;
}

static const char *arrays_fingerprint(struct arena *a, const struct arrays_own *own, int axes,
                                      SHA2_CTX *sha)
{
    SHA256Update(sha, (const uint8_t *)orders[axes], strlen(orders[axes]));
    if (own->range[0] != own->range[1])
        SHA256Update(sha, (const uint8_t *)own->range, sizeof own->range);
    return SHA256End(sha, arena_alloc(a, SHA256_DIGEST_STRING_LENGTH));
}

static bool arrays_open(struct dataset *s, enum split split, const void *params, struct place where,
                        struct arena *a, struct diag *d)
{
    const struct arrays_params *p = params;
    const struct place at = dataset_place(s, keys_of[split].images),
                       at_labels = dataset_place(s, keys_of[split].labels);
    const char *images, *labels;
    struct arrays_own *own = NEW(a, struct arrays_own);
    SHA2_CTX sha;
    SHA256Init(&sha);
    if (!split_files(p, split, &images, &labels, where, d) ||
        !pixels_range(p->range, own->range, d) || !read_npy(a, images, &own->image, &sha, at, d) ||
        !shape(s, &own->image, p->axes, images, at, d) ||
        !check_numbers(&own->image, own->range, images, at, d) ||
        (labels && !read_array_labels(s, own, labels, p->classes, &sha, at_labels, a, d)))
        return false;
    own->last = p->axes == HWC;
    s->state = own;
    s->fingerprint = arrays_fingerprint(a, own, p->axes, &sha);
    return true;
}

// n numbers from `at` on, bytes and ranges brought to [−1, 1]
static void array_numbers(const struct arrays_own *own, int64_t at, int64_t n, float *to)
{
    const struct npy *x = &own->image;
    const double low = own->range[0], extent = own->range[1] - low;
    if (extent != 0)
        for (int64_t i = 0; i < n; i++)
            to[i] = (float)(2 * (npy_number(x, at + i) - low) / extent - 1);
    else if (x->type == NPY_U1)
        pixels_float(x->byte + at, n, to);
    else
        memcpy(to, x->byte + sizeof(float) * (size_t)at, sizeof(float) * (size_t)n);
}

static bool arrays_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct arrays_own *own = s->state;
    const int64_t area = s->height * s->width, at = index * s->channels * area;
    ASSERT(index >= 0 && index < s->count);
    if (!own->last)
        array_numbers(own, at, s->channels * area, image);
    for (int64_t i = 0; own->last && i < area; i++)
        for (int64_t c = 0; c < s->channels; c++)
            array_numbers(own, at + i * s->channels + c, 1, image + c * area + i);
    *label = own->label ? own->label[index] : 0;
    return true;
}

#define FIELD(name) offsetof(struct arrays_params, name)
static const struct param arrays_table[] = {
    {"images", PARAM_PATH, FIELD(images), NULL, 0, 0, NULL,
     "the .npy file of pictures: uint8, uint16, or float32 from -1 to 1"},
    {"labels", PARAM_PATH, FIELD(labels), "", 0, 0, NULL,
     "the .npy file of labels, (N) whole numbers from 0 on"},
    {"axes", PARAM_WORD, FIELD(axes), "chw", 0, 0, orders,
     "their order after N: (N, C, H, W), (N, H, W) or (N, H, W, C)"},
    {"range", PARAM_NODE, FIELD(range), "",
     .help = "the numbers that become -1 and 1; unless said, all that a whole number can be, and "
             "-1 and 1 of "
             "floats",
     .takes = "two numbers"},
    {"classes", PARAM_INT, FIELD(classes), "", 1, CLASSES_MAX, NULL,
     "how many classes; one more than the largest label unless said"},
    {"test_images", PARAM_PATH, FIELD(test_images), "", 0, 0, NULL, "as images, of the test split"},
    {"test_labels", PARAM_PATH, FIELD(test_labels), "", 0, 0, NULL, "as labels, of the test split"},
    PARAM_END,
};

const struct dataset_kind dataset_arrays = {
    .word = {.name = "arrays",
             .help = "NumPy's .npy files of pictures or other arrays, and of labels",
             .params = arrays_table,
             .size = sizeof(struct arrays_params)},
    .open = arrays_open,
    .get = arrays_get,
};
