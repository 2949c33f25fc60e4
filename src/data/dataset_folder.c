// A folder of pictures of any size. All of a split are decoded, resized and kept as bytes when it is
// opened. So damage is known before the first step, the fingerprint is of what is trained on, and a
// batch costs nothing; 200,000 portraits of 64 × 64 are 2.3 GiB. Decoding a picture each time it is
// drawn needs no memory, but takes longer than training on it, and finds the broken one at night.
//
// A random mirroring is no function of the index; with `flip` the mirrored pictures follow the
// others as examples of their own.
#include <stdlib.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "base/image.h"
#include "base/text.h"
#include "data/file.h"
#include "data/fit.h"
#include "data/folder.h"
#include "data/pixels.h"

enum { FIT_CROP, FIT_SQUASH };
enum { NAMED_MAX = 8 };
static const int64_t memory_max = (int64_t)8 << 30;

struct folder_params {
    const char *path;
    struct ints image;
    int fit;
    bool flip;
    double test, broken;
};

struct folder_own {
    uint8_t *byte;    // (n, C, H, W)
    const char **why; // NULL where the picture is good
    int32_t *label;
    int64_t n, pixels;
};

static const char *read_picture(const struct folder_params *p, const char *path, uint8_t *to,
                                struct arena *a)
{
    struct bytes file;
    struct image image;
    const char *why;
    if (!file_read(a, path, &file, &why) ||
        !image_decode(a, file.byte, file.n, (int)p->image.v[0], &image, &why))
        return why;
    fit(&image, p->fit == FIT_CROP, (int)p->image.v[1], (int)p->image.v[2], to);
    return NULL;
}

static void read_all_pictures(const struct folder_params *p, const struct folder *f,
                              struct folder_own *own)
{
#pragma omp parallel for schedule(dynamic, 8)
    for (int i = 0; i < f->n; i++) {
        struct arena *a = arena_new(NULL);
        const char *why = read_picture(p, f->file[i].path, own->byte + i * own->pixels, a);
        own->why[i] = why ? strdup(why) : NULL;
        arena_free(a);
    }
}

// Names the broken pictures: an error where they are more than the share allowed, else a warning.
static bool judge_broken(const struct folder_params *p, const struct folder *f,
                         const struct folder_own *own, struct place where, struct diag *d)
{
    struct text named;
    int n = 0;
    text_init(&named);
    for (int i = 0; i < f->n; i++)
        if (own->why[i] && n++ < NAMED_MAX)
            text_addf(&named, "\n'%s' %s", f->file[i].path, own->why[i]);
    if (n > NAMED_MAX)
        text_addf(&named, "\nand %d more", n - NAMED_MAX);
    const bool good = n <= p->broken * f->n && n < f->n;
    if (n && good)
        warn(d, WARNING_pictures_broken, where,
             "%d of %d pictures of '%s' are broken and left out%s", n, f->n, p->path, named.s);
    else if (n)
        fail(d, where,
             "%d of %d pictures of '%s' are broken%s\nexpected at most %g %% "
             "(`broken:` says how many may be left out)",
             n, f->n, p->path, named.s, 100 * p->broken);
    text_release(&named);
    return good;
}

// Moves the good ones together; frees the reasons.
static void close_gaps(const struct folder *f, struct folder_own *own)
{
    for (int i = 0; i < f->n; i++) {
        if (own->why[i]) {
            free((char *)own->why[i]);
            continue;
        }
        if (own->n != i)
            memcpy(own->byte + own->n * own->pixels, own->byte + i * own->pixels,
                   (size_t)own->pixels);
        own->label[own->n++] = f->file[i].label;
    }
}

static const char *folder_fingerprint(struct arena *a, const struct folder *f,
                                      const struct dataset *s)
{
    const struct folder_own *own = s->state;
    const char *text = arena_printf(a, "folder %d %d %d of %d", (int)s->channels, (int)s->height,
                                    (int)s->width, (int)s->count);
    SHA2_CTX c;
    SHA256Init(&c);
    SHA256Update(&c, (const uint8_t *)text, strlen(text));
    for (int i = 0; i < f->classes; i++)
        SHA256Update(&c, (const uint8_t *)f->class_name[i], strlen(f->class_name[i]) + 1);
    SHA256Update(&c, (const uint8_t *)own->label, (size_t)own->n * sizeof *own->label);
    SHA256Update(&c, own->byte, (size_t)(own->n * own->pixels));
    return SHA256End(&c, arena_alloc(a, SHA256_DIGEST_STRING_LENGTH));
}

