// MNIST's files: found by every name they go by, plain or packed, and refused with a reason when
// damaged.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "data/dataset.h"
#include "data/idx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 12, HEAD = 16, PIXELS = 784, IMAGES = HEAD + N * PIXELS, LABELS = 8 + N };

struct files {
    struct arena *arena;
    const char *folder;
    uint8_t image[IMAGES + 8], label[LABELS + 8]; // with room for too much
};

static void put(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24), p[1] = (uint8_t)(x >> 16), p[2] = (uint8_t)(x >> 8),
    p[3] = (uint8_t)x;
}

// A new folder, and in memory the two files of N good examples: pixel k of image i is i + k, its
// label i mod 10.
static struct files begin(void)
{
    struct files f = {.arena = arena_new(NULL)};
    char *name = arena_strdup(f.arena, "/tmp/ganexp-idx-XXXXXX");
    assert_non_null(mkdtemp(name));
    f.folder = name;
    put(f.image, 0x803), put(f.image + 4, N), put(f.image + 8, 28), put(f.image + 12, 28);
    put(f.label, 0x801), put(f.label + 4, N);
    for (int i = 0; i < N; i++) {
        f.label[8 + i] = (uint8_t)(i % 10);
        for (int k = 0; k < PIXELS; k++)
            f.image[HEAD + i * PIXELS + k] = (uint8_t)(i + k);
    }
    return f;
}

static void end(struct files *f)
{
    struct text command;
    text_init(&command);
    text_addf(&command, "rm -r '%s'", f->folder);
    assert_int_equal(system(command.s), 0);
    text_release(&command);
    arena_free(f->arena);
}

