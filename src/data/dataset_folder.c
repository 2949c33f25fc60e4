// A folder of pictures of any size. All of a split are decoded, resized and kept as bytes when it is
// opened. So damage is known before the first step, the fingerprint is of what is trained on, and a
// batch costs nothing; 200,000 portraits of 64 × 64 are 2.3 GiB. Decoding a picture each time it is
// drawn needs no memory, but takes longer than training on it, and finds the broken one at night.
// Who only looks (dataset_look) has all names and some of the pictures.
//
// A random mirroring is no function of the index; with `flip` the mirrored pictures follow the
// others as examples of their own.
#include <stdlib.h>
#include <string.h>

#include <sha2.h>

#include "base/arena.h"
#include "base/image.h"
#include "base/text.h"
#include "base/file.h"
#include "data/fit.h"
#include "data/folder.h"
#include "data/pixels.h"

enum { FIT_CROP, FIT_SQUASH };
enum { NAMED_MAX = 8, LOOKED_AT = 500 };
static const int64_t memory_max = (int64_t)8 << 30;

struct folder_params {
    const char *path, *test_folder, *domain;
    struct ints image, background;
    const struct node *range;
    int fit;
    bool flip;
    double test, broken;
};

struct folder_own {
    struct image_wish wish;
    uint8_t *byte;             // (n, C, H, W)
    struct image_facts *facts; // of each file
    const char **why;          // NULL where the picture is good
    int32_t *label;
    int64_t n, pixels;
};