static bool check_image(const struct ints *image, struct place where, struct diag *d)
{
    const int64_t *v = image->v;
    if (image->n == 3 && (v[0] == 1 || v[0] == 3) && v[1] >= 1 && v[1] <= 1024 && v[2] >= 1 &&
        v[2] <= 1024)
        return true;
    return fail(d, where,
                "`image:` is no size of pictures\nexpected [channels, height, width]: 1 "
                "(grey) or 3 (colour) channels, at most 1024 a side");
}

static bool room(const struct folder_params *p, const struct folder *f, struct folder_own *own,
                 struct place where, struct arena *a, struct diag *d)
{
    own->pixels = p->image.v[0] * p->image.v[1] * p->image.v[2];
    if (f->n > memory_max / own->pixels)
        return fail(d, where,
                    "%d pictures of '%s' do not fit into 8 GiB\nexpected a smaller "
                    "`image:` or fewer pictures",
                    f->n, p->path);
    own->byte = malloc((size_t)(f->n * own->pixels));
    if (!own->byte)
        return fail(d, where, "there is no memory for %d pictures of '%s'", f->n, p->path);
    arena_defer(a, free, own->byte);
    own->why = NEW_ARRAY(a, const char *, f->n);
    own->label = NEW_ARRAY(a, int32_t, f->n);
    return true;
}

static bool folder_open(struct dataset *s, enum split split, const void *params, struct place where,
                        struct arena *a, struct diag *d)
{
    const struct folder_params *p = params;
    struct folder f;
    struct folder_own *own = NEW(a, struct folder_own);
    if (!check_image(&p->image, where, d) ||
        !folder_list(a, p->path, split, p->test, &f, where, d) || !room(p, &f, own, where, a, d))
        return false;
    read_all_pictures(p, &f, own);
    const bool good = judge_broken(p, &f, own, where, d);
    close_gaps(&f, own);
    if (!good)
        return false;
    s->state = own;
    s->channels = p->image.v[0];
    s->height = p->image.v[1];
    s->width = p->image.v[2];
    s->count = own->n * (p->flip && split == SPLIT_TRAIN ? 2 : 1);
    s->classes = f.classes;
    s->class_name = f.class_name;
    s->fingerprint = folder_fingerprint(a, &f, s);
    return true;
}

static void mirror_pictures(float *row, int64_t width)
{
    for (int64_t x = 0; x < width / 2; x++) {
        const float t = row[x];
        row[x] = row[width - 1 - x];
        row[width - 1 - x] = t;
    }
}

static bool folder_get(const struct dataset *s, int64_t index, float *image, int32_t *label)
{
    const struct folder_own *own = s->state;
    const bool flip = index >= own->n;
    const int64_t i = flip ? index - own->n : index, width = s->width;
    ASSERT(i >= 0 && i < own->n);
    const uint8_t *p = own->byte + i * own->pixels;
    *label = own->label[i];
    pixels_float(p, own->pixels, image);
    for (int64_t row = 0; flip && row < s->channels * s->height; row++, image += width)
        mirror_pictures(image, width);
    return true;
}

#define FIELD(name) offsetof(struct folder_params, name)
static const char *const fits[] = {[FIT_CROP] = "crop", [FIT_SQUASH] = "squash", NULL};
static const struct param folder_table[] = {
    {"path", PARAM_TEXT, FIELD(path), NULL, 0, 0, NULL,
     "the folder: pictures, or a sub-folder a class, or train/ and test/ with either"},
    {"image", PARAM_INTS, FIELD(image), NULL, 0, 0, NULL,
     "[channels, height, width] to bring the pictures to; 1 channel is grey"},
    {"fit", PARAM_WORD, FIELD(fit), "crop", 0, 0, fits,
     "crop what does not fit the shape, or squash"},
    {"flip", PARAM_BOOL, FIELD(flip), "false", 0, 0, NULL,
     "of the training split, the mirrored pictures too: twice as many examples"},
    {"test", PARAM_FLOAT, FIELD(test), "10%", 0, 0.9, NULL,
     "share of the test split, by a hash of the name; train/ and test/ win over it"},
    {"broken", PARAM_FLOAT, FIELD(broken), "1%", 0, 1, NULL,
     "share of pictures that may be broken; they are named and left out"},
    PARAM_END,
};

const struct dataset_kind dataset_folder = {
    .word = {.name = "folder",
             .help = "your own pictures: PNG, JPEG and BMP files of any size, a sub-folder a class",
             .params = folder_table,
             .size = sizeof(struct folder_params)},
    .open = folder_open,
    .get = folder_get,
};