static void write_plain(const struct files *f, const char *name, const uint8_t *p, size_t n)
{
    FILE *to = fopen(arena_printf(f->arena, "%s/%s", f->folder, name), "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(p, 1, n, to), n);
    fclose(to);
}

static size_t gzip(const uint8_t *p, size_t n, uint8_t *to, size_t room)
{
    z_stream z = {
        .next_in = (uint8_t *)p, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)room};
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

// `cut` bytes less than the whole; negative: so many zeros more.
static void write_packed(const struct files *f, const char *name, const uint8_t *p, size_t n,
                         int cut)
{
    uint8_t packed[2 * IMAGES] = {0};
    const size_t whole = gzip(p, n, packed, sizeof packed);
    write_plain(f, name, packed, (size_t)((int)whole - cut));
}

static void write_both(const struct files *f)
{
    write_plain(f, "train-images-idx3-ubyte", f->image, IMAGES);
    write_plain(f, "train-labels-idx1-ubyte", f->label, LABELS);
}

static struct dataset *open_at(struct files *f, const char *more, enum split split, struct diag *d)
{
    struct source *s = NEW(f->arena, struct source);
    *s = (struct source){"test.yaml",
                         arena_printf(f->arena, "{dataset: mnist, path: %s%s}", f->folder, more)};
    return dataset_open(f->arena, node_parse(f->arena, s, d), split, d);
}

static void expect_refusal(struct files *f, const char *why)
{
    struct diag *d = diag_new(f->arena);
    struct text t;
    text_init(&t);
    assert_null(open_at(f, "", SPLIT_TRAIN, d));
    diag_text(d, &t);
    if (!strstr(t.s, why) || !strstr(t.s, "test.yaml:1:") || diag_errors(d) != 1)
        fail_msg("expected '%s' in\n%s", why, t.s);
    text_release(&t);
    end(f);
}

static const char *expect_good(struct files *f, enum split split)
{
    struct diag *d = diag_new(f->arena);
    const struct dataset *s = open_at(f, "", split, d);
    if (!s)
        diag_print(d, stderr);
    assert_non_null(s);
    assert_true(s->count == N && s->channels == 1 && s->height == 28 && s->width == 28 &&
                s->classes == 10);
    float x[PIXELS];
    int32_t label;
    for (int i = 0; i < N; i++) {
        assert_true(s->kind->get(s, i, x, &label));
        assert_int_equal(label, i % 10);
        for (int k = 0; k < PIXELS; k++)
            assert_true(x[k] == (float)(uint8_t)(i + k) / 127.5f - 1);
    }
    return s->fingerprint;
}

static void files_are_found_under_all_their_names(void **state)
{
    (void)state;
    static const char *const name[][2] = {
        {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
        {"train-images.idx3-ubyte", "train-labels.idx1-ubyte"},
        {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"},
        {"train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz"},
        {"t10k-images-idx3-ubyte", "t10k-labels.idx1-ubyte.gz"},
    };
    char fingerprint[65] = "";
    for (int packed = 0; packed < 2; packed++) // whatever the name says
        for (int i = 0; i < 5; i++) {
            struct files f = begin();
            if (packed) {
                write_packed(&f, name[i][0], f.image, IMAGES, 0);
                write_packed(&f, name[i][1], f.label, LABELS, 0);
            } else {
                write_plain(&f, name[i][0], f.image, IMAGES);
                write_plain(&f, name[i][1], f.label, LABELS);
            }
            const char *found = expect_good(&f, i == 4 ? SPLIT_TEST : SPLIT_TRAIN);
            if (*fingerprint)
                assert_string_equal(found, fingerprint);
            memcpy(fingerprint, found, sizeof fingerprint);
            end(&f);
        }
}

static void joined_gzip_streams_are_read(void **state)
{
    (void)state;
    struct files f = begin();
    uint8_t packed[2 * IMAGES];
    size_t n = gzip(f.image, 1000, packed, sizeof packed);
    n += gzip(f.image + 1000, IMAGES - 1000, packed + n, sizeof packed - n);
    write_plain(&f, "train-images-idx3-ubyte", packed, n);
    write_plain(&f, "train-labels-idx1-ubyte", f.label, LABELS);
    expect_good(&f, SPLIT_TRAIN);
    end(&f);
}

static void padding_surrounds_the_picture(void **state)
{
    (void)state;
    struct files f = begin();
    struct diag *d = diag_new(f.arena);
    write_both(&f);
    const struct dataset *s = open_at(&f, ", size: 32", SPLIT_TRAIN, d),
                         *plain = open_at(&f, "", SPLIT_TRAIN, d);
    assert_non_null(s);
    assert_true(s->height == 32 && s->width == 32);
    assert_string_not_equal(s->fingerprint, plain->fingerprint);
    float x[32 * 32];
    int32_t label;
    s->kind->get(s, 5, x, &label);
    for (int k = 0; k < 32 * 32; k++) {
        const int row = k / 32 - 2, col = k % 32 - 2;
        const bool inside = row >= 0 && row < 28 && col >= 0 && col < 28;
        assert_true(x[k] == (inside ? (float)(uint8_t)(5 + 28 * row + col) / 127.5f - 1 : -1));
    }
    end(&f);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    struct files f = begin();
    expect_refusal(&f, "the files of mnist were not found");
    f = begin();
    expect_refusal(&f, f.folder);
    f = begin();
    expect_refusal(&f, "train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz");
    f = begin();
    expect_refusal(&f, "data.real.dataset=digits");
    f = begin();
    write_plain(&f, "train-images-idx3-ubyte", f.image, IMAGES); // no labels
    expect_refusal(&f, "the files of mnist were not found");
}

static void the_data_folder_is_found(void **state)
{
    (void)state;
    struct files f = begin();
    struct diag *d = diag_new(f.arena);
    const struct source s = {"test.yaml", "mnist"};
    const char *inner = arena_printf(f.arena, "%s/mnist", f.folder), *outer = f.folder;
    mkdir(inner, 0777);
    setenv("GANEXP_DATA", outer, 1);
    assert_null(dataset_open(f.arena, node_parse(f.arena, &s, d), SPLIT_TRAIN, d));
    struct text t;
    text_init(&t);
    diag_text(d, &t);
    assert_non_null(strstr(t.s, inner));
    text_release(&t);
    f.folder = inner;
    write_both(&f);
    f.folder = outer;
    assert_non_null(dataset_open(f.arena, node_parse(f.arena, &s, d), SPLIT_TRAIN, d));
    unsetenv("GANEXP_DATA");
    end(&f);
}

static void sizes_that_disagree(void **state)
{
    (void)state;
    struct files f = begin();
    write_both(&f);
    write_plain(&f, "train-images-idx3-ubyte", f.image, IMAGES - 1);
    expect_refusal(&f, "is cut short: 9423 of 9424 bytes");
    f = begin();
    write_both(&f);
    write_plain(&f, "train-images-idx3-ubyte", f.image, IMAGES + 1);
    expect_refusal(&f, "is longer than its header says");
    f = begin();
    write_both(&f);
    write_plain(&f, "train-labels-idx1-ubyte", f.label, 7);
    expect_refusal(&f, "is cut short: 7 bytes, not even a header");
    f = begin();
    put(f.label + 4, N - 1);
    write_both(&f);
    write_plain(&f, "train-labels-idx1-ubyte", f.label, LABELS - 1);
    expect_refusal(&f, "holds 11 labels for the 12 images");
    f = begin();
    write_both(&f);
    write_plain(&f, "train-images-idx3-ubyte", f.image, 0);
    expect_refusal(&f, "is empty");
}

static void damage_inside_gzip_is_found(void **state)
{
    (void)state;
    struct files f = begin();
    write_both(&f);
    write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES, 40);
    expect_refusal(&f, "is cut short: ");
    f = begin();
    write_both(&f);
    write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES, 8);
    expect_refusal(&f, "checksum at the end is missing");
    f = begin();
    write_both(&f);
    write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES, -5);
    expect_refusal(&f, "is damaged");
    f = begin();
    write_both(&f);
    write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES + 1, 0);
    expect_refusal(&f, "is longer than its header says");
    f = begin();
    write_both(&f);
    write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES - 1, 0);
    expect_refusal(&f, "is cut short: 9423 of 9424 bytes");
    f = begin();
    write_both(&f);
    write_plain(&f, "train-images-idx3-ubyte", (const uint8_t *)"\x1f\x8b nonsense that goes on",
                24);
    expect_refusal(&f, "is cut short");
}