static const char *read_picture(const struct folder_params *p, const struct image_wish *wish,
                                const char *path, uint8_t *to, struct image_facts *facts,
                                struct arena *a)
{
    struct bytes file;
    struct image image;
    const char *why;
    if (!file_read(a, path, &file, &why) ||
        !image_decode(a, file.byte, file.n, wish, &image, facts, &why))
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
        const char *why = read_picture(p, &own->wish, f->file[i].path, own->byte + i * own->pixels,
                                       &own->facts[i], a);
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

static bool fits_memory(const struct folder_params *p, const struct folder *f,
                        struct folder_own *own, struct place where, struct diag *d)
{
    own->pixels = p->image.v[0] * p->image.v[1] * p->image.v[2];
    return f->n <= memory_max / own->pixels ||
           fail(d, where,
                "%d pictures of '%s' do not fit into 8 GiB\nexpected a smaller "
                "`image:` or fewer pictures",
                f->n, p->path);
}

static bool room(const struct folder_params *p, const struct folder *f, struct folder_own *own,
                 struct place where, struct arena *a, struct diag *d)
{
    own->byte = malloc((size_t)(f->n * own->pixels));
    if (!own->byte)
        return fail(d, where, "there is no memory for %d pictures of '%s'", f->n, p->path);
    arena_defer(a, free, own->byte);
    own->facts = NEW_ARRAY(a, struct image_facts, f->n);
    own->why = NEW_ARRAY(a, const char *, f->n);
    own->label = NEW_ARRAY(a, int32_t, f->n);
    return true;
}

static bool read_wish(const struct dataset *s, const struct folder_params *p,
                      struct image_wish *wish, struct diag *d)
{
    const struct ints *b = &p->background;
    *wish = (struct image_wish){.channels = (int)p->image.v[0]};
    if (b->n != 1 && b->n != 3)
        return fail(d, dataset_place(s, "background"),
                    "`background:` is no colour\nexpected one number for grey or three for red, "
                    "green and blue, from 0 to 255");
    for (int c = 0; c < 3; c++)
        wish->background[c] = (uint8_t)b->v[b->n == 3 ? c : 0];
    return pixels_range(p->range, wish->range, d);
}

// Numbers of fewer bits than the file could hold arrive nearly black.
static void warn_of_dark_files(const struct dataset *s, const struct folder *f,
                               const struct folder_own *own, struct diag *d)
{
    int n = 0, most = 0, bits = 1;
    for (int i = 0; i < f->n; i++) {
        n += own->facts[i].most > 0;
        most = own->facts[i].most > most ? own->facts[i].most : most;
    }
    while (most >> bits)
        bits++;
    if (n && bits < 15 && own->wish.range[0] == own->wish.range[1])
        warn(
            d, WARNING_numbers_of_fewer_bits, dataset_place(s, "path"),
            "%d picture%s of 16 bits, and no number in them is above %d: of 255, nothing is "
            "brighter than %d\nif they hold %d bits, `range: [0, %d]` says so; `range: [0, 65535]` "
            "if they are that dark",
            n, n == 1 ? "" : "s", most, most >> 8, bits, (1 << bits) - 1);
}

// Some of the files, evenly apart, tell what is usual in them.
static void thin_out(struct folder *f)
{
    const int64_t n = f->n;
    if (n <= LOOKED_AT)
        return;
    for (int64_t i = 0; i < LOOKED_AT; i++)
        f->file[i] = f->file[i * (n - 1) / (LOOKED_AT - 1)];
    f->n = LOOKED_AT;
}

static const char *say_done(struct arena *a, const struct folder *f, int all,
                            const struct folder_own *own, bool flip)
{
    struct text t;
    int n = 0;
    const uint8_t *b = own->wish.background;
    for (int i = 0; i < f->n; i++)
        n += own->facts[i].transparent;
    text_init(&t);
    if (f->n < all)
        text_addf(&t, "%d of them looked at", f->n);
    if (flip)
        text_addf(&t, "%smirrored too", t.n ? "; " : "");
    if (n)
        text_addf(&t, "%s%d transparent, laid on background [%d, %d, %d]", t.n ? "; " : "", n, b[0],
                  b[1], b[2]);
    if (f->beside)
        text_addf(&t, "%s%s", t.n ? "; " : "", f->beside);
    const char *kept = t.n ? arena_strdup(a, t.s) : NULL;
    text_release(&t);
    return kept;
}

static bool folder_open(struct dataset *s, enum split split, const void *params, struct place where,
                        struct arena *a, struct diag *d)
{
    const struct folder_params *p = params;
    struct folder f;
    struct folder_own *own = NEW(a, struct folder_own);
    const struct folder_wish wish = {p->path, split, p->test, p->test_folder, p->domain};
    const bool flip = p->flip && split == SPLIT_TRAIN;
    if (!check_image(&p->image, dataset_place(s, "image"), d) || !read_wish(s, p, &own->wish, d) ||
        !folder_list(a, &wish, &f, where, d) || !fits_memory(p, &f, own, where, d))
        return false;
    const int all = f.n;
    if (s->looking)
        thin_out(&f);
    if (!room(p, &f, own, where, a, d))
        return false;
    read_all_pictures(p, &f, own);
    const bool good = judge_broken(p, &f, own, where, d);
    warn_of_dark_files(s, &f, own, d);
    s->beside = say_done(a, &f, all, own, flip);
    close_gaps(&f, own);
    if (!good)
        return false;
    s->state = own;
    s->channels = p->image.v[0];
    s->height = p->image.v[1];
    s->width = p->image.v[2];
    s->unread = s->looking;
    s->count = (s->looking ? all : own->n) * (flip ? 2 : 1);
    s->found = f.found;
    s->parts = f.parts;
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
    ASSERT(!s->unread && i >= 0 && i < own->n);
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
    {"path", PARAM_PATH, FIELD(path), NULL, 0, 0, NULL,
     "the folder: pictures, or a sub-folder a class, or train/ and test/ or val/ with either, or "
     "trainA/, trainB/ and so on"},
    {"image", PARAM_INTS, FIELD(image), NULL, 1, 65536, NULL,
     "[channels, height, width] to bring the pictures to; 1 channel is grey"},
    {"fit", PARAM_WORD, FIELD(fit), "crop", 0, 0, fits,
     "crop what does not fit the shape, or squash"},
    {"flip", PARAM_BOOL, FIELD(flip), "false", 0, 0, NULL,
     "of the training split, the mirrored pictures too: twice as many examples"},
    {"test", PARAM_FLOAT, FIELD(test), "10%", 0, 0.9, NULL,
     "share of the test split, by a hash of the name, where no folder is one"},
    {"test_folder", PARAM_TEXT, FIELD(test_folder), "", 0, 0, NULL,
     "the folder that is the test split; test/, else val/, unless said"},
    {"domain", PARAM_TEXT, FIELD(domain), "", 0, 0, NULL,
     "which of the pictures of trainA/, testA/, trainB/ and testB/, or of A/ and B/: a or b"},
    {"background", PARAM_INTS, FIELD(background), "255", 0, 255, NULL,
     "grey, or [red, green, blue], under what is transparent; white unless said"},
    {"range", PARAM_NODE, FIELD(range), "",
     .help =
         "the numbers of the files that become -1 and 1: [0, 4095] of 12 bits in 16; all that a "
         "file's depth holds unless said, or where a file of 8 bits cannot have them",
     .takes = "two numbers"},
    {"broken", PARAM_FLOAT, FIELD(broken), "1%", 0, 1, NULL,
     "share of pictures that may be broken; they are named and left out"},
    PARAM_END,
};

const struct dataset_kind dataset_folder = {
    .word =
        {.name = "folder",
         .help =
             "your own pictures: PNG, JPEG, BMP and WebP files of any size, a sub-folder a class",
         .params = folder_table,
         .size = sizeof(struct folder_params)},
    .open = folder_open,
    .get = folder_get,
};