// Every single byte of a packed file changed: an error or the same bytes, never a crash.
static void no_flipped_byte_crashes_the_reader(void **state)
{
    (void)state;
    struct files f = begin();
    uint8_t packed[2 * IMAGES];
    const size_t n = gzip(f.image, IMAGES, packed, sizeof packed);
    for (size_t i = 0; i < n; i++) {
        struct arena *a = arena_new(NULL);
        struct idx idx;
        const char *why = NULL;
        packed[i] ^= 0x55;
        if (idx_parse(a, IDX_IMAGES, packed, n, &idx, &why))
            assert_memory_equal(idx.raw, f.image, IMAGES);
        else
            assert_non_null(why);
        packed[i] ^= 0x55;
        arena_free(a);
    }
    end(&f);
}

static void wrong_headers_are_named(void **state)
{
    (void)state;
    static const struct {
        int at;
        uint32_t value;
        const char *why;
    } damage[] = {
        {0, 0x801, "holds labels where images are expected"},
        {0, 0xD03, "is no IDX file of images: it begins with 00000d03, not 00000803"},
        {0, 0x3C68746D, "is no IDX file of images"},
        {4, 0, "has a damaged header"},
        {4, 0x80000000, "has a damaged header: it claims 2147483648 images"},
        {4, 0xFFFFFFFF, "has a damaged header"},
        {4, 1000000, "is cut short: 9424 of 784000016 bytes"},
        {8, 0, "has a damaged header"},
        {8, 0x80000000, "has a damaged header"},
        {12, 0xFFFFFFFF, "has a damaged header"},
        {8, 14, "is longer than its header says"},
    };
    for (size_t i = 0; i < LENGTH(damage); i++)
        for (int packed = 0; packed < 2; packed++) {
            struct files f = begin();
            put(f.image + damage[i].at, damage[i].value);
            write_both(&f);
            if (packed)
                write_packed(&f, "train-images-idx3-ubyte", f.image, IMAGES, 0);
            expect_refusal(&f, damage[i].why);
        }
}

static void labels_out_of_range_are_named(void **state)
{
    (void)state;
    struct files f = begin();
    f.label[8 + 3] = 10;
    write_both(&f);
    expect_refusal(&f, "gives example 3 the label 10");
    f = begin();
    put(f.image + 8, 14), put(f.image + 12, 56);
    write_both(&f);
    expect_refusal(&f, "holds images of 14 × 56");
}

static void folders_are_not_read_as_files(void **state)
{
    (void)state;
    struct files f = begin();
    write_plain(&f, "train-labels-idx1-ubyte", f.label, LABELS);
    mkdir(arena_printf(f.arena, "%s/train-images-idx3-ubyte", f.folder), 0777);
    expect_refusal(&f, "is a folder where a file is expected");
    f = begin();
    write_plain(&f, "train-labels-idx1-ubyte", f.label, LABELS);
    mkdir(arena_printf(f.arena, "%s/train-images-idx3-ubyte", f.folder), 0777);
    write_packed(&f, "train-images-idx3-ubyte.gz", f.image, IMAGES,
                 0); // the folder does not hide the file
    expect_good(&f, SPLIT_TRAIN);
    end(&f);
    f = begin();
    write_plain(&f, "train-labels-idx1-ubyte", f.label, LABELS);
    assert_int_equal(mkfifo(arena_printf(f.arena, "%s/train-images-idx3-ubyte", f.folder), 0666),
                     0);
    expect_refusal(&f, "is a pipe where a file is expected");
}

// The real files, where GANEXP_TEST_MNIST says they lie.
static void the_real_files_are_read(void **state)
{
    (void)state;
    const char *folder = getenv("GANEXP_TEST_MNIST");
    if (!folder)
        skip();
    struct files f = begin();
    const char *own = f.folder;
    for (int split = 0; split < 2; split++) {
        struct diag *d = diag_new(f.arena);
        f.folder = folder;
        const struct dataset *s = open_at(&f, "", (enum split)split, d);
        diag_print(d, stderr);
        assert_non_null(s);
        float x[PIXELS];
        int32_t label;
        double sum = 0, n[10] = {0};
        for (int64_t i = 0; i < s->count; i++) {
            s->kind->get(s, i, x, &label);
            n[label]++;
            for (int k = 0; k < PIXELS; k++)
                sum += (x[k] + 1) / 2;
        }
        assert_true(sum / PIXELS / (double)s->count > 0.12 &&
                    sum / PIXELS / (double)s->count < 0.15);
        for (int i = 0; i < 10; i++)
            assert_true(n[i] / (double)s->count > 0.07 && n[i] / (double)s->count < 0.13);
    }
    f.folder = own;
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_under_all_their_names),
        cmocka_unit_test(joined_gzip_streams_are_read),
        cmocka_unit_test(padding_surrounds_the_picture),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(the_data_folder_is_found),
        cmocka_unit_test(sizes_that_disagree),
        cmocka_unit_test(damage_inside_gzip_is_found),
        cmocka_unit_test(no_flipped_byte_crashes_the_reader),
        cmocka_unit_test(wrong_headers_are_named),
        cmocka_unit_test(labels_out_of_range_are_named),
        cmocka_unit_test(folders_are_not_read_as_files),
        cmocka_unit_test(the_real_files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
